"""A session is the same whatever its file's format: the store, byte for byte."""

import dataclasses
import json

import numpy as np
import pytest
from pynwb import NWBHDF5IO

from glasscortex.config import PreprocessConfig, SimulateConfig
from glasscortex.data.nwb import read, read_motion
from glasscortex.data.nwb2.turned import write_anew
from glasscortex.data.record import Record
from glasscortex.data.synthetic.mice import sessions
from glasscortex.data.synthetic.nwb import write_nwb
from glasscortex.data.synthetic.session import simulate
from glasscortex.data.views import read_masks
from glasscortex.files import sha256
from glasscortex.local import files_of
from glasscortex.stages.link import link
from glasscortex.stages.preprocess import preprocess
from tests.data.nwb2.written import turned
from tests.data.nwb2.zarr_written import as_zarr

SIMULATE = SimulateConfig(
    cells=5,
    length=0.02,
    mice_per_line=1,
    cre_lines=("Cux2-CreERT2",),
    sessions={"three_session_A": 1, "three_session_B": 1},
    without=("natural_movie_three",),
)


def stored(source, folder, dff):
    """SHA-256 of each file of the store; the root's, less what the source's own bytes give."""
    raw, record = folder / "raw.nwb", folder / "raw.json"
    link(source=source, nwb=raw, record=record)
    session = dataclasses.asdict(read(raw).metadata)
    preprocess(
        nwb=raw,
        record=record,
        session={name: str(value) for name, value in session.items()},
        store=folder / "s.zarr",
        quality=folder / "s.csv",
        manifest=folder / "s.json",
        config=PreprocessConfig(dff=dff),
    )
    files = {name: sha256(path) for name, path in files_of(folder / "s.zarr").items()}
    root = json.loads((folder / "s.zarr/zarr.json").read_text())
    assert root["attributes"].pop("source_sha256") == Record.read(record).sha256
    return files | {"zarr.json": root, "quality": (folder / "s.csv").read_text()}


@pytest.fixture(scope="module")
def formats(tmp_path_factory):
    """One session of each type, in NWB 1.0, in NWB 2 and in NWB 2 as Zarr."""
    found = {}
    for row in sessions(SIMULATE).itertuples():
        folder = tmp_path_factory.mktemp(row.session_type)
        one = folder / "1.nwb"
        write_nwb(one, simulate(row.session_id, SIMULATE)[0])
        two = turned(one, folder / "2.nwb", images_as_intervals=True, chunks=(1000, 2))
        found[row.session_type] = one, two, as_zarr(two, folder / "3.nwb.zarr")
    return found


@pytest.mark.parametrize(
    ("session_type", "dff"),
    [
        ("three_session_A", "stored"),
        ("three_session_A", "windowed_median"),
        ("three_session_B", "windowed_median"),
    ],
)
def test_a_simulated_session_gives_the_same_store(formats, tmp_path, session_type, dff):
    one, two, three = formats[session_type]
    expected = stored(one, tmp_path / "1", dff)
    assert len(expected) > 30
    assert stored(two, tmp_path / "2", dff) == expected
    assert stored(three, tmp_path / "3", dff) == expected
    for source in (one, three) if dff == "windowed_median" else ():
        ours = tmp_path / f"of_{source.stem}.nwb"
        write_anew(source, ours)
        assert stored(ours, tmp_path / source.stem, dff) == expected
        assert drawn(ours) == drawn(one)
    np.testing.assert_array_equal(read_motion(two), read_motion(one))
    np.testing.assert_array_equal(read_motion(three), read_motion(one))


def drawn(path):
    """The pixels of each cell."""
    return {cell: np.argwhere(mask).tolist() for cell, mask in read_masks(path)}


def test_an_index_of_images_gives_the_same_onsets(both):
    """It holds no ends: an image stays until the next, or as long as is usual."""
    one, two = (read(path).stimuli["natural_movie_one"] for path in both)
    assert one.keys() == two.keys()
    for column in one:
        np.testing.assert_array_equal(one[column], two[column])


def test_what_is_read_is_what_pynwb_reads(both):
    recording = read(both[1])
    with NWBHDF5IO(both[1], "r") as io:
        file = io.read()
        ophys = file.processing["ophys"]
        dff = ophys["DfOverF"]["DfOverF"]
        fluorescence = ophys["Fluorescence"]
        np.testing.assert_array_equal(recording.time, fluorescence["Raw"].timestamps)
        np.testing.assert_array_equal(recording.stored_dff(slice(1, 4)), dff.data[:, 1:4].T)
        np.testing.assert_array_equal(
            recording.neuropil(slice(None)), fluorescence["Neuropil"].data[:].T
        )
        ids = ophys["ImageSegmentation"]["PlaneSegmentation"].id[:]
        np.testing.assert_array_equal(recording.cell_specimen_ids, ids)
        gratings = file.stimulus["drifting_gratings"].to_dataframe()
        shown = recording.stimuli["drifting_gratings"]
        np.testing.assert_allclose(recording.time[shown["start"]], gratings["start_time"])
        np.testing.assert_array_equal(shown["orientation"], gratings["orientation_in_degrees"])
        speed = file.processing["behavior"]["BehavioralTimeSeries"]["running_speed"]
        measured = recording.behaviour["running_speed"]
        frames = np.searchsorted(recording.time, speed.timestamps[:])
        np.testing.assert_array_equal(measured[frames], speed.data[:])
        assert recording.metadata.mouse == file.subject.subject_id
        assert recording.metadata.area == dff.rois.table.imaging_plane.location

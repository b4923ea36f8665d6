"""What other programs found becomes NWB 2 that says the same, to this package and to others."""

import numpy as np
import pytest
from pynwb import NWBHDF5IO

from glasscortex.data.imports import caiman, suite2p
from glasscortex.data.nwb import read
from glasscortex.data.views import read_masks
from glasscortex.errors import InputError
from glasscortex.imported import imported
from tests.data.imports import written
from tests.data.nwb2.inspector import faults

GRATINGS, PICTURES = slice(1, 40, 2), slice(0, 40, 2)


def of_suite2p(folder, planes=1, new=False):
    tables = written.beside(folder)
    source = written.suite2p(folder / "suite2p", planes, new)
    return imported(
        suite2p.read, source, tables, [folder / "running.csv"], nwb=folder / "found.nwb"
    )


def of_caiman(folder):
    source = written.caiman(folder / "results.hdf5")
    return imported(caiman.read, source, written.beside(folder), nwb=folder / "found.nwb")


MADE = {
    "suite2p": of_suite2p,
    "suite2p 1": lambda folder: of_suite2p(folder, new=True),
    "CaImAn": of_caiman,
}


@pytest.fixture(scope="module", params=MADE)
def made(request, tmp_path_factory):
    """The file of one program's results, and which."""
    return MADE[request.param](tmp_path_factory.mktemp("made")), request.param


@pytest.fixture(scope="module")
def two_planes(tmp_path_factory):
    return of_suite2p(tmp_path_factory.mktemp("two"), planes=2)


def test_it_is_read_as_it_was_found(made):
    path, program = made
    found = read(path)
    f, neuropil = (signal[written.CELLS] for signal in written.traces())
    some = slice(0, len(written.CELLS))
    assert found.cell_specimen_ids.tolist() == written.CELLS
    assert np.array_equal(found.time, np.arange(written.FRAMES) / written.RATE)
    if program == "CaImAn":
        assert found.signals == {"dff"}
        assert np.array_equal(found.stored_dff(some), (f.astype(float) / 100 - 1).astype("f4"))
        return
    assert found.signals == {"fluorescence", "neuropil", "neuropil_r"}
    assert np.array_equal(found.fluorescence(some), f)
    assert np.array_equal(found.neuropil(some), neuropil)
    assert found.neuropil_r(some).tolist() == pytest.approx([written.R] * len(f))
    assert found.behaviour["running_speed"][-20] == pytest.approx(2 * found.time[-20], abs=1)


def test_cells_lie_where_they_were_found(made):
    masks = dict(read_masks(made[0]))
    for cell in written.CELLS:
        y, x = np.nonzero(masks[cell])
        assert (y.tolist(), x.tolist()) == ([2 * cell] * 3, [cell, cell + 1, cell + 2])


def test_what_was_shown_becomes_tables(made):
    shown = read(made[0]).stimuli
    assert shown.keys() == {"gratings", "pictures"}
    assert shown["gratings"].keys() == {"start", "end", "contrast"}
    assert shown["gratings"]["contrast"].tolist() == [1.0, 3.0] * 10
    assert shown["pictures"]["animal"].tolist() == ["dog", "cat"] * 10
    assert shown["pictures"]["rewarded"].astype(bool).tolist() == [
        row % 3 == 0 for row in range(0, 40, 2)
    ]
    onset = shown["gratings"]["start"] / written.RATE
    assert np.abs(onset - (5 * np.arange(40)[GRATINGS] + 1)).max() <= 0.5 / written.RATE


def test_who_and_where_are_kept(made):
    told = read(made[0]).metadata
    assert (told.session_id, told.mouse, told.sex) == ("tank_1", "mouse 7", "female")
    assert (told.cre_line, told.area, told.depth_um) == ("Cux2-CreERT2", "VISp", 175.0)
    assert told.age_days == 90.0


def test_planes_are_one_recording(two_planes):
    found = read(two_planes)
    ids = [*written.CELLS, *(1_000_000 + cell for cell in written.CELLS)]
    assert found.cell_specimen_ids.tolist() == ids
    both = np.concatenate([written.traces(plane)[0][written.CELLS] for plane in (0, 1)])
    assert np.array_equal(found.fluorescence(slice(0, 8)), both)
    assert len(found.neuropil_r(slice(0, 8))) == 8


def test_a_table_may_count_frames_and_say_one_thing(tmp_path):
    tables = written.beside(tmp_path)
    tables.write_text("start_frame,stop_frame,image\n100,150,owl\n2990,3000,\n50,100,\n")
    made = imported(
        caiman.read, written.caiman(tmp_path / "c.hdf5"), tables, nwb=tmp_path / "n.nwb"
    )
    shown = read(made).stimuli["stimuli"]
    assert shown["start"].tolist() == [50, 100, 2990]
    assert shown["end"].tolist() == [100, 150, 3000]
    assert shown["image"].tolist() == ["", "owl", ""]


def test_frames_may_have_times_of_their_own(tmp_path):
    time = 7 + np.cumsum(np.random.default_rng(0).uniform(0.07, 0.09, written.FRAMES))
    frames = tmp_path / "frames.csv"
    frames.write_text("\n".join(["time", *map(repr, time.tolist())]))
    tables, source = written.beside(tmp_path), written.suite2p(tmp_path / "s", planes=2)
    tables.write_text("start_time,stop_time\n10,12\n")
    made = imported(suite2p.read, source, tables, frame_times=frames, nwb=tmp_path / "n.nwb")
    assert np.array_equal(read(made).time, time)
    (tmp_path / "session.yaml").write_text(written.SESSION + "rate_hz: 12\n")
    with pytest.raises(InputError, match=r"frames.csv and rate_hz both tell when frames were"):
        imported(suite2p.read, source, tables, frame_times=frames, nwb=tmp_path / "o.nwb")


def test_imaging_may_begin_later_and_at_another_rate(tmp_path):
    tables = written.beside(tmp_path)
    (tmp_path / "session.yaml").write_text(written.SESSION + "rate_hz: 10\nfirst_frame_s: 0.5\n")
    made = imported(
        caiman.read, written.caiman(tmp_path / "c.hdf5"), tables, nwb=tmp_path / "n.nwb"
    )
    assert np.array_equal(read(made).time, 0.5 + np.arange(written.FRAMES) / 10)


def test_planes_of_which_one_has_no_cell_and_one_a_frame_less(tmp_path, caplog):
    folder = written.suite2p(tmp_path / "suite2p", planes=3)
    np.save(folder / "plane0/iscell.npy", np.zeros((written.ROIS, 2)))
    for name in ("F.npy", "Fneu.npy"):
        np.save(folder / "plane2" / name, np.load(folder / "plane2" / name)[:, :-1])
    found, _ = suite2p.read(tmp_path)
    assert [plane.name for plane in found] == ["plane01", "plane02"]
    shape = len(written.CELLS), written.FRAMES - 1
    assert {signal.shape for plane in found for signal in plane.signals.values()} == {shape}
    assert "plane0 has no ROI that iscell.npy accepts, and is left out" in caplog.text


def test_planes_as_one_are_refused(tmp_path):
    (written.suite2p(tmp_path) / "plane0").rename(tmp_path / "combined")
    with pytest.raises(InputError, match="combined holds all planes as one: give"):
        suite2p.read(tmp_path / "combined")


@pytest.mark.filterwarnings("ignore")
def test_nwbinspector_finds_nothing(two_planes, made):
    assert faults(two_planes) == set()
    assert faults(made[0]) == set()


def test_pynwb_reads_the_same(two_planes):
    with NWBHDF5IO(two_planes, "r") as io:
        file = io.read()
        signal = file.processing["ophys"]["Fluorescence"]["fluorescence_plane01"]
        assert np.array_equal(signal.data[:].T, written.traces(1)[0][written.CELLS])
        assert signal.rate == written.RATE
        pictures = file.intervals["pictures"].to_dataframe()
        assert pictures["animal"].tolist() == ["dog", "cat"] * 10
        assert file.session_start_time.isoformat() == "2024-03-01T09:30:00+01:00"

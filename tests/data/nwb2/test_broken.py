"""What an NWB 2 file of another laboratory may hold: read as it is meant, or refused in one line.

A way to break a recording is one entry of `REFUSED`: how to edit it, and what the line must say.
"""

import json
import re
import shutil

import h5py
import numpy as np
import pytest

from glasscortex.data.nwb import read, read_metadata
from glasscortex.errors import InputError
from tests.data.edits import both as all_of
from tests.data.edits import change, empty_of, group_at, link, put
from tests.data.nwb2.zarr_written import as_zarr

OPHYS = "processing/ophys"
DFF = f"{OPHYS}/DfOverF/DfOverF"
FLUORESCENCE = f"{OPHYS}/Fluorescence"
TIME = f"{DFF}/timestamps"
TABLE = f"{OPHYS}/ImageSegmentation/PlaneSegmentation"
SHOWN = "stimulus/presentation"
GRATINGS = f"{SHOWN}/drifting_gratings"
MOVIE = f"{SHOWN}/natural_movie_one_stimulus"
RUNNING = "processing/behavior/BehavioralTimeSeries/running_speed"
ALL_SIGNALS = (DFF, *(f"{FLUORESCENCE}/{name}" for name in ("Raw", "Neuropil")))


def without(*keys):
    def edit(file):
        for key in keys:
            del file[key]

    return edit


def declared(key, **attributes):
    return lambda file: file[key].attrs.update(attributes)


def undeclared(key, name):
    return lambda file: file[key].attrs.__delitem__(name)


def rated(key=DFF, **attributes):
    """The rate of a series in place of its timestamps."""

    def edit(file):
        for series in ALL_SIGNALS:
            del file[f"{series}/timestamps"]
        file[f"{key}/starting_time"] = 10.0
        file[f"{key}/starting_time"].attrs.update(unit="seconds", **attributes)

    return edit


def in_unit(key, unit, factor):
    """Times in another unit, and said to be."""
    return all_of(change(key, lambda t: t / factor), declared(key, unit=unit))


def second_plane(shift=0.0, frames=3000, location="VISp"):
    """Another plane of the same cells' ids, with its own times."""

    def edit(file):
        file.copy(TABLE, f"{OPHYS}/ImageSegmentation/Second")
        file.copy("general/optophysiology/ImagingPlane", "general/optophysiology/Second")
        second = file[f"{OPHYS}/ImageSegmentation/Second"]
        del second["imaging_plane"], file["general/optophysiology/Second/location"]
        second["imaging_plane"] = h5py.SoftLink("/general/optophysiology/Second")
        file["general/optophysiology/Second/location"] = location
        for key in ALL_SIGNALS:
            file.copy(file[key], f"{key}2", expand_soft=True)
            series = file[f"{key}2"]
            series["rois"].attrs["table"] = second.ref
            data, time = series["data"][:frames], series["timestamps"][:frames]
            unit = series["timestamps"].attrs["unit"]
            del series["data"], series["timestamps"]
            series["data"], series["timestamps"] = data, time + shift
            series["data"].attrs.update(conversion=1.0, unit="n.a.")
            series["timestamps"].attrs["unit"] = unit

    return edit


def column(table, name, values):
    """A further column of a table of intervals."""
    return lambda file: file[table].create_dataset(name, data=values)


REFUSED = {
    # times
    "neither times nor rate": (
        without(*(f"{key}/timestamps" for key in ALL_SIGNALS)),
        ["DfOverF", "neither timestamps nor starting_time", "write one"],
    ),
    "no rate": (rated(), ["starting_time", "has the rate None"]),
    "a rate of nothing": (rated(rate=0.0), ["has the rate 0.0", "samples a second"]),
    "a rate that is none": (rated(rate=np.nan), ["has the rate nan"]),
    "a rate in kilohertz": (rated(rate=0.03), ["33.3333 apart", "write seconds"]),
    "times that fall": (change(TIME, lambda t: t[::-1]), ["timestamps", "do not rise"]),
    "minutes that say seconds": (change(TIME, lambda t: t / 60), ["1.8e+03 Hz"]),
    "a unit that is none of time": (declared(TIME, unit="frames"), ["'frames'", "write seconds"]),
    "fewer times than frames": (
        change(TIME, lambda t: t[:-7]),
        ["has 3000 samples, but 2993 timestamps"],
    ),
    # signals
    "no signals": (without(f"{OPHYS}/DfOverF", FLUORESCENCE), ["no RoiResponseSeries", "remove"]),
    "signals in another file": (
        all_of(
            link(f"{OPHYS}/DfOverF", h5py.ExternalLink("/tmp/x.h5", "/x")),
            link(FLUORESCENCE, h5py.ExternalLink("/tmp/x.h5", "/x")),
        ),
        ["no RoiResponseSeries"],
    ),
    "data in another file": (
        link(f"{DFF}/data", h5py.ExternalLink("/tmp/x.h5", "/x")),
        ["DfOverF/data", "lies in another file"],
    ),
    "terabytes": (
        empty_of(f"{DFF}/data", (10**10, 5), chunks=(1000, 5)),
        ["claims (10000000000, 5)", "0 bytes are stored"],
    ),
    "more cells than names": (
        change(f"{DFF}/data", lambda d: np.append(d, d, axis=1)),
        ["has shape (3000, 10)", "rois are 5 cells"],
    ),
    "a movie in place of traces": (put(f"{DFF}/data", np.ones((9, 4, 4))), ["(9, 4, 4)"]),
    "traces that are text": (
        put(f"{DFF}/data", np.full((3000, 5), b"x")),
        ["must hold numbers", "S1"],
    ),
    "fewer frames in one signal": (
        change(f"{FLUORESCENCE}/Neuropil/data", lambda d: d[:-1]),
        ["Neuropil/data", "has 2999 frames", "has 3000"],
    ),
    "a factor that is none": (
        declared(f"{DFF}/data", conversion=np.nan),
        ["has the conversion nan", "write a number"],
    ),
    # cells
    "no rows of a table": (
        without(*(f"{key}/rois" for key in ALL_SIGNALS)),
        ["names no rows of a PlaneSegmentation"],
    ),
    "rows by a link to nothing": (without(f"{DFF}/rois"), ["rois", "leads nowhere"]),
    "rows of no table": (undeclared(f"{DFF}/rois", "table"), ["names no rows"]),
    "rows beyond the table": (
        lambda file: file[f"{DFF}/rois"].write_direct(np.arange(5) + 3),
        ["beyond the 5 of"],
    ),
    "rows in another order": (
        all_of(
            link(f"{FLUORESCENCE}/Neuropil/rois", h5py.SoftLink("/none")),
            lambda file: (
                file.__delitem__(f"{FLUORESCENCE}/Neuropil/rois")
                or file.copy(f"{DFF}/rois", f"{FLUORESCENCE}/Neuropil/rois")
            ),
            change(f"{FLUORESCENCE}/Neuropil/rois", lambda r: r[::-1]),
            lambda file: file[f"{FLUORESCENCE}/Neuropil/rois"].attrs.update(table=file[TABLE].ref),
        ),
        ["Neuropil/rois", "are not those of", "one order"],
    ),
    "ids twice": (
        all_of(put(f"{TABLE}/id", np.zeros(5, int)), without(f"{TABLE}/global_roi_id")),
        ["PlaneSegmentation/id", "repeats itself"],
    ),
    # planes
    "planes of other lengths": (
        second_plane(frames=2990),
        ["(3000 frames)", "(2990)", "a file for each"],
    ),
    "planes of other times": (second_plane(shift=5.0), ["not imaged at the same times"]),
    "planes of other signals": (
        all_of(second_plane(), without(f"{FLUORESCENCE}/Neuropil2")),
        ["have different signals"],
    ),
    # stimuli
    "another clock": (
        all_of(*(change(f"{GRATINGS}/{e}_time", lambda t: t + 1e6) for e in ("start", "stop"))),
        ["drifting_gratings is from 1.00001e+06", "imaging from 10 to", "one clock"],
    ),
    "a unit that is no time": (declared(f"{GRATINGS}/start_time", unit="V"), ["in 'v'"]),
    "an end before its start": (
        change(f"{GRATINGS}/stop_time", lambda t: np.where(np.arange(24) == 7, 0, t)),
        ["row 7 ends at 0 s, before"],
    ),
    "one end too few": (change(f"{GRATINGS}/stop_time", lambda t: t[:-1]), ["23 stop_time"]),
    "no starts": (without(f"{GRATINGS}/start_time"), ["start_time", "is missing"]),
    "rows that last nothing": (
        lambda file: put(f"{GRATINGS}/stop_time", file[f"{GRATINGS}/start_time"][:])(file),
        ["lasts no frame"],
    ),
    "two things at once": (
        all_of(*(change(f"{GRATINGS}/{e}_time", lambda t: t + 20) for e in ("start", "stop"))),
        ["one is shown at a time"],
    ),
    "jittered directions": (
        change(f"{GRATINGS}/orientation_in_degrees", lambda d: d + np.linspace(-0.3, 0.3, len(d))),
        ["orientation takes", "seem to be one"],
    ),
    "directions in words": (
        put(f"{GRATINGS}/orientation_in_degrees", np.array([b"left"] * 24)),
        ["orientation holds text", "write numbers"],
    ),
    "no labels": (
        without(f"{GRATINGS}/orientation_in_degrees", f"{GRATINGS}/temporal_frequency_in_hz"),
        ["has the columns", "contrast", "name orientation and temporal_frequency"],
    ),
    "onsets that fall": (
        change(f"{MOVIE}/timestamps", lambda t: t[::-1]),
        ["natural_movie_one_stimulus", "onsets that do not rise"],
    ),
    "two tables of one stimulus": (
        lambda file: file.copy(GRATINGS, f"{SHOWN}/drifting_gratings_presentations"),
        ["is the second table of drifting_gratings", "keep one"],
    ),
    # behaviour and words
    "running of another length": (
        change(f"{RUNNING}/data", lambda d: d[:-1]),
        ["running_speed", "99 samples, but 100 timestamps"],
    ),
    "two columns of running": (
        put(f"{RUNNING}/data", np.zeros((100, 2))),
        ["running_speed/data", "(100, 2)", "one column"],
    ),
    "a subject that is a group": (
        group_at("general/subject/subject_id"),
        ["subject_id", "must be a dataset"],
    ),
    "a path as id": (put("general/session_id", "../a"), ["holds a slash"]),
}


def refused(path, words):
    with pytest.raises(InputError) as error:
        read(path).check_traces()
        read(path).stored_dff(slice(0, 2))
    message = str(error.value)
    assert "\n" not in message
    assert "100.nwb" in message
    assert re.search(r": [a-z][\w ,/]+$", message), "it does not end with what to do"
    for word in words:
        assert word in message


@pytest.mark.parametrize(("edit", "words"), REFUSED.values(), ids=REFUSED)
def test_a_broken_recording_is_refused_in_one_line(nwb2, edit, words):
    refused(nwb2(edit), words)


def array_of(key, **values):
    """Other words in the description of a Zarr array."""

    def edit(folder):
        path = folder / key / ".zarray"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return edit


def linked_to(source):
    def edit(folder):
        path = folder / FLUORESCENCE / "Neuropil/.zattrs"
        about = json.loads(path.read_text())
        about["zarr_link"].append({"name": "data", "path": "/x", "source": source})
        shutil.rmtree(folder / FLUORESCENCE / "Neuropil/data")
        path.write_text(json.dumps(about))

    return edit


REFUSED_FOLDERS = {
    "a chunk that is missing": (
        lambda folder: (folder / DFF / "data/0.0").unlink(),
        ["DfOverF/data", "lacks the chunk 0.0", "copy it again"],
    ),
    "terabytes": (
        array_of(f"{DFF}/data", shape=[10**12, 5], chunks=[10**5, 5]),
        ["lacks the chunk 1.0"],
    ),
    "a chunk of terabytes": (
        array_of(f"{DFF}/data", shape=[10**12, 5], chunks=[10**12, 5]),
        ["has chunks of (1000000000000, 5)"],
    ),
    "code in a chunk": (
        array_of("general/session_id", filters=[{"id": "pickle"}]),
        ["general/session_id", "is packed by pickle"],
    ),
    "a damaged chunk": (
        lambda folder: (folder / TABLE / "global_roi_id/0").write_bytes(b"no"),
        ["truncated or damaged", "copy it again"],
    ),
    "damaged words": (
        lambda folder: (folder / DFF / ".zattrs").write_text("{"),
        ["truncated or damaged", ".zattrs"],
    ),
    "a link into another file": (linked_to("../other.zarr"), ["lies in another file"]),
    "another Zarr": (lambda folder: (folder / ".zgroup").unlink(), ["no NWB Zarr"]),
}


@pytest.mark.parametrize(("edit", "words"), REFUSED_FOLDERS.values(), ids=REFUSED_FOLDERS)
def test_a_broken_folder_is_refused_in_one_line(zarr2, edit, words):
    refused(zarr2(edit), words)


def rate(recording):
    return round(recording.frame_rate_hz, 6)


def first_grating(recording):
    shown = recording.stimuli["drifting_gratings"]
    return [shown[column][0].item() for column in ("start", "end", "orientation")]


def running(recording):
    return recording.behaviour["running_speed"][250].item()


def dff(recording):
    return round(recording.stored_dff(slice(0, 1))[0, 0].item(), 6)


PLAIN = 0.006287  # the first value of ΔF/F

AS_MEANT = {
    "a rate in place of times": (rated(rate=30.0), rate, 30.0),
    "12.3 Hz": (rated(rate=12.3), rate, 12.3),
    "times in minutes": (in_unit(TIME, "minutes", 60), rate, 30.0),
    "times in milliseconds": (in_unit(TIME, "ms", 1e-3), rate, 30.0),
    "intervals in minutes": (
        all_of(*(in_unit(f"{GRATINGS}/{e}_time", "min", 60) for e in ("start", "stop"))),
        first_grating,
        [0, 60, 0.0],
    ),
    "running in m/s": (
        all_of(
            change(f"{RUNNING}/data", lambda d: d / 100), declared(f"{RUNNING}/data", unit="m/s")
        ),
        running,
        50.0,
    ),
    "running with a factor": (declared(f"{RUNNING}/data", conversion=0.5), running, 25.0),
    "ΔF/F in percent": (declared(f"{DFF}/data", unit="percent"), dff, round(PLAIN / 100, 6)),
    "ΔF/F with a factor": (declared(f"{DFF}/data", conversion=2.0), dff, 0.012573),
    "cells in rows": (change(f"{DFF}/data", lambda d: d.T), dff, PLAIN),
    "signals in 64 bits": (change(f"{DFF}/data", lambda d: d.astype("f8")), dff, PLAIN),
    "no ids across sessions": (
        without(f"{TABLE}/global_roi_id"),
        lambda recording: recording.cell_specimen_ids.tolist(),
        [500, 501, 502, 503, 504],
    ),
    "ids of rows alone": (
        all_of(put(f"{TABLE}/id", np.arange(5)), put(f"{TABLE}/global_roi_id", -np.ones(5))),
        lambda recording: recording.cell_specimen_ids.tolist(),
        [0, 1, 2, 3, 4],
    ),
    "two planes": (
        second_plane(shift=0.02),
        lambda recording: recording.cell_specimen_ids[4:7].tolist(),
        [504, 1_000_500, 1_000_501],
    ),
    "cells of two planes": (
        second_plane(),
        lambda recording: (
            recording.stored_dff(slice(3, 7))[2:] == recording.stored_dff(slice(0, 2))
        ).all(),
        True,
    ),
    "blanks that say a direction": (
        change(f"{GRATINGS}/orientation_in_degrees", lambda d: np.nan_to_num(d, nan=45.0)),
        lambda recording: np.isnan(recording.stimuli["drifting_gratings"]["orientation"]).sum(),
        2,
    ),
    "a column that varies is kept": (
        change(f"{GRATINGS}/contrast", lambda c: np.where(np.arange(24) % 2, c, 0.2)),
        lambda recording: recording.stimuli["drifting_gratings"]["contrast"][:2].tolist(),
        [0.2, 0.8],
    ),
    "a column that does not is left out": (
        None,
        lambda recording: sorted(recording.stimuli["drifting_gratings"]),
        ["blank_sweep", "end", "orientation", "start", "temporal_frequency"],
    ),
    "a column of words is kept": (
        column(GRATINGS, "sound", np.array([b"high", b"low"] * 12)),
        lambda recording: recording.stimuli["drifting_gratings"]["sound"][:2].tolist(),
        ["high", "low"],
    ),
    "another table": (
        lambda file: file.move(GRATINGS, f"{SHOWN}/tones"),
        lambda recording: sorted(recording.stimuli["tones"]),
        [
            "contrast",
            "end",
            "is_blank_sweep",
            "orientation_in_degrees",
            "start",
            "temporal_frequency_in_hz",
        ],
    ),
    "a table of no use beside": (
        all_of(
            lambda file: file.copy(GRATINGS, "intervals/licks"),
            put("intervals/licks/stop_time", np.zeros(24)),
        ),
        lambda recording: sorted(recording.stimuli),
        ["drifting_gratings", "natural_movie_one", "spontaneous"],
    ),
    "no behaviour": (without("processing/behavior"), lambda r: r.behaviour, {}),
}


@pytest.mark.parametrize(("edit", "what", "expected"), AS_MEANT.values(), ids=AS_MEANT)
def test_a_recording_is_read_as_it_is_meant(nwb2, edit, what, expected):
    assert what(read(nwb2(edit))) == expected


ANOTHER_LABORATORY = all_of(
    change(TIME, lambda t: (10 + (t - 10) * 30 / 12.3) / 60),
    declared(TIME, unit="minutes"),
    second_plane(location="VISl"),
    without("general/subject/genotype", "general/subject/strain", "general/notes"),
    lambda file: file.move(GRATINGS, "intervals/tones"),
    put("intervals/tones/pitch", np.arange(24) % 3),
    put("intervals/tones/choice", np.array([b"left", b"right"] * 12)),
)


def test_a_recording_of_another_laboratory(nwb2):
    """12.3 Hz, two planes, minutes, no genotype, tables and columns of its own."""
    recording = read(nwb2(ANOTHER_LABORATORY))
    assert rate(recording) == 12.3
    assert recording.stored_dff(slice(None)).shape == (10, 3000)
    assert recording.metadata.cre_line == recording.metadata.area == "unknown"
    tones = recording.stimuli["tones"]
    assert {"pitch", "choice"} < tones.keys()
    assert tones["choice"][:2].tolist() == ["left", "right"]
    np.testing.assert_array_equal(tones["start"], np.rint(3 * np.arange(24) * 12.3))


METADATA = {
    "all": (None, {"session_id": "100", "container_id": "7", "sex": "male", "age_days": 103.0}),
    "where": (None, {"area": "VISp", "depth_um": 275.0, "cre_line": "Cux2-CreERT2"}),
    "the Visual Coding set": (
        all_of(put("general/session_id", "501574836-StimC2"), put("general/notes", "none")),
        {"session_id": "501574836", "session_type": "three_session_C2"},
    ),
    "no genotype": (
        without("general/subject/genotype", "general/subject/strain"),
        {"cre_line": "unknown", "mouse": "Cux2-CreERT2;Ai93-1"},
    ),
    "nothing": (
        without("general/subject", "general/session_id", "general/notes"),
        {"session_id": "100", "container_id": "100", "mouse": "100", "sex": "unknown"},
    ),
    "a date of birth": (
        all_of(
            without("general/subject/age"),
            put("general/subject/date_of_birth", "2016-01-01T00:00:00+00:00"),
        ),
        {"age_days": 91.0},
    ),
    "a depth among other lengths": (
        put(
            "general/optophysiology/ImagingPlane/description",
            "a field of 400 um at a depth of 0.35 mm",
        ),
        {"depth_um": 350.0},
    ),
    "lengths, none a depth": (
        put("general/optophysiology/ImagingPlane/description", "400 um x 300 um"),
        {"depth_um": pytest.approx(np.nan, nan_ok=True)},
    ),
    "planes in two areas": (second_plane(location="VISl"), {"area": "unknown", "depth_um": 275.0}),
}


@pytest.mark.parametrize(("edit", "expected"), METADATA.values(), ids=METADATA)
def test_metadata(nwb2, edit, expected):
    found = read_metadata(nwb2(edit))
    assert {name: getattr(found, name) for name in expected} == expected


def scenes_with_hidden_blanks(file):
    """As the files on DANDI: blanks are written as scene 0."""
    index = np.tile(np.r_[np.arange(6), 0], 30).astype(np.uint32)
    del file[GRATINGS]
    file.move(MOVIE, f"{SHOWN}/natural_scenes_stimulus")
    scenes = file[f"{SHOWN}/natural_scenes_stimulus"]
    del scenes["data"], scenes["timestamps"]
    scenes["data"], scenes["timestamps"] = index, 12 + 0.25 * np.arange(len(index))


WARNED = {
    "rows beyond imaging": (
        change(f"{GRATINGS}/stop_time", lambda t: np.where(np.arange(24) == 23, 500, t)),
        "1 of 24 rows of /stimulus/presentation/drifting_gratings are not within imaging",
    ),
    "running in no known unit": (
        declared(f"{RUNNING}/data", unit="a.u."),
        "running_speed is in 'a.u.' and taken for cm/s",
    ),
    "no label of one kind": (
        without(f"{GRATINGS}/temporal_frequency_in_hz"),
        "drifting_gratings has no labels of temporal_frequency",
    ),
    "blanks among scene 0": (
        scenes_with_hidden_blanks,
        "shows scene 0 60 times, others 30 times: blanks seem to be written as scene 0",
    ),
    "a table of no use": (
        all_of(
            lambda file: file.copy(GRATINGS, "intervals/licks"),
            put("intervals/licks/stop_time", np.zeros(24)),
        ),
        "/intervals/licks row 0 ends at 0 s, before 10 s: remove the file or mend its table (until",
    ),
    "gaps": (change(TIME, lambda t: t + 100 * (np.arange(3000) > 2900)), "has 1 gaps"),
}


@pytest.mark.parametrize(("edit", "words"), WARNED.values(), ids=WARNED)
def test_what_is_odd_is_warned_of(nwb2, caplog, edit, words):
    read(nwb2(edit))
    assert any(words in line and "100.nwb" in line for line in caplog.messages)


def test_scenes_whose_blanks_are_hidden_have_no_scene_0(nwb2):
    index = read(nwb2(scenes_with_hidden_blanks)).stimuli["natural_scenes"]["index"]
    assert np.unique(index).tolist() == [-1, 1, 2, 3, 4, 5]


def test_a_date_of_birth_in_a_folder(nwb2, tmp_path):
    """hdmf-zarr writes the date of the session as bytes, with a fill value that is none."""
    source = nwb2(METADATA["a date of birth"][0], "source.nwb")
    assert read_metadata(as_zarr(source, tmp_path / "1.nwb.zarr")).age_days == 91.0

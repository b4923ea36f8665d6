"""An NWB 2 file that cannot be used is refused in one line.

A way to break a recording is one entry of `REFUSED`: how to edit it, and what the line must say.
"""

import json
import re
import shutil

import h5py
import numpy as np
import pytest

from glasscortex.data.nwb import read
from glasscortex.errors import InputError
from tests.data.edits import both as all_of
from tests.data.edits import change, empty_of, group_at, link, put
from tests.data.nwb2.edits import (
    ALL_SIGNALS,
    DFF,
    FLUORESCENCE,
    GRATINGS,
    MOVIE,
    OPHYS,
    RUNNING,
    SHOWN,
    TABLE,
    TIME,
    declared,
    rated,
    second_plane,
    undeclared,
    without,
)

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

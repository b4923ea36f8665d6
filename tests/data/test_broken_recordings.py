"""What a user's file may hold: read as it is meant, or refused in one line that helps.

A way to break a recording is one entry of `REFUSED`: how to edit it, and what the line must say.
"""

import re

import h5py
import numpy as np
import pytest

from glasscortex.data import hdf5
from glasscortex.data.nwb import read, read_metadata
from glasscortex.data.nwb1 import layout
from glasscortex.errors import InputError
from tests.data.edits import (
    DIRECTION,
    FREQUENCY,
    GRATINGS,
    IDS,
    MOVIE,
    RUNNING,
    SHOWN,
    TIME,
    both,
    change,
    empty_of,
    external_storage,
    frames,
    group_at,
    jittered,
    labels,
    link,
    named,
    put,
    shown_alone,
    text,
    virtual,
    whole_recording,
)

REFUSED = {
    # timestamps
    "milliseconds": (change(TIME, lambda t: 1e3 * t), ["timestamps", "0.03 Hz", "milliseconds"]),
    "microseconds": (change(TIME, lambda t: 1e6 * t), ["33333.3 apart", "write seconds"]),
    "frame numbers": (put(TIME, np.arange(3000)), ["1 apart", "frame numbers"]),
    "minutes": (change(TIME, lambda t: t / 3600), ["Hz if they are seconds"]),
    "an infinite time": (put(TIME, np.append(np.arange(2999) / 30, np.inf)), ["do not rise"]),
    "a time that is none": (put(TIME, np.append(np.nan, np.arange(2999) / 30)), ["do not rise"]),
    "times as text": (put(TIME, np.array([b"1", b"2"])), ["timestamps", "must hold numbers"]),
    "times in a table": (put(TIME, np.ones((3000, 1))), ["(3000, 1)", "1 dimensions"]),
    "times are a group": (group_at(TIME), ["timestamps", "must be a dataset"]),
    "a single time": (put(TIME, np.ones(1)), ["do not rise"]),
    "complex times": (put(TIME, np.ones(3000, complex)), ["must hold numbers"]),
    # cells
    "ids as text": (put(IDS, np.array([b"a"] * 5)), ["cell_specimen_ids", "must hold numbers"]),
    "ids that are fractions": (put(IDS, np.arange(5) + 0.5), ["ids of cells", "0.5 is no whole"]),
    "an id that is none": (put(IDS, np.array([1, 2, np.nan])), ["nan is no whole number"]),
    "ids in a table": (put(IDS, np.ones((5, 1), int)), ["(5, 1)", "1 dimensions"]),
    "no ids": (put(IDS, np.empty(0, int)), ["is empty or repeats itself"]),
    "ids are a group": (group_at(IDS), ["must be a dataset"]),
    "an id of 300 digits": (put(IDS, np.array([1, 2, 1e300])), ["ids of cells", "20 digits"]),
    # data elsewhere
    "a link that leads nowhere": (link(RUNNING, h5py.SoftLink("/none")), ["leads nowhere"]),
    "a number in place of a group": (put("general", 1), ["should lie in a group that is none"]),
    "external link": (link(TIME, h5py.ExternalLink("/tmp/x.h5", "/x")), ["lies in another file"]),
    "soft link to an external one": (
        both(
            lambda file: file.__setitem__("out", h5py.ExternalLink("/tmp/x.h5", "/x")),
            link(TIME, h5py.SoftLink("/out")),
        ),
        ["lies in another file"],
    ),
    "soft links in a circle": (
        both(
            lambda file: file.__setitem__("a", h5py.SoftLink("/b")),
            lambda file: file.__setitem__("b", h5py.SoftLink("/a")),
            link(IDS, h5py.SoftLink("/a")),
        ),
        ["leads nowhere", "cell_specimen_ids"],
    ),
    "external group": (
        link("general", h5py.ExternalLink("/etc/x.h5", "/")),
        ["/general/", "lies in another file"],
    ),
    "external storage": (external_storage, ["timestamps", "is kept in other files"]),
    "virtual dataset": (virtual, ["timestamps", "is kept in other files"]),
    # sizes
    "terabytes of ids": (empty_of(IDS, (10**12,), "i8", chunks=(1000,)), ["0 bytes are stored"]),
    "terabytes of times": (empty_of(TIME, (10**12,)), ["claims (1000000000000,) values"]),
    "running of 115,730 frames squared": (
        both(put(f"{RUNNING}/data", np.zeros((3000, 1))), put(f"{RUNNING}/timestamps", np.ones(3))),
        ["running_speed/data", "(3000, 1)"],
    ),
    "terabytes of text": (
        empty_of("general/session_id", (10**10,), "S100", chunks=(100,)),
        ["general/session_id", "0 bytes are stored"],
    ),
    # texts and ids
    "text that is not UTF-8": (text("specimen_name", np.bytes_(b"\xff\xfe")), ["specimen_name"]),
    "text is a group": (group_at("general/session_type"), ["session_type", "must be a dataset"]),
    "text is a table of compounds": (
        text("session_id", np.zeros(1, [("a", int)])),
        ["session_id", "must be text"],
    ),
    "braces in the id": (text("session_id", "a{x}"), ["'a{x}'", "holds a { }"]),
    "angles in the id": (text("session_id", "<a>"), ["holds a < >"]),
    "a return in the id": (text("session_id", "a\rb"), ["holds a \\r"]),
    "a line in the container": (text("experiment_container_id", "a\nb"), ["holds a \\n"]),
    "a path as id": (text("session_id", "../../a"), ["holds a slash"]),
    "300 letters": (text("session_id", "x" * 300), ["xxx…", "longer than 200 bytes"]),
    # presentations
    "seconds": (frames(lambda f: 0.4 + f / 30), ["not seconds", "no whole number"]),
    "whole seconds": (frames(lambda f: f // 30), ["seem to be seconds", "write imaging frames"]),
    "whole seconds in decimals": (frames(lambda f: np.floor(f / 30)), ["seem to be seconds"]),
    "images in whole seconds": (
        shown_alone([[i // 4, i // 4] for i in range(200)]),
        ["natural_scenes presentation 0 lasts no frame"],
    ),
    "they last no frame": (
        frames(lambda f: np.stack([f[:, 0], f[:, 0]], axis=1)),
        ["drifting_gratings presentation 0 lasts no frame", "mend its table"],
    ),
    "all at the same time": (frames(lambda f: f * 0 + [0, 60]), ["one is shown at a time"]),
    "each until the end": (
        frames(lambda f: np.stack([f[:, 0], f[:, 0] * 0 + 3000], axis=1)),
        ["drifting_gratings begins at frame 90", "ends at frame 3000"],
    ),
    "one spans everything": (frames(whole_recording), ["one is shown at a time", "mend"]),
    "two stimuli at once": (
        frames(lambda f: f - 1000, MOVIE),
        ["natural_movie_one", "drifting_gratings", "one is shown at a time"],
    ),
    "frames that are none": (frames(lambda f: f * np.nan), ["nan is no whole number"]),
    "frames as text": (frames(lambda f: f.astype("S")), ["must hold numbers"]),
    "presentations are a dataset": (put(SHOWN, 1), ["presentation", "must be a group"]),
    "a stimulus is a dataset": (put(GRATINGS, 1), ["drifting_gratings", "should lie in a group"]),
    "images that are fractions": (
        change(f"{MOVIE}/data", lambda d: d + 0.5),
        ["numbers of images", "0.5 is no whole number"],
    ),
    "images of negative numbers": (change(f"{MOVIE}/data", lambda d: d - 9), ["number -9"]),
    # labels
    "other names": (
        named("TF", "Ori", "blank_sweep"),
        ["TF, Ori, blank_sweep", "orientation and temporal_frequency", "rename it in features"],
    ),
    "one other name": (
        named("TF", "orientation", "blank_sweep"),
        ["columns are TF, orientation", "temporal_frequency is not among them"],
    ),
    "two columns of one name": (named("orientation", "Orientation", "blank_sweep"), ["broken"]),
    "no names": (lambda file: file.__delitem__(f"{GRATINGS}/features"), ["features", "missing"]),
    "an infinite direction": (
        labels(DIRECTION, lambda d: np.where(d == 45, np.inf, d)),
        ["orientation is infinite"],
    ),
    "an infinite frequency": (labels(FREQUENCY, lambda f: f * np.inf), ["is infinite"]),
    "jitter of a frequency": (
        labels(FREQUENCY, lambda f: jittered(f, 1e-3)),
        ["temporal_frequency takes 22 values", "seem to be one", "round them"],
    ),
    "jitter of half a degree": (
        labels(DIRECTION, lambda d: jittered(d, 0.3)),
        ["orientation takes", "seem to be one"],
    ),
    "jitter about 0": (
        labels(DIRECTION, lambda d: np.where(np.arange(24) == 0, 359.5, d)),
        ["359.5 and 360 seem to be one"],
    ),
    "directions of another unit": (
        labels(DIRECTION, lambda d: 10 * d),
        ["runs from 0 to 1350", "repeats after 360"],
    ),
}


@pytest.mark.parametrize(("edit", "words"), REFUSED.values(), ids=REFUSED)
def test_a_broken_recording_is_refused_in_one_line(nwb, edit, words):
    path = nwb(edit=edit)
    with pytest.raises(InputError) as error:
        read(path)
    message = str(error.value)
    assert "\n" not in message
    assert "\r" not in message
    assert "100.nwb" in message
    assert re.search(r": [a-z][\w ,/]+$", message), "it does not end with what to do"
    for word in words:
        assert word in message


@pytest.mark.parametrize("r", [-0.1, np.inf])
def test_a_share_of_the_neuropil_that_is_none(nwb, r):
    recording = read(nwb(edit=change(f"{layout.NEUROPIL}/r", lambda values: values * r)))
    with pytest.raises(InputError, match=r"/r holds a share .* negative or infinite: mend it"):
        recording.corrected_fluorescence(slice(0, 5))


def directions(recording):
    return np.unique(recording.stimuli["drifting_gratings"]["orientation"])[:4].tolist()


DIRECTIONS = [0.0, 45.0, 90.0, 135.0]

AS_MEANT = {
    "a whole turn": (labels(DIRECTION, lambda d: d + 360), directions, DIRECTIONS),
    "negative angles": (labels(DIRECTION, lambda d: d - 360), directions, DIRECTIONS),
    "45 and -45 degrees": (
        labels(DIRECTION, lambda d: np.where(d == 90, -45, d)),
        directions,
        [0.0, 45.0, 135.0, 315.0],
    ),
    "jitter of a thousandth": (
        labels(DIRECTION, lambda d: jittered(d, 1e-3)),
        directions,
        DIRECTIONS,
    ),
    "capitals and spaces": (
        named("Temporal Frequency", "ORIENTATION", "Blank_Sweep"),
        directions,
        DIRECTIONS,
    ),
    "frames as whole decimals": (
        frames(lambda f: f.astype(float)),
        lambda recording: recording.stimuli["drifting_gratings"]["end"].dtype,
        np.int64,
    ),
    "ends that are inclusive": (
        frames(lambda f: np.stack([f[:, 0], f[:, 0]], axis=1), MOVIE),
        lambda recording: len(recording.stimuli["natural_movie_one"]["start"]),
        270,
    ),
    "neighbours share a frame": (
        frames(lambda f: f + np.array([0, 31])),
        lambda recording: recording.stimuli["drifting_gratings"]["end"][0],
        91,
    ),
    "soft link within the file": (
        lambda file: link(TIME, h5py.SoftLink(f"/{layout.FLUORESCENCE}/timestamps"))(file),
        lambda recording: round(recording.frame_rate_hz, 6),
        30.0,
    ),
    "relative soft link": (
        lambda file: (
            link(TIME, h5py.SoftLink("copy"))(file)
            or put(f"{layout.STORED_DFF}/copy", np.arange(3000) / 20)(file)
        ),
        lambda recording: round(recording.frame_rate_hz, 6),
        20.0,
    ),
    "well compressed zeros": (
        both(
            put(f"{RUNNING}/data", np.zeros(3000), compression="gzip", chunks=(3000,)),
            put(f"{RUNNING}/timestamps", 10 + np.arange(3000) / 30),
        ),
        lambda recording: recording.behaviour["running_speed"].max(),
        0.0,
    ),
}


@pytest.mark.parametrize(("edit", "what", "expected"), AS_MEANT.values(), ids=AS_MEANT)
def test_a_recording_is_read_as_it_is_meant(nwb, edit, what, expected):
    assert what(read(nwb(edit=edit))) == expected


METADATA = {
    "weeks": ("subject/age", "14 weeks", "age_days", 98.0),
    "ISO months": ("subject/age", "P3M", "age_days", 91.2),
    "ISO days": ("subject/age", "P98D", "age_days", 98.0),
    "ISO weeks": ("subject/age", "P14W", "age_days", 98.0),
    "years and days": ("subject/age", "P1Y2D", "age_days", 367.25),
    "a bare number of days": ("subject/age", "98", "age_days", 98.0),
    "a range of ages": ("subject/age", "12-14 weeks", "age_days", np.nan),
    "an adult": ("subject/age", "adult", "age_days", np.nan),
    "millimetres": ("imaging depth", "0.175 mm", "depth_um", 175.0),
    "micrometres": ("imaging depth", "175µm", "depth_um", 175.0),
    "a fraction of nothing": ("imaging depth", "0.175", "depth_um", np.nan),
    "two points": ("imaging depth", "1.2.3", "depth_um", np.nan),
    "another unit": ("imaging depth", "0.02 inches", "depth_um", np.nan),
    "depth as a number": ("imaging depth", 175.0, "depth_um", 175.0),
    "no depth": ("imaging depth", "0 microns", "depth_um", np.nan),
    "a number of a session": ("session_id", 501574836, "session_id", "501574836"),
    "nothing": ("session_type", "", "session_type", "unknown"),
    "an empty list": ("session_type", np.array([], "S1"), "session_type", "unknown"),
}


@pytest.mark.parametrize(("key", "written", "field", "expected"), METADATA.values(), ids=METADATA)
def test_metadata_is_read_with_its_unit(nwb, caplog, key, written, field, expected):
    key = f"optophysiology/imaging_plane_1/{key}" if key == "imaging depth" else key
    found = getattr(read_metadata(nwb(edit=text(key, written))), field)
    np.testing.assert_equal(found, expected)
    unclear = expected != expected and written != "0 microns"
    assert any("is not understood" in line for line in caplog.messages) == unclear


def test_a_line_is_no_single_mouse(nwb):
    edit = both(text("subject/genotype", "unknown"), text("specimen_name", "Cux2-CreERT2-301000"))
    found = read_metadata(nwb(edit=edit))
    assert (found.cre_line, found.mouse) == ("Cux2-CreERT2", "Cux2-CreERT2-301000")


def test_sessions_of_a_container_without_a_mouse_are_of_one(nwb):
    edit = text("specimen_name", "unknown")
    mice = {read_metadata(nwb(f"{i}.nwb", edit)).mouse for i in range(2)}
    assert mice == {"7"}


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (put(f"{SHOWN}/gratings_stimulus/data", 1), "so it can be the table of no variable"),
        (
            both(
                change(f"{GRATINGS}/data", lambda data: data[:, 1:]),
                named("orientation", "blank_sweep"),
            ),
            "no labels of temporal_frequency",
        ),
        (
            change(TIME, lambda time: time + 100 * (np.arange(3000) > 1500)),
            "has 1 gaps, the longest of 100 s",
        ),
    ],
)
def test_what_is_odd_is_warned_of(nwb, caplog, edit, words):
    read(nwb(edit=edit))
    assert any(words in line and "100.nwb" in line for line in caplog.messages)


@pytest.mark.parametrize("start", [0, 8, 96, 512, 800, 2048, 4096, 9000])
def test_flipped_bytes_never_end_in_a_traceback(nwb, start):
    """Whatever they hit: the file is read, or refused in one line."""
    whole = nwb().read_bytes()
    path = nwb("flipped.nwb")
    rng = np.random.default_rng(start)
    for _ in range(40):
        content = bytearray(whole)
        place = rng.integers(start, min(start + 3000, len(whole)), size=4)
        for byte in place:
            content[byte] ^= rng.integers(1, 256)
        path.write_bytes(content)
        try:
            recording = read(path)
            recording.corrected_fluorescence(slice(0, 5))
            recording.stored_dff(slice(0, 5))
        except InputError as error:
            assert "\n" not in str(error)


def test_a_file_that_may_not_be_read(nwb, monkeypatch):
    def refused(path, *arguments):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(hdf5, "open", refused, raising=False)
    with pytest.raises(InputError, match=r"100\.nwb cannot be read \(Permission denied\): change"):
        read(nwb())


def test_a_folder_of_that_name(tmp_path):
    (tmp_path / "1.nwb").mkdir()
    with pytest.raises(InputError, match=r"1\.nwb is a folder without \.zgroup.*remove it"):
        read(tmp_path / "1.nwb")

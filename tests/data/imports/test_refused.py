"""Results and tables that cannot be used are refused in one line, and nothing is written.

A way to break them is one entry of `REFUSED`: what to do in a folder that holds whole results of
suite2p and CaImAn, and what the line must say.
"""

import os
import pathlib
import pickle
import re

import h5py
import numpy as np
import pytest

from glasscortex.data.imports import caiman, suite2p
from glasscortex.data.imports.npy import read_objects
from glasscortex.errors import InputError
from glasscortex.imported import imported
from tests.data.imports import written

PLANE = "suite2p/plane0"


class Runs:
    """An object whose pickle calls a function when it is read."""

    def __init__(self, function, *arguments):
        self.called = function, arguments

    def __reduce__(self):
        return self.called


def saved(name, how):
    """An array of the plane as a function of what it is."""

    def edit(folder):
        path = folder / PLANE / name
        np.save(path, how(np.load(path)))

    return edit


def objects(name, value):
    return lambda folder: np.save(folder / PLANE / name, np.array(value, dtype=object))


def removed(name):
    return lambda folder: (folder / PLANE / name).unlink()


def in_settings(**values):
    return objects("ops.npy", written.settings()["ops.npy"] | values)


def of_roi(**values):
    return objects("stat.npy", [*written.rois()[:-1], written.rois()[-1] | values])


def rows(*lines, header="start_time,stop_time,contrast", name="stimuli.csv"):
    return lambda folder: (folder / name).write_text("\n".join([header, *lines]) + "\n")


def in_session(**values):
    """Lines of the session's file; None takes one away."""

    def edit(folder):
        kept = [line for line in written.SESSION.split("\n") if line.split(":")[0] not in values]
        new = [f"{name}: {value}" for name, value in values.items() if value is not None]
        (folder / "session.yaml").write_text("\n".join([*kept, *new]))

    return edit


def second_plane(frames=written.FRAMES, **settings):
    def edit(folder):
        place = folder / "suite2p/plane1"
        written.suite2p(folder / "other")
        (folder / "other/plane0").rename(place)
        for name in ("F.npy", "Fneu.npy"):
            np.save(place / name, np.load(place / name)[:, :frames])
        np.save(place / "ops.npy", written.settings()["ops.npy"] | settings)

    return edit


REFUSED = {
    # the folder
    "no such folder": (lambda folder: (folder / "suite2p").rename(folder / "x"), ["no plane0"]),
    "no traces": (removed("F.npy"), ["F.npy is missing"]),
    "no masks": (removed("stat.npy"), ["holds no plane0 with stat.npy"]),
    "no settings": (removed("ops.npy"), ["neither ops.npy nor settings.npy"]),
    "cut short": (
        lambda folder: os.truncate(folder / PLANE / "F.npy", 5000),
        ["F.npy is damaged", "copy it again"],
    ),
    "text as traces": (saved("F.npy", lambda f: f.astype("S")), ["not 2 axes of numbers"]),
    "one trace": (saved("F.npy", lambda f: f[0]), ["shape (3000,)", "not 2 axes"]),
    "objects as traces": (objects("F.npy", [{}]), ["F.npy is damaged"]),
    "other frames": (saved("Fneu.npy", lambda f: f[:, :-1]), ["3000 frames", "Fneu.npy 2999"]),
    "other ROIs": (saved("Fneu.npy", lambda f: f[:-1]), ["6 ROIs, Fneu.npy has 5"]),
    "other masks": (objects("stat.npy", written.rois()[:-1]), ["6 ROIs, stat.npy has 5"]),
    "other classes": (saved("iscell.npy", lambda c: c[:-1]), ["6 ROIs, iscell.npy has 5"]),
    "no class": (saved("iscell.npy", lambda c: c * np.nan), ["iscell.npy says neither 0 nor 1"]),
    "no cell": (saved("iscell.npy", np.zeros_like), ["has no cell", "accept some"]),
    "no frames": (
        lambda folder: [saved(name, lambda f: f[:, :1])(folder) for name in ("F.npy", "Fneu.npy")],
        ["has 1 frames"],
    ),
    "no rate": (in_settings(fs=None), ["suite2p tells no rate of imaging", "rate_hz"]),
    "a rate of nothing": (in_settings(fs=0), ["suite2p tells no rate of imaging", "rate_hz"]),
    "a rate that is slow": (in_settings(fs=0.5), ["found.nwb", "a rate of 0.5 Hz"]),
    "no share of the neuropil": (in_settings(neucoeff="0,7"), ["the neuropil's coefficient"]),
    "settings of another program": (objects("ops.npy", [1, 2]), ["no dictionaries"]),
    "settings of nobody": (objects("ops.npy", []), ["neither ops.npy nor settings.npy"]),
    "a mask in fractions": (of_roi(xpix=np.arange(3) + 0.5), ["no mask of ROI 5"]),
    "a mask without pixels": (of_roi(xpix=[], ypix=[], lam=[]), ["no mask of ROI 5"]),
    "a mask of other lengths": (of_roi(xpix=np.arange(2)), ["no mask of ROI 5"]),
    "a mask outside": (of_roi(xpix=np.arange(3) - 1), ["no mask of ROI 5", "outside"]),
    "planes of other rates": (second_plane(fs=30.0), ["12.5 and 30 Hz", "one by one"]),
    "planes of other lengths": (
        second_plane(frames=2998),
        ["plane00 3000, plane01 2998", "one by one"],
    ),
    # code in a pickle
    "a command": (
        objects("stat.npy", [Runs(os.system, "touch run")]),
        ["posix.system", "may run code: nothing of it was run"],
    ),
    "a function of Python's": (
        in_settings(fs=Runs(eval, "open('run', 'w')")),
        ["builtins.eval", "nothing of it was run"],
    ),
    "a function of NumPy's": (
        in_settings(fs=Runs(np.memmap, "run", "u1", "w+", 0, 9)),
        ["numpy.memmap", "nothing of it was run"],
    ),
    # tables
    "no table": (lambda folder: (folder / "stimuli.csv").unlink(), ["stimuli.csv", "No such file"]),
    "no times": (rows("1,2", header="onset,contrast"), ["onset, contrast", "start_time and stop_"]),
    "no stops": (rows("1,2", header="start_time,contrast"), ["name two of them start_time"]),
    "no rows": (rows(), ["has no rows"]),
    "a time that is none": (rows("1,2,3", "4,,3"), ["line 3: stop_time is nan"]),
    "a time in words": (rows("one,2,3"), ["line 2: start_time is one"]),
    "an endless row": (rows("1,inf,3"), ["line 2: stop_time is inf"]),
    "stops before it starts": (rows("1,2,3", "5,4,3"), ["line 3: it stops before it starts"]),
    "beyond the recording": (
        rows("1,2,3", "239,250,3"),
        ["line 3: it is from 239 to 250 s, but imaging from 0 to 240 s", "first_frame_s"],
    ),
    "before imaging": (in_session(first_frame_s=1000), ["imaging from 1000 to 1240 s"]),
    "frames beyond": (
        rows("1,3001,3", header="start_frame,stop_frame,contrast"),
        ["line 2: stop_frame is 3001, but the recording has 3000 frames"],
    ),
    "frames in seconds": (
        rows("0.5,1.5,3", header="start_frame,stop_frame,contrast"),
        ["start_frame is 0.5", "times in seconds"],
    ),
    "a row twice": (rows("1,2,3", "1,2,3"), ["line 3: it says what a line before it says"]),
    "a column twice": (
        rows("1,2,3,4", header="start_time,stop_time,contrast,contrast"),
        ["two columns named 'contrast'"],
    ),
    "a name that NWB has": (rows("1,2,3", header="start_time,stop_time,id"), ["named 'id'"]),
    "a name with a slash": (rows("1,2,3", header="start_time,stop_time,m/s"), ["named 'm/s'"]),
    "a stimulus that is no name": (
        rows("1,2,epochs", header="start_time,stop_time,stimulus"),
        ["named 'epochs'"],
    ),
    "no name of a stimulus": (
        rows("1,2,a", "3,4,", header="start_time,stop_time,stimulus"),
        ["line 3: it names no stimulus"],
    ),
    "directions that jitter": (
        rows(
            *(f"{5 * n},{5 * n + 2},drifting_gratings,{n % 4 * 90 + n * 0.01}" for n in range(20)),
            header="start_time,stop_time,stimulus,orientation",
        ),
        ["found.nwb", "drifting_gratings", "seem to be one"],
    ),
    "running without times": (
        rows("1,2", header="t,running_speed", name="running.csv"),
        ["running.csv has the columns t, running_speed", "time (seconds)"],
    ),
    "times of running that fall": (
        rows("2,1", "1,1", header="time,running_speed", name="running.csv"),
        ["running.csv: its times do not rise"],
    ),
    "running at one time": (
        rows("2,1", header="time,running_speed", name="running.csv"),
        ["running.csv: its times do not rise"],
    ),
    # the session
    "no session": (
        lambda folder: (folder / "session.yaml").unlink(),
        ["session.yaml", "No such file", "session, start, mouse, age, area, indicator"],
    ),
    "missing keys": (in_session(mouse=None, indicator=None), ["lacks mouse, indicator"]),
    "an unknown key": (in_session(sexx="F"), ["sexx", "not permitted"]),
    "an age in words": (in_session(age="young"), ["age", "should match"]),
    "no date": (in_session(start="yesterday"), ["start", "valid datetime"]),
    "no YAML": (
        lambda folder: (folder / "session.yaml").write_text("a: [1"),
        ["session.yaml cannot be read"],
    ),
    "depths of other planes": (in_session(depth_um="[100, 200]"), ["2 depths", "in 1 planes"]),
    "a path as id": (in_session(session="a/b"), ["holds a slash"]),
}


def refused(read, source, folder, words):
    with pytest.raises(InputError) as error:
        imported(
            read,
            source,
            folder / "stimuli.csv",
            [folder / "running.csv"],
            nwb=folder / "found.nwb",
        )
    message = str(error.value)
    assert "\n" not in message
    assert re.search(r": [\w~].*$", message)
    for word in words:
        assert word in message
    assert not (folder / "found.nwb").exists()
    assert not list(folder.glob(".found.nwb*"))


@pytest.mark.parametrize(("edit", "words"), REFUSED.values(), ids=REFUSED)
def test_broken_results_of_suite2p_are_refused_in_one_line(tmp_path, monkeypatch, edit, words):
    monkeypatch.chdir(tmp_path)
    written.beside(tmp_path)
    written.suite2p(tmp_path / "suite2p")
    edit(tmp_path)
    refused(suite2p.read, tmp_path / "suite2p", tmp_path, words)
    assert not (tmp_path / "run").exists()


def put(key, value):
    def edit(file):
        if key in file:
            del file[key]
        if value is not None:
            file[key] = value

    return edit


REFUSED_FILES = {
    "no ΔF/F": (put(caiman.DFF, "NoneType"), ["F_dff is missing", "call estimates.detrend_df_f()"]),
    "another file": (put("estimates", None), ["F_dff is missing"]),
    "no rate": (put(caiman.RATE, "NoneType"), ["found.hdf5 tells no rate of imaging"]),
    "nothing accepted": (put(caiman.ACCEPTED, np.zeros(0, int)), ["accepts no component"]),
    "accepted twice": (put(caiman.ACCEPTED, [1, 1]), ["names one twice"]),
    "accepted beyond": (put(caiman.ACCEPTED, [6]), ["none of the 6"]),
    "masks of others": (put(f"{caiman.MASKS}/indptr", [0, 18]), ["no mask of each of 6"]),
    "masks outside": (put("dims", [3, 3]), ["no mask of each of 6"]),
    "ΔF/F elsewhere": (
        lambda file: (
            put(caiman.DFF, None)(file)
            or file.__setitem__(caiman.DFF, h5py.ExternalLink("/tmp/x.h5", "/x"))
        ),
        ["lies in another file"],
    ),
}


@pytest.mark.parametrize(("edit", "words"), REFUSED_FILES.values(), ids=REFUSED_FILES)
def test_broken_results_of_caiman_are_refused_in_one_line(tmp_path, edit, words):
    written.beside(tmp_path)
    source = written.caiman(tmp_path / "found.hdf5")
    with h5py.File(source, "a") as file:
        edit(file)
    refused(caiman.read, source, tmp_path, words)


def test_a_file_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "found.nwb").write_text("mine")
    tables = written.beside(tmp_path)
    source = written.caiman(tmp_path / "found.hdf5")
    with pytest.raises(InputError, match="is there: remove it"):
        imported(caiman.read, source, tables, nwb=tmp_path / "found.nwb")
    assert (tmp_path / "found.nwb").read_text() == "mine"


@pytest.mark.parametrize("function", [os.system, eval, getattr, pickle.loads, np.load, np.fromfile])
def test_no_function_that_a_pickle_names_is_called(tmp_path, function):
    path = tmp_path / "stat.npy"
    np.save(path, np.array([{"fs": Runs(function, "x")}], dtype=object))
    with pytest.raises(InputError, match=r"may run code: nothing of it was run"):
        read_objects(path)


def test_what_stands_for_numpy_cannot_be_changed_by_a_pickle(tmp_path):
    """A pickle may set attributes of what it can name; arrays are read as before after it."""
    path, whole = tmp_path / "bad.npy", tmp_path / "stat.npy"
    with open(path, "wb") as file:
        header = {"descr": "|O", "fortran_order": False, "shape": ()}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(b"cnumpy\ndtype\n(N(dS'plain'\nS'x'\nstb.")
    with pytest.raises(InputError, match="is damaged or of another program"):
        read_objects(path)
    np.save(whole, np.array([{"a": np.arange(3), "b": pathlib.PosixPath("x")}], dtype=object))
    assert np.asarray(read_objects(whole)[0]["a"]).tolist() == [0, 1, 2]

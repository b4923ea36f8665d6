"""What `glasscortex inspect` tells of recordings, and that what it suggests is a configuration."""

import h5py
import numpy as np
import pytest
import yaml

from glasscortex.config import validated
from glasscortex.data.inspection import inspected
from glasscortex.data.nwb1 import layout
from glasscortex.errors import InputError
from glasscortex.inspection import inspection
from tests.data.edits import both, change, put, text
from tests.data.nwb2.written import turned
from tests.data.nwb2.zarr_written import as_zarr


def suggested(said):
    """The configuration at the end of what was said."""
    return validated(yaml.safe_load(said.partition("FILE --cores 2`\n")[2]))


def test_one_recording(nwb):
    said = inspection(nwb())
    for words in (
        "session    100 (three_session_A), container 7",
        "imaged     VISp, 275 µm",
        "frames     3,000 at 30 Hz, 1.7 min",
        "signals    ΔF/F, fluorescence, neuropil, its r",
        "running_speed (3% of frames), pupil (100% of frames)",
        "drifting_gratings  24 × 2 s      direction 4 × 4–6, orientation 4 × 4–6, "
        "temporal_frequency 1 × 22, 2 blank",
        "natural_movie_one  270 × 0.033 s  90 frames × 3",
        "spontaneous        1 × 6.67 s",
        "tasks      direction, orientation, movie_one, running_speed, pupil",
    ):
        assert " ".join(words.split()) in " ".join(said.split()), said
    config = suggested(said)
    assert config.trials.window_s["drifting_gratings"] == 2.0
    assert config.preprocess.dff == "windowed_median"


def test_tables_of_ones_own_are_suggested_as_variables(nwb):
    table, n = f"{layout.PRESENTATIONS}/gabors_stimulus", 48
    first = 30 * np.arange(n)
    shown = np.stack([2.0 ** (np.arange(n) % 4), np.arange(n) % 2, first / 7, 0 * first], axis=1)
    names = np.array(["contrast", "orientation", "loud ness", "nothing"], dtype="S")
    frames = np.stack([first, first + 15], axis=1)
    written = {"data": shown, "features": names, "frame_duration": frames}
    edits = (put(f"{table}/{key}", values) for key, values in written.items())
    trials = suggested(inspection(nwb(edit=both(*edits)))).trials
    assert trials.window_s["gabors"] == 0.5
    assert {name: (v.column, v.kind) for name, v in trials.variables.items()} == {
        "contrast": ("contrast", "ordered"),
        "gabors_orientation": ("orientation", "categorical"),
        "loud_ness": ("loud_ness", "continuous"),
    }


def test_it_tells_the_same_of_all_formats(nwb, tmp_path):
    """But for the file's name, and where in it something odd lies."""
    one = nwb()
    (tmp_path / "2").mkdir()
    two = turned(one, tmp_path / "2/100.nwb")
    three = as_zarr(two, tmp_path / "3/100.nwb.zarr")
    said = (inspection(path).partition("looks odd")[0] for path in (one, two, three))
    told = [text.splitlines()[1:] for text in said]
    assert len(told[0]) > 10
    assert told[1] == told[0]
    assert told[2] == told[0]


ODD = {
    "no fluorescence": (
        lambda file: file.__delitem__(f"{layout.PIPELINE}/Fluorescence"),
        "it holds no fluorescence",
        {"dff": "stored"},
    ),
    "no neuropil": (
        lambda file: file.__delitem__(layout.NEUROPIL),
        "it holds no neuropil",
        {"neuropil": "none"},
    ),
    "neuropil alone": (
        lambda file: file.__delitem__(f"{layout.NEUROPIL}/r"),
        "neuropil without its r",
        {"neuropil": "fitted"},
    ),
    "no running": (
        lambda file: file.__delitem__(layout.RUNNING_SPEED),
        "running_speed was not measured",
        {},
    ),
    "no line": (
        both(text("subject/genotype", "unknown"), text("specimen_name", "m")),
        "Cre line unknown",
        {},
    ),
    "few repeats": (None, "shows a class of direction, orientation fewer than 8 times", {}),
    "what a reader warns of": (
        change(f"{layout.RUNNING_SPEED}/timestamps", lambda t: t[::-1]),
        "timestamps do not rise",
        {},
    ),
    "a table that nobody can read": (
        put("stimulus/presentation/tones_stimulus/data", 1),
        "so it can be the table of no variable",
        {},
    ),
}


@pytest.mark.parametrize(("edit", "line", "preprocess"), ODD.values(), ids=ODD)
def test_what_looks_odd(nwb, edit, line, preprocess):
    path = nwb(edit=edit)
    assert [odd for odd in inspected(path).oddities if line in odd]
    said = inspection(path)
    assert line in said
    found = suggested(said).preprocess
    assert {name: getattr(found, name) for name in preprocess} == preprocess


def test_a_folder(nwb, tmp_path):
    for number in range(3):
        mouse = both(text("session_id", f"{number}"), text("specimen_name", f"mouse {number // 2}"))
        nwb(f"{number}.nwb", mouse)
    (tmp_path / "broken.nwb").write_text("no")
    said = inspection(tmp_path)
    assert "4 recordings, 1 of them cannot be used" in said
    assert "broken.nwb is not an NWB file" in said
    assert "3 sessions of 2 mice, 15 cells" in said
    assert "direction (3)" in said
    assert "fewer than 8 times (all)" in said
    (tmp_path / "broken.nwb").unlink()
    assert suggested(inspection(tmp_path)).nwb == tmp_path


def test_other_tables_are_told_with_their_columns(nwb, tmp_path):
    path = turned(nwb(), tmp_path / "2.nwb")
    with h5py.File(path, "a") as file:
        file.move("stimulus/presentation/drifting_gratings", "intervals/tones")
        put("intervals/tones/pitch", np.arange(24.0))(file)
    assert "pitch" in inspected(path).tables["tones"].columns
    assert "tones" in inspection(path)


def test_nothing_to_inspect(tmp_path):
    with pytest.raises(InputError, match="no such file or folder: check the path"):
        inspection(tmp_path / "none")
    with pytest.raises(InputError, match=r"holds no \*\.nwb file"):
        inspection(tmp_path)
    (tmp_path / "1.nwb").write_text("no")
    with pytest.raises(InputError, match="is not an NWB file"):
        inspection(tmp_path / "1.nwb")

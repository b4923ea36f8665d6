"""What was found goes into a copy of the recording: others read it, and ours reads as before."""

import h5py
import numpy as np
import pandas as pd
import pytest
from pynwb import NWBHDF5IO

from glasscortex.data.nwb import read
from glasscortex.data.nwb2.results import add_results
from glasscortex.data.nwb2.turned import write_anew
from glasscortex.errors import InputError
from glasscortex.files import sha256
from tests.data.nwb2.inspector import faults

SHOWN = pd.DataFrame(
    {
        "start_time": [12.0, 15.0, 18.0],
        "stop_time": [14.0, 17.0, 20.0],
        "stimulus": "drifting_gratings",
        "direction": [0.0, 90.0, np.nan],
        "image_decoded": ["cat", "dog", None],
    }
)
RESPONSES = np.arange(6, dtype=np.float32).reshape(3, 2)
UNITS = pd.DataFrame({"direction_effect": [0.5, np.nan], "selected": [True, False]}, index=[4, 9])


@pytest.fixture(params=[0, 1], ids=["NWB 1.0", "NWB 2"])
def exported(request, both, tmp_path):
    """The source, and what was made of it."""
    target = tmp_path / "exported.nwb"
    before = sha256(both[request.param])
    write_anew(both[request.param], target)
    for factor in (0, 1):  # the second time replaces the first
        add_results(target, SHOWN, factor * RESPONSES, UNITS, "a test")
    assert sha256(both[request.param]) == before
    return both[request.param], target


def test_pynwb_reads_the_results(exported):
    with NWBHDF5IO(exported[1], "r") as io:
        file = io.read()
        shown = file.analysis["glasscortex_presentations"].to_dataframe()
        units = file.analysis["glasscortex_units"].to_dataframe()
    assert np.stack(shown.pop("responses")).tolist() == RESPONSES.tolist()
    expected = SHOWN.assign(image_decoded=["cat", "dog", ""]).rename_axis("id")
    pd.testing.assert_frame_equal(shown, expected, check_dtype=False)
    pd.testing.assert_frame_equal(units, UNITS.rename_axis("id"))


def test_the_recording_is_read_as_before(exported):
    before, after = map(read, exported)
    every = slice(None)
    assert after.metadata == before.metadata
    assert np.array_equal(after.time, before.time)
    assert np.array_equal(after.cell_specimen_ids, before.cell_specimen_ids)
    for signal in ("stored_dff", "fluorescence", "neuropil", "neuropil_r"):
        assert np.array_equal(getattr(after, signal)(every), getattr(before, signal)(every))
    np.testing.assert_equal(after.behaviour, before.behaviour)
    np.testing.assert_equal(after.stimuli, before.stimuli)


@pytest.mark.filterwarnings("ignore")
def test_nwbinspector_finds_nothing_that_was_not_there(exported, both):
    source, target = exported
    assert faults(target) - (faults(source) if source == both[1] else set()) == set()


def test_a_file_that_pynwb_cannot_open_is_refused_in_one_line(nwb2):
    path = nwb2(lambda file: file.__delitem__("identifier"))
    with pytest.raises(
        InputError, match=r"pynwb cannot add results to .*100\.nwb .*: mend"
    ) as told:
        add_results(path, SHOWN, RESPONSES, UNITS, "a test")
    assert "\n" not in str(told.value)


OWN = "scratch/own"


def linked(file):
    file[OWN] = h5py.ExternalLink("/tmp/x.h5", "/x")


def stored_outside(file):
    outside = [("/etc/hostname", 0, h5py.h5f.UNLIMITED)]
    file.create_dataset(OWN, (3,), "u1", external=outside)


def virtual(file):
    layout = h5py.VirtualLayout((3,), "f8")
    layout[...] = h5py.VirtualSource("/tmp/x.h5", "x", (3,))
    file.create_virtual_dataset(OWN, layout)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (linked, "/scratch/own lies in another file: copy it into this one"),
        (stored_outside, "/scratch/own is kept in other files: copy it into this one"),
        (virtual, "/scratch/own is kept in other files: copy it into this one"),
    ],
)
def test_nothing_is_added_to_a_recording_that_leads_to_other_files(nwb2, tmp_path, edit, words):
    """Reading passes over what it does not need, but pynwb would go there."""
    path = nwb2(edit)
    read(path)
    with pytest.raises(InputError, match=words):
        write_anew(path, tmp_path / "exported.nwb")
    assert not (tmp_path / "exported.nwb").exists()


def test_tables_of_others_in_the_analysis_are_read_still(nwb2):
    def moved(file):
        file.require_group("analysis")
        file.move("stimulus/presentation/drifting_gratings", "analysis/drifting_gratings")

    with h5py.File(nwb2(moved)) as file:
        assert "analysis/drifting_gratings" in file
    assert "drifting_gratings" in read(nwb2(moved)).stimuli

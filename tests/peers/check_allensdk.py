# /// script
# requires-python = ">=3.10,<3.12"
# dependencies = ["allensdk==2.16.2", "statsmodels<0.15", "setuptools<81"]
# ///
"""AllenSDK reads simulated sessions and finds the preferred directions that were simulated.

    uv run --script tests/peers/check_allensdk.py RESULTS

RESULTS is a results folder with raw/*.nwb and truth/*.h5. Every getter of AllenSDK's
BrainObservatoryNwbDataSet is called on every session; AllenSDK's own drifting-gratings analysis
runs where gratings were shown. It runs in an environment of its own (see the block above).
"""

import sys
import warnings
from pathlib import Path

import h5py
import numpy as np
from allensdk.brain_observatory.drifting_gratings import DriftingGratings
from allensdk.core.brain_observatory_nwb_data_set import BrainObservatoryNwbDataSet

RESPONSIVE_P = 1e-3
"""AllenSDK's ANOVA over conditions, below which a cell counts as responsive."""
CLEAR_DIRECTION_INDEX = 0.3
"""Cells below it respond nearly alike to opposite directions: which one wins is chance."""
LEAST_AGREEMENT = 0.8
"""Share of responsive, clearly directional cells whose best condition must lie within 45 degrees
of the true preferred direction; by chance it would be 2 of 8."""
FEWEST_CELLS = 8

TEMPLATES = ("natural_", "locally_sparse_noise")


class CheckError(Exception):
    """What AllenSDK read is not what was simulated."""


def expect(condition: bool, message: str) -> None:
    if not condition:
        raise CheckError(message)


def check_getters(data: BrainObservatoryNwbDataSet) -> int:
    """Call every getter, compare shapes, and return how many there were."""
    stimuli = data.list_stimuli()
    ids = data.get_cell_specimen_ids()
    frames = len(data.get_fluorescence_timestamps())
    shown = [name for name in stimuli if name.startswith(TEMPLATES)]
    noise = [name for name in stimuli if name.startswith("locally_sparse_noise")]
    arguments = {
        "get_cell_specimen_indices": [(ids,)],
        "get_stimulus": [(frame,) for frame in range(0, frames, frames // 20)],
        "get_stimulus_table": [(name,) for name in (*stimuli, "master")],
        "get_stimulus_template": [(name,) for name in shown],
        "get_locally_sparse_noise_stimulus_template": [(name,) for name in noise],
        "get_pupil_location": [(True,), (False,)],
    }
    getters = [name for name in dir(data) if name.startswith("get_")]
    answers = {
        name: [getattr(data, name)(*each) for each in arguments.get(name, [()])] for name in getters
    }
    for name in ("fluorescence", "neuropil", "demixed", "corrected_fluorescence", "dff"):
        time, traces = answers[f"get_{name}_traces"][0]
        expect(traces.shape == (len(ids), frames), f"{name} traces are {traces.shape}")
        expect(len(time) == frames and np.isfinite(traces).all(), f"{name} traces are not whole")
    speed, time = answers["get_running_speed"][0]
    expect(len(speed) == len(time) == frames, f"running speed has {len(speed)} frames")
    for table in answers["get_stimulus_table"]:
        expect(len(table) > 0 and table["end"].max() <= frames, "a stimulus table is out of range")
        expect((table["end"] > table["start"]).all(), "a presentation has no frames")
    masks = answers["get_roi_mask_array"][0]
    expect(masks.shape[0] == len(ids) and (masks.sum((1, 2)) > 0).all(), "masks are empty")
    expect(len(answers["get_neuropil_r"][0]) == len(ids), "neuropil r is not one per cell")
    expect(len(answers["get_motion_correction"][0]) == frames, "motion correction is not whole")
    metadata = answers["get_metadata"][0]
    missing = [key for key in ("cre_line", "device_name", "imaging_depth_um") if not metadata[key]]
    expect(not missing, f"metadata lacks {missing}")
    return len(getters)


def compare_directions(data: BrainObservatoryNwbDataSet, truth: Path) -> tuple[int, int, int]:
    """Cells that agree within 45 degrees, cells compared, responsive cells."""
    analysis = DriftingGratings(data)
    peak = analysis.peak
    found = analysis.orivals[peak["ori_dg"].astype(int)]
    with h5py.File(truth, "r") as file:
        cells = {name: values[()] for name, values in file["cells"].items()}
    ids = peak["cell_specimen_id"].to_numpy(np.int64)
    expect((ids == cells["cell_specimen_id"]).all(), "cells of truth and NWB differ")
    responsive = peak["ptest_dg"].to_numpy(float) < RESPONSIVE_P
    compared = responsive & (cells["direction_index"] > CLEAR_DIRECTION_INDEX)
    error = np.abs((found - cells["preferred_direction_deg"] + 180) % 360 - 180)
    return int((error <= 45)[compared].sum()), int(compared.sum()), int(responsive.sum())


def main(results: Path) -> None:
    """Check every session of a results folder; exits with 1 and a line where one fails."""
    warnings.filterwarnings("ignore")
    files = sorted((results / "raw").glob("*.nwb"))
    expect(bool(files), f"no NWB files in {results / 'raw'}: simulate some sessions first")
    agree = compared = 0
    for path in files:
        data = BrainObservatoryNwbDataSet(str(path))
        try:
            getters = check_getters(data)
        except Exception as error:
            raise CheckError(f"{path.name}: {type(error).__name__}: {error}") from error
        line = f"{path.name} {data.get_session_type()}: {getters} getters"
        if "drifting_gratings" in data.list_stimuli():
            near, clear, responsive = compare_directions(data, results / f"truth/{path.stem}.h5")
            agree, compared = agree + near, compared + clear
            line += f"; {responsive} responsive cells, {near} of {clear} directional ones agree"
        print(line, flush=True)
    expect(compared >= FEWEST_CELLS, f"only {compared} cells to compare: simulate more")
    share = agree / compared
    print(f"preferred direction within 45 degrees of the truth: {share:.2f} of {compared}")
    expect(share >= LEAST_AGREEMENT, f"agreement {share:.2f} is below {LEAST_AGREEMENT}")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except CheckError as failure:
        sys.exit(f"check_allensdk: {failure}")

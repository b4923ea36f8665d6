"""Tiny recordings in the NWB 1.0 layout, written here so that no simulator is needed."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

CELLS, FRAMES, RATE = 5, 3000, 30.0
PIPELINE = "processing/brain_observatory_pipeline"


def text(file: h5py.File, **values: str) -> None:
    for key, value in values.items():
        file[f"general/{key}"] = np.bytes_(value)


def stimulus(file: h5py.File, name: str, frames, data, features=()) -> None:
    group = file.create_group(f"stimulus/presentation/{name}_stimulus")
    group["frame_duration"] = np.asarray(frames, dtype=np.int64)
    group["data"] = np.asarray(data)
    if features:
        group["features"] = np.array(features, dtype="S")


def series(file: h5py.File, key: str, data: np.ndarray, time: np.ndarray) -> None:
    file[f"{PIPELINE}/{key}/data"] = data
    file[f"{PIPELINE}/{key}/timestamps"] = time


def write_nwb(path: Path, edit: Callable[[h5py.File], None] | None = None) -> Path:
    """A recording: 24 gratings, two of them blank, and three repeats of a short movie.

    `edit` is called with the open file, to break it.
    """
    rng = np.random.default_rng(0)
    time = 10 + np.arange(FRAMES) / RATE
    with h5py.File(path, "w") as file:
        text(file, session_id=path.stem, experiment_container_id="7")
        text(file, specimen_name="Cux2-CreERT2;Ai93-1", session_type="three_session_A")
        text(file, **{"subject/genotype": "Cux2-CreERT2/wt;Camk2a-tTA/wt;Ai93(TITL)/wt"})
        text(file, **{"subject/sex": "male", "subject/age": "103 days"})
        plane = "optophysiology/imaging_plane_1"
        text(file, **{f"{plane}/location": "VISp", f"{plane}/imaging depth": "275 microns"})
        fluorescence = rng.normal(100, 5, (CELLS, FRAMES)).astype(np.float32)
        series(file, "Fluorescence/imaging_plane_1", fluorescence, time)
        series(file, "DfOverF/imaging_plane_1", fluorescence / 100 - 1, time)
        neuropil = "Fluorescence/imaging_plane_1_neuropil_response"
        series(file, neuropil, np.full_like(fluorescence, 10), time)
        file[f"{PIPELINE}/{neuropil}/r"] = np.full(CELLS, 0.5)
        file[f"{PIPELINE}/ImageSegmentation/cell_specimen_ids"] = np.arange(CELLS) + 500
        series(file, "BehavioralTimeSeries/running_speed", np.arange(100.0), time[200:300])
        series(file, "PupilTracking/pupil_size", np.arange(FRAMES / 2), time[::2])
        onset = 90 * np.arange(24)
        direction = np.where(np.arange(24) % 12 == 11, np.nan, np.arange(24) % 4 * 45.0)
        rows = np.stack([direction * 0 + 2.0, direction, np.isnan(direction)], axis=1)
        features = ("temporal_frequency", "orientation", "blank_sweep")
        ends = np.stack([onset, onset + 60], axis=1)
        stimulus(file, "drifting_gratings", ends, rows, features)
        movie = 2200 + np.arange(3 * 90)
        shown = np.stack([movie, movie + 1], axis=1)
        stimulus(file, "natural_movie_one", shown, np.arange(3 * 90) % 90)
        stimulus(file, "spontaneous", [[2500, 2500], [2700, 2700]], [1, -1])
        if edit:
            edit(file)
    return path


@pytest.fixture
def nwb(tmp_path) -> Callable[..., Path]:
    """Write that recording under a name."""
    return lambda name="100.nwb", edit=None: write_nwb(tmp_path / name, edit)

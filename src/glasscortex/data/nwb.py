"""Read a recording in the NWB 1.0 layout of the Allen Brain Observatory.

Tolerates what real files lack: running speed, pupil, the demixed signal, genotype, depth. What
cannot be used raises an error of one line that names the file and the remedy.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glasscortex.data.hdf5 import Hdf5File, opened
from glasscortex.data.metadata import Metadata, metadata
from glasscortex.data.stimuli import stimuli
from glasscortex.errors import InputError

PIPELINE = "processing/brain_observatory_pipeline"
STORED_DFF = f"{PIPELINE}/DfOverF/imaging_plane_1"
FLUORESCENCE = f"{PIPELINE}/Fluorescence/imaging_plane_1"
DEMIXED = f"{PIPELINE}/Fluorescence/imaging_plane_1_demixed_signal"
NEUROPIL = f"{PIPELINE}/Fluorescence/imaging_plane_1_neuropil_response"
RUNNING_SPEED = f"{PIPELINE}/BehavioralTimeSeries/running_speed"
PUPIL = (f"{PIPELINE}/PupilTracking/pupil_size", f"{PIPELINE}/EyeTracking/pupil_size")
MOTION = f"{PIPELINE}/MotionCorrection/2p_image_series/xy_translation"
TRACES = (STORED_DFF, FLUORESCENCE, DEMIXED, NEUROPIL)

logger = logging.getLogger(__name__)

LEAST_MEASURED = 0.5
"""Share of the imaging frames below which a trace of behaviour is warned of."""

FRAME_RATES_HZ = (2.0, 1000.0)
"""Slowest and fastest imaging; timestamps of another rate are not in seconds."""


@dataclass(frozen=True)
class Recording:
    """One recording; traces are read from the file by blocks of cells."""

    path: Path
    metadata: Metadata
    cell_specimen_ids: np.ndarray
    """(cells,)"""
    time: np.ndarray
    """Seconds of the imaging frames, (frames,)."""
    behaviour: dict[str, np.ndarray]
    """running_speed (cm/s) and pupil where measured, on imaging frames: float32 (frames,)."""
    stimuli: dict[str, dict[str, np.ndarray]]
    """Columns of each stimulus; `start` and `end` are imaging frames, half-open."""

    @property
    def frame_rate_hz(self) -> float:
        """Imaging frames a second."""
        return float(1 / np.median(np.diff(self.time)))

    def stored_dff(self, cells: slice) -> np.ndarray:
        """ΔF/F as the file holds it, float32 (cells, frames).

        Raises
        ------
        InputError
            The file holds none.
        """
        with _open(self.path) as file:
            return self._traces(file, STORED_DFF, cells, "set preprocess.dff to windowed_median")

    def fluorescence(self, cells: slice) -> np.ndarray:
        """Fluorescence, demixed where the file has it, float32 (cells, frames).

        Raises
        ------
        InputError
            The file holds none.
        """
        with _open(self.path) as file:
            source = DEMIXED if f"{DEMIXED}/data" in file else FLUORESCENCE
            return self._traces(file, source, cells, "set preprocess.dff to stored")

    def neuropil(self, cells: slice) -> np.ndarray:
        """Fluorescence of the neuropil around each cell, float32 (cells, frames).

        Raises
        ------
        InputError
            The file holds none.
        """
        with _open(self.path) as file:
            return self._traces(file, NEUROPIL, cells, "set preprocess.neuropil to none")

    @property
    def has_neuropil_r(self) -> bool:
        """Whether the file holds a neuropil signal and its r."""
        with _open(self.path) as file:
            return f"{NEUROPIL}/data" in file and f"{NEUROPIL}/r" in file

    def neuropil_r(self, cells: slice) -> np.ndarray | None:
        """The r that the file holds with its neuropil, float32 (cells,); none: it has none."""
        if not self.has_neuropil_r:
            return None
        with _open(self.path) as file:
            return file.rows(f"{NEUROPIL}/r", cells, (len(self.cell_specimen_ids),))

    def corrected_fluorescence(self, cells: slice) -> np.ndarray:
        """Fluorescence less r times the neuropil's, r as the file has it, float32 (cells, frames).

        As AllenSDK's `get_corrected_fluorescence_traces`; without a neuropil signal and its r
        the fluorescence is used as it is.

        Raises
        ------
        InputError
            The file holds no fluorescence.
        """
        traces, r = self.fluorescence(cells), self.neuropil_r(cells)
        return traces if r is None else traces - r[:, None] * self.neuropil(cells)

    def _traces(self, file: Hdf5File, group: str, cells: slice, remedy: str) -> np.ndarray:
        if f"{group}/data" not in file:
            raise _lacks(file, f"{group}/data", remedy)
        shape = (len(self.cell_specimen_ids), len(self.time))
        return file.rows(f"{group}/data", cells, shape)


def read_metadata(path: Path) -> Metadata:
    """Metadata of an NWB file.

    Raises
    ------
    InputError
        The file is no readable NWB file of the Allen layout.
    """
    with _open(path) as file:
        return metadata(file)


def read(path: Path) -> Recording:
    """Open a recording and check everything but the values of its traces.

    Raises
    ------
    InputError
        The file is no readable NWB file of the Allen layout, or a stimulus table does not fit
        the recording.
    """
    with _open(path) as file:
        time = _timestamps(file)
        behaviour = {}
        for name, groups in (("running_speed", (RUNNING_SPEED,)), ("pupil", PUPIL)):
            series = next((group for group in groups if f"{group}/data" in file), None)
            if series and np.prod(file.shape(f"{series}/data")) > 1:
                behaviour[name] = _on_frames(file, series, time)
        return Recording(
            path=path,
            metadata=metadata(file),
            cell_specimen_ids=_cell_specimen_ids(file),
            time=time,
            behaviour=behaviour,
            stimuli=stimuli(file, time),
        )


def read_motion(path: Path) -> np.ndarray | None:
    """Shift of every frame that motion correction undid, pixels in x and y, (frames, 2).

    None where the file holds none.

    Raises
    ------
    InputError
        The file is no readable NWB file of the Allen layout.
    """
    with _open(path) as file:
        return file.numbers(f"{MOTION}/data", ndim=2) if f"{MOTION}/data" in file else None


@contextmanager
def _open(path: Path) -> Iterator[Hdf5File]:
    with opened(path) as file:
        if PIPELINE not in file:
            raise InputError(
                f"{path} is not in the Allen NWB 1.0 layout (it lacks /{PIPELINE}): remove it"
            )
        yield file


def _lacks(file: Hdf5File, key: str, remedy: str) -> InputError:
    return InputError(f"{file.path} holds no /{key}: {remedy}")


def _timestamps(file: Hdf5File) -> np.ndarray:
    group = next((g for g in (STORED_DFF, FLUORESCENCE) if f"{g}/timestamps" in file), None)
    if group is None:
        raise InputError(
            f"{file.path} holds neither /{STORED_DFF} nor /{FLUORESCENCE} with timestamps: "
            "remove the file"
        )
    key = f"{group}/timestamps"
    time = file.numbers(key).astype(np.float64)
    steps = np.diff(time)
    if len(time) < 2 or not np.isfinite(time).all() or not (steps > 0).all():
        raise file.error(key, "do not rise", "remove the file")
    step = float(np.median(steps))
    slowest, fastest = FRAME_RATES_HZ
    if not 1 / fastest <= step <= 1 / slowest:
        raise file.error(
            key,
            f"are {step:g} apart, a rate of {1 / step:.3g} Hz if they are seconds",
            "write seconds in place of milliseconds, frame numbers or the like",
        )
    gaps = int((steps > 2 * step).sum())
    if gaps:
        logger.warning(
            "%s: /%s has %d gaps, the longest of %.3g s: what is shown there is cut from the "
            "frames around it",
            file.path,
            key,
            gaps,
            steps.max(),
        )
    return time


def _cell_specimen_ids(file: Hdf5File) -> np.ndarray:
    key = f"{PIPELINE}/ImageSegmentation/cell_specimen_ids"
    if key not in file:
        raise _lacks(file, key, "remove the file")
    cells = file.whole(key, "ids of cells")
    if len(np.unique(cells)) < len(cells) or len(cells) == 0:
        raise file.error(key, "is empty or repeats itself", "remove the file")
    return cells


def _on_frames(file: Hdf5File, series: str, time: np.ndarray) -> np.ndarray:
    """The measurement nearest to each frame (frames,); NaN where none is within one period."""
    values = file.numbers(f"{series}/data")
    timestamps = np.empty(0)
    if f"{series}/timestamps" in file:
        timestamps = file.numbers(f"{series}/timestamps").astype(np.float64)
    if len(timestamps) != len(values):
        raise file.error(
            series, "has not one timestamp for each value", "remove the file or mend it"
        )
    if not (np.diff(timestamps) > 0).all():
        logger.warning(
            "%s: /%s is of little use, its timestamps do not rise: mend them", file.path, series
        )
    after = np.searchsorted(timestamps, time).clip(1, len(timestamps) - 1)
    nearest = after - (time - timestamps[after - 1] < timestamps[after] - time)
    period = max(np.median(np.diff(time)), np.median(np.diff(timestamps)))
    near = np.abs(timestamps[nearest] - time) < period
    if near.mean() < LEAST_MEASURED:
        logger.warning(
            "%s: /%s is measured on %.0f %% of the imaging frames, are its timestamps seconds on "
            "their clock? What depends on it has few or no labels",
            file.path,
            series,
            100 * near.mean(),
        )
    return np.where(near, values[nearest], np.nan).astype(np.float32)

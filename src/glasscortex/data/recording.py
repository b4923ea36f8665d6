"""A recording, whatever the format of its file, and what every format is held to."""

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glasscortex.data.metadata import Metadata
from glasscortex.errors import InputError

LEAST_MEASURED = 0.5
"""Share of the imaging frames below which a trace of behaviour is warned of."""

FRAME_RATES_HZ = (2.0, 1000.0)
"""Slowest and fastest imaging; timestamps of another rate are not in seconds."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recording(ABC):
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

    @abstractmethod
    def stored_dff(self, cells: slice) -> np.ndarray:
        """ΔF/F as the file holds it, float32 (cells, frames).

        Raises
        ------
        InputError
            The file holds none.
        """

    @abstractmethod
    def fluorescence(self, cells: slice) -> np.ndarray:
        """Fluorescence, demixed where the file has it, float32 (cells, frames).

        Raises
        ------
        InputError
            The file holds none.
        """

    @abstractmethod
    def neuropil(self, cells: slice) -> np.ndarray:
        """Fluorescence of the neuropil around each cell, float32 (cells, frames).

        Raises
        ------
        InputError
            The file holds none.
        """

    @property
    @abstractmethod
    def signals(self) -> frozenset[str]:
        """What the file holds of dff, fluorescence, neuropil and neuropil_r."""

    @property
    @abstractmethod
    def has_neuropil_r(self) -> bool:
        """Whether the file holds a neuropil signal and its r."""

    @abstractmethod
    def neuropil_r(self, cells: slice) -> np.ndarray | None:
        """The r that the file holds with its neuropil, float32 (cells,); none: it has none."""

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

    @abstractmethod
    def check_traces(self) -> None:
        """Check that all traces are there whole, without reading them.

        Raises
        ------
        InputError
            One has other cells or frames than the recording.
        """


def checked_time(path: Path, key: str, time: np.ndarray) -> np.ndarray:
    """Times of the imaging frames, once they can be seconds; gaps are warned of.

    Parameters
    ----------
    path : Path
        The file, for messages.
    key : str
        Where it holds them.
    time : numpy.ndarray
        (frames,)

    Returns
    -------
    numpy.ndarray
        float64 (frames,).

    Raises
    ------
    InputError
        They do not rise, or give no rate of imaging.
    """
    time = time.astype(np.float64)
    steps = np.diff(time)
    if len(time) < 2 or not np.isfinite(time).all() or not (steps > 0).all():
        raise InputError(f"{path}: /{key} do not rise: remove the file")
    step = float(np.median(steps))
    slowest, fastest = FRAME_RATES_HZ
    if not 1 / fastest <= step <= 1 / slowest:
        raise InputError(
            f"{path}: /{key} are {step:g} apart, a rate of {1 / step:.3g} Hz if they are seconds: "
            "write seconds in place of milliseconds, frame numbers or the like"
        )
    gaps = int((steps > 2 * step).sum())
    if gaps:
        logger.warning(
            "%s: /%s has %d gaps, the longest of %.3g s: what is shown there is cut from the "
            "frames around it",
            path,
            key,
            gaps,
            steps.max(),
        )
    return time


def checked_ids(path: Path, key: str, ids: np.ndarray) -> np.ndarray:
    """Ids of the cells, once each is of one cell.

    Parameters
    ----------
    path : Path
        The file, for messages.
    key : str
        Where it holds them.
    ids : numpy.ndarray
        int64 (cells,).

    Returns
    -------
    numpy.ndarray
        The same.

    Raises
    ------
    InputError
        There is none, or one is there twice.
    """
    if len(np.unique(ids)) < len(ids) or len(ids) == 0:
        raise InputError(f"{path}: /{key} is empty or repeats itself: remove the file")
    return ids


def on_frames(
    path: Path, key: str, values: np.ndarray, timestamps: np.ndarray, time: np.ndarray
) -> np.ndarray:
    """The measurement nearest to each imaging frame; NaN where none is finite within one period.

    Timestamps that do not rise, or that few frames lie near to, are warned of.

    Parameters
    ----------
    path : Path
        The file, for messages.
    key : str
        Where it holds the series.
    values, timestamps : numpy.ndarray
        What was measured when, in seconds, (measurements,) each.
    time : numpy.ndarray
        Seconds of the imaging frames, (frames,).

    Returns
    -------
    numpy.ndarray
        float32 (frames,).

    Raises
    ------
    InputError
        Values and timestamps differ in number.
    """
    if len(timestamps) != len(values):
        raise InputError(
            f"{path}: /{key} has not one timestamp for each value: remove the file or mend it"
        )
    if not (np.diff(timestamps) > 0).all():
        logger.warning("%s: /%s is of little use, its timestamps do not rise: mend them", path, key)
    after = np.searchsorted(timestamps, time).clip(1, len(timestamps) - 1)
    nearest = after - (time - timestamps[after - 1] < timestamps[after] - time)
    period = max(np.median(np.diff(time)), np.median(np.diff(timestamps)))
    near = np.abs(timestamps[nearest] - time) < period
    if near.mean() < LEAST_MEASURED:
        logger.warning(
            "%s: /%s is measured on %.0f %% of the imaging frames, are its timestamps seconds on "
            "their clock? What depends on it has few or no labels",
            path,
            key,
            100 * near.mean(),
        )
    with np.errstate(over="ignore"):
        measured = values[nearest].astype(np.float32)
    return np.where(near & np.isfinite(measured), measured, np.float32("nan"))

"""From firing rates to fluorescence: spikes, GCaMP6f, bleaching, neuropil, photon noise."""

from dataclasses import dataclass

import numpy as np

from glasscortex.data.synthetic.leaky import fluctuation, leaky_sum

RISE_S, DECAY_S = 0.02, 0.205
"""Time constants of a spike's transient: it peaks after 52 ms and then halves in about 0.15 s
(GCaMP6f in mouse V1, Chen et al. 2013: 45 ms and 142 ms). Amplitudes add up without saturation
(choice); their size is `spike_dff` of the cell."""
BLEACHING, BLEACHING_S = 0.12, 2400.0
"""Fraction of the fluorescence that bleaches away, and how fast. Choice."""
NEUROPIL_COUNTS = 250.0
"""Resting fluorescence around cells, in counts. Choice."""
NEUROPIL_POPULATION = 0.2
"""ΔF/F of the neuropil per ΔF/F of the mean cell: it sums the neighbourhood. Choice."""
NEUROPIL_SD, NEUROPIL_S = 0.06, 1.0
"""Fluctuation of the neuropil around each cell beside that, in ΔF/F, and its time constant.
Choice."""
NOISE = 1.3
"""A frame's noise is this times the square root of its counts (photons, through the detector's
gain): about a tenth of a cell's resting fluorescence. Choice."""
NEUROPIL_PIXELS = 25.0
"""The neuropil is averaged over so many times more pixels than the cell. Choice."""


@dataclass(frozen=True)
class Fluorescence:
    """What the microscope sees, in counts.

    Attributes
    ----------
    measured : numpy.ndarray
        (cells, frames) of the cell's mask: F_measured = F_cell + r F_neuropil.
    neuropil : numpy.ndarray
        (cells, frames) around the cell.
    """

    measured: np.ndarray
    neuropil: np.ndarray


def calcium(spikes: np.ndarray, frame_rate_hz: float) -> np.ndarray:
    """(cells, frames): each spike adds a difference of two exponentials whose peak is 1.

    Parameters
    ----------
    spikes : numpy.ndarray
        (cells, frames) counts; a spike is placed at the start of its frame.
    """
    peak_s = np.log(DECAY_S / RISE_S) / (1 / RISE_S - 1 / DECAY_S)
    peak = np.exp(-peak_s / DECAY_S) - np.exp(-peak_s / RISE_S)
    decaying = leaky_sum(spikes, DECAY_S * frame_rate_hz)
    decaying -= leaky_sum(spikes, RISE_S * frame_rate_hz)
    return decaying / peak


def fluorescence(
    rate: np.ndarray,
    cells: dict[str, np.ndarray],
    frame_rate_hz: float,
    rng: np.random.Generator,
) -> Fluorescence:
    """The fluorescence of cells and of the neuropil around them.

    Parameters
    ----------
    rate : numpy.ndarray
        (cells, frames) spikes per second.
    cells : dict of str to numpy.ndarray
        Parameter -> (cells,), from `cells.draw`.
    """
    spikes = rng.poisson(rate / frame_rate_hz)
    dff = cells["spike_dff"][:, None] * calcium(spikes, frame_rate_hz)
    seconds = np.arange(rate.shape[1]) / frame_rate_hz
    bleached = 1 - BLEACHING * (1 - np.exp(-seconds / BLEACHING_S))
    cell = cells["resting_counts"][:, None] * bleached * (1 + dff)
    around = NEUROPIL_SD * fluctuation(rate.shape, NEUROPIL_S * frame_rate_hz, rng)
    around += 1 + NEUROPIL_POPULATION * dff.mean(0)
    around *= NEUROPIL_COUNTS * bleached
    measured = cell + cells["neuropil_r"][:, None] * around
    measured += NOISE * np.sqrt(measured) * rng.standard_normal(rate.shape)
    around += NOISE * np.sqrt(around / NEUROPIL_PIXELS) * rng.standard_normal(rate.shape)
    return Fluorescence(measured, around)

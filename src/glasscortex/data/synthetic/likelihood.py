"""How likely spikes are under each condition, where the level of each cell's gain is not known."""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm

LEVELS = np.linspace(-5, 5, 21)
"""Levels of a cell's own fluctuation, in standard deviations, that its likelihood is a sum over."""


@dataclass(frozen=True)
class Stretches:
    """What the observer is told of some presentations, frame by frame to the end of the window.

    Attributes
    ----------
    spikes : numpy.ndarray
        (presentations, cells, frames) counts.
    log_gain : numpy.ndarray
        (presentations, cells, frames) what is known of it.
    loading : numpy.ndarray
        (cells, frames) on the log gain, of the level that is not known, a standard normal.
    around : numpy.ndarray
        (presentations, cells, frames) spikes expected without gain, 0 during the response.
    response : numpy.ndarray
        (conditions, cells, frames of the response) the same, of each condition.
    own : slice
        The frames of the response.
    """

    spikes: np.ndarray
    log_gain: np.ndarray
    loading: np.ndarray
    around: np.ndarray
    response: np.ndarray
    own: slice


def log_likelihood(stretches: Stretches) -> np.ndarray:
    """(presentations, conditions) log likelihood of each condition, up to a constant a row.

    Spikes are Poisson, frame by frame, at expected · exp(log gain + level · loading), and each
    cell's level is summed over (`LEVELS`).
    """
    own = stretches.own
    total = np.zeros((len(stretches.spikes), len(stretches.response)))
    for cell, loading in enumerate(stretches.loading):
        spikes, response = stretches.spikes[:, cell], stretches.response[:, cell]
        gain, by_level = np.exp(stretches.log_gain[:, cell]), np.exp(np.outer(LEVELS, loading))
        around = (gain * stretches.around[:, cell]) @ by_level.T
        of_level = np.outer(spikes @ loading, LEVELS) + norm.logpdf(LEVELS) - around
        expected = (gain[:, None, own] * by_level[:, own]) @ response.T
        total += logsumexp(of_level[:, :, None] - expected, axis=1)
        total += spikes[:, own] @ np.log(response).T
    return total


def split_level(
    fluctuations: np.ndarray, own: slice, time_constant: float
) -> tuple[np.ndarray, np.ndarray]:
    """The level of a first-order fluctuation, which what else is told of it says nothing of.

    Past and future of the fluctuation depend on each other through the present alone. So given
    its value in the first frame, the level (the scaled mean over the response of what that value
    does not foretell) is a standard normal, and independent of the fluctuation before and of the
    fluctuation less level times loading.

    Parameters
    ----------
    fluctuations : numpy.ndarray
        (…, 1 + frames) of unit variance.
    own : slice
        The frames of the response, counted without the first.
    time_constant : float
        In frames.

    Returns
    -------
    loading : numpy.ndarray
        (frames,)
    level : numpy.ndarray
        (…,)
    """
    frame = np.arange(1, fluctuations.shape[-1])
    apart, since = np.abs(np.subtract.outer(frame, frame)), np.add.outer(frame, frame)
    covariance = np.exp(-apart / time_constant) - np.exp(-since / time_constant)
    scale = np.sqrt(covariance[own, own].sum())
    surprise = fluctuations[..., 1:] - fluctuations[..., :1] * np.exp(-frame / time_constant)
    return covariance[:, own].sum(axis=1) / scale, surprise[..., own].sum(axis=-1) / scale

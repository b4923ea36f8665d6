"""First-order filters: traces that forget exponentially."""

import numpy as np
from numba import njit


def leaky_sum(trace: np.ndarray, frames: float) -> np.ndarray:
    """y[t] = x[t] + exp(-1/frames) y[t - 1] along the last axis.

    Parameters
    ----------
    frames : float
        Time constant.
    """
    summed = np.array(trace, dtype=float, order="C")
    _forget(summed.reshape(-1, summed.shape[-1]), np.exp(-1 / frames))
    return summed


def smoothed(trace: np.ndarray, frames: float) -> np.ndarray:
    """Exponentially weighted mean of the past along the last axis."""
    return (1 - np.exp(-1 / frames)) * leaky_sum(trace, frames)


def fluctuation(
    shape: int | tuple[int, ...], frames: float, rng: np.random.Generator
) -> np.ndarray:
    """Stationary first-order (AR1) noise of unit variance along the last axis.

    Parameters
    ----------
    frames : float
        Time constant.
    """
    noise = rng.standard_normal(shape)
    noise[..., 1:] *= np.sqrt(1 - np.exp(-2 / frames))
    return leaky_sum(noise, frames)


@njit(cache=True)
def _forget(traces, kept):
    """As scipy.signal.lfilter does, whose import takes longer than a session's filters."""
    for trace in traces:
        for t in range(1, len(trace)):
            trace[t] += kept * trace[t - 1]

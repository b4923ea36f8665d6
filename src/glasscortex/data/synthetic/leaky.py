"""First-order filters: traces that forget exponentially."""

import numpy as np


def leaky_sum(trace: np.ndarray, frames: float) -> np.ndarray:
    """y[t] = x[t] + exp(-1/frames) y[t - 1] along the last axis.

    Parameters
    ----------
    frames : float
        Time constant.
    """
    from scipy.signal import lfilter  # half a second to import

    return lfilter([1.0], [1.0, -np.exp(-1 / frames)], trace, axis=-1)


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

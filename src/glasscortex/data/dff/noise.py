"""The noise of a trace, robust to its transients."""

import numpy as np

from glasscortex.data.dff.running import Sorted

NOISE_S = 31 / 30
"""Window of the median that is removed first: AllenSDK's 31 frames at 30 Hz."""


def odd(seconds: float, frame_rate_hz: float, frames: int) -> int:
    """The odd number of frames nearest to a time, or the largest one up to `frames`."""
    nearest = 2 * round((seconds * frame_rate_hz - 1) / 2) + 1
    return max(1, min(nearest, frames - (frames + 1) % 2))


def noise_sd(trace: np.ndarray, window: int, ordered: Sorted | None = None) -> float:
    """Standard deviation of a trace's noise, robust to transients.

    The running median is removed, then peaks above 1.5 times the deepest trough, then what
    lies beyond 2.5 robust standard deviations (1.4826 times the median absolute deviation).

    Parameters
    ----------
    trace : numpy.ndarray
        (frames,), finite.
    window : int
        Frames of the running median, odd.
    ordered : Sorted, optional
        The trace sorted between zeros, where it is at hand.

    References
    ----------
    AllenSDK, `allensdk.brain_observatory.dff.noise_std`.
    """
    ordered = ordered or Sorted(trace, window)
    residual = ordered.median(window)
    np.subtract(trace, residual, out=residual)
    residual = residual[residual < 1.5 * np.abs(residual.min())]
    residual = residual[np.abs(residual) < 2.5 * _robust_sd(residual)]
    return _robust_sd(residual)


def _robust_sd(values: np.ndarray) -> float:
    if len(values) == 0:
        return 0.0
    deviation = values - _median(values)
    return float(1.4826 * _median(np.abs(deviation, out=deviation)))


def _median(values: np.ndarray) -> float:
    # np.median takes six times as long: a partition at two places is slow
    upper = len(values) // 2
    around = np.partition(values, upper)
    lower = around[upper] if len(values) % 2 else around[:upper].max()
    return 0.5 * (lower + around[upper])

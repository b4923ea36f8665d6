"""ΔF/F: the relative change of fluorescence against a slow baseline."""

import numpy as np
from scipy.ndimage import median_filter

BASELINE_S = 5401 / 30
TREND_S = 101 / 30
NOISE_S = 31 / 30
"""Windows of AllenSDK: 5401, 101 and 31 frames at 30 Hz."""


def windowed_median(fluorescence: np.ndarray, frame_rate_hz: float) -> np.ndarray:
    """ΔF/F against a running median, the default method of the Allen Brain Observatory.

    With b the median of F over 5401 frames, dff = (F - b) / max(b, σ_F); then the median of
    dff over 101 frames, at most 2.5 σ_dff, is subtracted (slow drift, but no long transients). σ is
    the noise, see `noise_sd`. As in AllenSDK the ends are padded with zeros. Windows are
    scaled from 30 Hz to the frame rate; a window longer than the recording is cut to it.

    Parameters
    ----------
    fluorescence
        Neuropil-corrected fluorescence (cells, frames), finite.
    frame_rate_hz
        Imaging frames a second.

    Returns
    -------
    numpy.ndarray
        ΔF/F, float32 (cells, frames); 0 for a cell whose fluorescence is 0 throughout.

    References
    ----------
    AllenSDK, `allensdk.brain_observatory.dff.compute_dff_windowed_median`.
    """
    frames = fluorescence.shape[1]
    baseline, trend, noise = (
        _odd(seconds * frame_rate_hz, frames) for seconds in (BASELINE_S, TREND_S, NOISE_S)
    )
    dff = np.empty(fluorescence.shape, np.float32)
    for cell, trace in enumerate(fluorescence.astype(np.float64)):
        slow = _running_median(trace, baseline)
        scale = np.maximum(slow, noise_sd(trace, noise))
        change = np.divide(trace - slow, scale, out=np.zeros(frames), where=scale > 0)
        drift = np.minimum(_running_median(change, trend), 2.5 * noise_sd(change, noise))
        dff[cell] = change - drift
    return dff


def noise_sd(trace: np.ndarray, window: int) -> float:
    """Standard deviation of a trace's noise, robust to transients.

    The running median is removed, then peaks above 1.5 times the deepest trough, then what
    lies beyond 2.5 robust standard deviations (1.4826 times the median absolute deviation).

    Parameters
    ----------
    trace
        (frames,)
    window
        Frames of the running median, odd.
    """
    residual = trace - _running_median(trace, window)
    residual = residual[residual < 1.5 * np.abs(residual.min())]
    residual = residual[np.abs(residual) < 2.5 * _robust_sd(residual)]
    return _robust_sd(residual)


def _robust_sd(values: np.ndarray) -> float:
    if len(values) == 0:
        return 0.0
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def _running_median(trace: np.ndarray, window: int) -> np.ndarray:
    # In one dimension SciPy ≥ 1.17 needs O(log window) a frame; a (1, window) filter does not.
    return median_filter(trace, window, mode="constant")


def _odd(frames: float, limit: int) -> int:
    """The odd number nearest to `frames`, or the largest up to `limit`."""
    nearest = 2 * round((frames - 1) / 2) + 1
    return max(1, min(nearest, limit - (limit + 1) % 2))

"""ΔF/F: the relative change of fluorescence against a slow baseline.

The methods differ in the baseline b and in what stands for it where it sinks to the noise, to zero
or below; these frames are counted. σ is the noise, see `noise_sd`. Windows are times, so any frame
rate will do.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from glasscortex.data.dff.noise import NOISE_S, noise_sd, odd
from glasscortex.data.dff.running import Sorted, running_mean, running_mode

MEDIAN_S = 5401 / 30
TREND_S = 101 / 30
MODE_S = 5400 / 30
MEAN_S = 3000 / 30
"""Windows of AllenSDK: 5401, 101, 5400 and 3000 frames at 30 Hz."""


class Change(NamedTuple):
    """ΔF/F of some cells.

    Attributes
    ----------
    dff : numpy.ndarray
        float32 (cells, frames); NaN for a cell for which the method has none.
    noise : numpy.ndarray
        σ of ΔF/F, (cells,); NaN with it.
    low_baseline : numpy.ndarray
        Fraction of frames whose baseline is not above σ_F, (cells,).
    """

    dff: np.ndarray
    noise: np.ndarray
    low_baseline: np.ndarray


def windowed_median(fluorescence: np.ndarray, frame_rate_hz: float, *, threads: int = 1) -> Change:
    """ΔF/F against a running median, the default method of the Allen Brain Observatory.

    With b the median of F over 5401 frames, dff = (F - b) / max(b, σ_F); then the median of
    dff over 101 frames, at most 2.5 σ_dff, is subtracted (slow drift, but no long transients). As
    in AllenSDK the ends are padded with zeros, so b is too low in the first and last 90 s, and at
    the very ends the minimum of the half window. Windows are scaled from 30 Hz to the frame rate; a
    window longer than the recording is cut to it.

    Parameters
    ----------
    fluorescence : numpy.ndarray
        Neuropil-corrected fluorescence (cells, frames), finite.
    frame_rate_hz : float
        Imaging frames a second.
    threads : int
        Cells that are computed at a time; the result is the same for any number.

    Returns
    -------
    Change
        `noise` is σ_dff, before the slow drift is subtracted. A cell whose fluorescence is 0
        throughout has no change.

    References
    ----------
    AllenSDK, `allensdk.brain_observatory.dff.compute_dff_windowed_median`.
    """
    frames = fluorescence.shape[1]
    baseline, trend, noise = (
        odd(seconds, frame_rate_hz, frames) for seconds in (MEDIAN_S, TREND_S, NOISE_S)
    )

    def one(trace: np.ndarray) -> tuple[np.ndarray, float, float]:
        ordered = Sorted(trace, max(baseline, noise))
        change, low = _relative(trace, ordered.median(baseline), noise_sd(trace, noise, ordered))
        ordered = Sorted(change, max(trend, noise))
        sd = noise_sd(change, noise, ordered)
        drift = ordered.median(trend)
        change -= np.minimum(drift, 2.5 * sd, out=drift)
        return change, sd, low

    return _each(fluorescence, one, threads)


def windowed_mode(fluorescence: np.ndarray, frame_rate_hz: float, *, threads: int = 1) -> Change:
    """ΔF/F against a running mode, the Allen Brain Observatory's earlier method.

    b is the mode over 5400 frames of F rounded to integers, averaged over 3000 frames, and
    dff = (F - b) / b. A cell whose b is anywhere 0 or below has none: AllenSDK turns the sign of
    its ΔF/F there, or makes it infinite. Windows are scaled from 30 Hz to the frame rate; one that
    is not shorter than the recording becomes a half (mode) or a quarter (mean) of it. F is in
    counts: on a scale of a few units the mode is coarse.

    Parameters
    ----------
    fluorescence : numpy.ndarray
        As for `windowed_median`.
    frame_rate_hz : float
        Imaging frames a second.
    threads : int
        As for `windowed_median`.

    References
    ----------
    AllenSDK, `allensdk.brain_observatory.dff.compute_dff_windowed_mode`.
    """
    frames = fluorescence.shape[1]
    mode, mean = (
        _even(seconds * frame_rate_hz, frames, part) for seconds, part in ((MODE_S, 2), (MEAN_S, 4))
    )
    noise = odd(NOISE_S, frame_rate_hz, frames)

    def one(trace: np.ndarray) -> tuple[np.ndarray, float, float]:
        slow = running_mean(running_mode(trace, mode), mean)
        low = float((slow <= noise_sd(trace, noise)).mean())
        if slow.min() <= 0:
            return np.full(frames, np.nan), np.nan, low
        change = trace - slow
        change /= slow
        return change, noise_sd(change, noise), low

    return _each(fluorescence, one, threads)


def rolling_percentile(
    fluorescence: np.ndarray,
    frame_rate_hz: float,
    *,
    percentile: float,
    window_s: float,
    threads: int = 1,
) -> Change:
    """ΔF/F against a running percentile, the baseline that CaImAn takes.

    b is the value at the place ⌊n p / 100⌋ (from 0) of the n sorted values of F in the window, the
    trace mirrored at its ends, as SciPy's `percentile_filter` has it, and
    dff = (F - b) / max(b, σ_F). A low percentile of a noisy trace lies below its resting
    fluorescence, so dff of a cell at rest is above 0. (CaImAn, unless told otherwise, chooses p for
    each trace; suite2p takes its percentile of the whole trace, or the running maximum of the
    running minimum over 60 s.)

    Parameters
    ----------
    fluorescence : numpy.ndarray
        As for `windowed_median`.
    frame_rate_hz : float
        Imaging frames a second.
    threads : int
        As for `windowed_median`.
    percentile : float
        p, 0 to 100; 8 in both libraries.
    window_s : float
        Window in seconds, cut to the recording; CaImAn has 500 frames.

    References
    ----------
    M. Pachitariu et al. Suite2p: beyond 10,000 neurons with standard two-photon microscopy.
    bioRxiv 061507 (2017). A. Giovannucci et al. CaImAn: an open source tool for scalable calcium
    imaging data analysis. eLife 8, e38173 (2019), `detrend_df_f`.
    """
    frames = fluorescence.shape[1]
    window = odd(window_s, frame_rate_hz, frames)
    place = min(int(window * percentile / 100), window - 1)
    noise = odd(NOISE_S, frame_rate_hz, frames)

    def one(trace: np.ndarray) -> tuple[np.ndarray, float, float]:
        slow = Sorted(trace, window, "symmetric").rank(window, place)
        change, low = _relative(trace, slow, noise_sd(trace, noise))
        return change, noise_sd(change, noise), low

    return _each(fluorescence, one, threads)


def stored(dff: np.ndarray, frame_rate_hz: float, *, threads: int = 1) -> Change:
    """ΔF/F as the file has it, with its noise; what the baseline was is not known (NaN)."""
    window = odd(NOISE_S, frame_rate_hz, dff.shape[1])
    return _each(dff, lambda trace: (trace, noise_sd(trace, window), np.nan), threads)


def _relative(trace: np.ndarray, baseline: np.ndarray, sd: float) -> tuple[np.ndarray, float]:
    """(F - b) / max(b, σ), and the fraction of frames whose b is not above σ; b is overwritten."""
    low = np.count_nonzero(baseline <= sd) / len(trace)
    change = trace - baseline
    scale = np.maximum(baseline, sd, out=baseline)
    scale[scale == 0] = np.inf  # no fluorescence, no noise: no change
    change /= scale
    return change, low


def _each(traces: np.ndarray, one: Callable, threads: int) -> Change:
    """Apply a function of one float64 trace to every cell."""
    cells = len(traces)
    change = Change(np.empty(traces.shape, np.float32), np.empty(cells), np.empty(cells))

    def fill(cell: int) -> None:
        change.dff[cell], change.noise[cell], change.low_baseline[cell] = one(
            traces[cell].astype(np.float64)
        )

    # glibc gives freed arrays of a trace's size back to the system, which costs a quarter of the
    # time, until it has freed a larger one
    np.empty(2**24, np.uint8)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(fill, range(cells)))
    return change


def _even(window: float, frames: int, part: int) -> int:
    """The even number nearest to a window, or to a part of the frames that are not more."""
    nearest = 2 * round(window / 2)
    return max(2, nearest if nearest < frames else 2 * (frames // part // 2))

"""ΔF/F against a literal transcription of AllenSDK's algorithm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasscortex.data import dff
from glasscortex.data.dff import noise_sd, windowed_median


def running_median(x, window):
    """Median of the `window` values around each, zeros beyond the ends."""
    half = window // 2
    padded = np.concatenate([np.zeros(half), x, np.zeros(half)])
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, window), axis=1)


def robust_std(x):
    return 1.4826 * np.median(np.abs(x - np.median(x)))


def noise_std(x, window=31):
    x = x - running_median(x, window)
    x = x[x < 1.5 * np.abs(x.min())]
    x = x[np.abs(x) < 2.5 * robust_std(x)]
    return robust_std(x)


def reference(trace, long, short, window):
    slow = running_median(trace, long)
    result = (trace - slow) / np.maximum(slow, noise_std(trace, window))
    return result - np.minimum(running_median(result, short), 2.5 * noise_std(result, window))


def trace(seed, frames, baseline=100.0):
    rng = np.random.default_rng(seed)
    events = np.convolve(rng.random(frames) < 0.01, np.exp(-np.arange(60) / 20))[:frames]
    drift = np.linspace(1, 0.8, frames)
    return (baseline * drift * (1 + events) + rng.normal(0, 3, frames)).astype(np.float32)


def test_matches_the_reference_at_30_hz():
    traces = trace(0, 5600)[None]
    expected = [reference(x.astype(float), 5401, 101, 31) for x in traces]
    np.testing.assert_allclose(windowed_median(traces, 30.0), expected, rtol=1e-5, atol=1e-6)


@given(st.integers(0, 2**32 - 1), st.floats(-20, 200), st.sampled_from([2.5, 4.0]))
@settings(max_examples=15)
def test_matches_the_reference_at_other_rates(seed, baseline, rate):
    x = trace(seed, 1000, baseline)
    windows = [2 * round((n * rate / 30 - 1) / 2) + 1 for n in (5401, 101, 31)]
    windows = [min(max(w, 1), 999) for w in windows]
    expected = reference(x.astype(float), *windows)
    np.testing.assert_allclose(windowed_median(x[None], rate)[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("rate", "windows"), [(30.0, [5401, 101, 31]), (16.0, [2881, 53, 17])])
def test_windows_are_odd_and_scale_with_the_rate(rate, windows):
    seconds = (dff.BASELINE_S, dff.TREND_S, dff.NOISE_S)
    assert [dff._odd(s * rate, 10**6) for s in seconds] == windows


def test_noise_of_a_noisy_trace_ignores_transients():
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, 20_000)
    quiet = noise_sd(x, 31)
    assert quiet == pytest.approx(0.95, abs=0.06)  # a little is lost to the cuts
    x[rng.integers(0, len(x), 200)] += 50
    assert noise_sd(x, 31) == pytest.approx(quiet, rel=0.05)


def test_amplitude_of_a_transient():
    x = np.full(12_000, 100.0) + np.random.default_rng(0).normal(0, 0.5, 12_000)
    x[6000:6010] += 50
    result = windowed_median(x[None], 30.0)[0]
    assert result[6000:6010].mean() == pytest.approx(0.5, abs=0.02)
    assert np.abs(result[4000:5900].mean()) < 0.002


def test_scale_of_the_fluorescence_does_not_matter():
    x = trace(3, 3000)
    np.testing.assert_allclose(
        windowed_median(x[None], 16.0), windowed_median(4 * x[None], 16.0), rtol=1e-5, atol=1e-6
    )


def test_cells_do_not_touch_each_other():
    both = np.stack([trace(1, 2000), trace(2, 2000)])
    np.testing.assert_array_equal(windowed_median(both, 30.0)[1:], windowed_median(both[1:], 30.0))


def test_a_dark_cell_has_no_change():
    np.testing.assert_array_equal(windowed_median(np.zeros((1, 500)), 30.0), np.zeros((1, 500)))


def test_a_recording_shorter_than_the_window():
    result = windowed_median(trace(0, 400)[None], 30.0)
    assert result.shape == (1, 400)
    assert np.isfinite(result).all()

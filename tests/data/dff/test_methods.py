"""ΔF/F against literal transcriptions of AllenSDK's algorithms, and what it means."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import percentile_filter

from glasscortex.data.dff import methods
from glasscortex.data.dff.methods import (
    rolling_percentile,
    stored,
    windowed_median,
    windowed_mode,
)
from glasscortex.data.dff.noise import NOISE_S, noise_sd, odd

percentile = partial(rolling_percentile, percentile=8.0, window_s=60.0)
METHODS = [windowed_median, windowed_mode, percentile, stored]


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


def test_a_windowed_median_matches_the_reference_at_30_hz():
    traces = trace(0, 5600)[None]
    expected = [reference(x.astype(float), 5401, 101, 31) for x in traces]
    np.testing.assert_allclose(windowed_median(traces, 30.0).dff, expected, rtol=1e-5, atol=1e-6)


@given(st.integers(0, 2**32 - 1), st.floats(-20, 200), st.sampled_from([2.5, 4.0]))
@settings(max_examples=15)
def test_a_windowed_median_matches_the_reference_at_other_rates(seed, baseline, rate):
    x = trace(seed, 1000, baseline)
    windows = [2 * round((n * rate / 30 - 1) / 2) + 1 for n in (5401, 101, 31)]
    windows = [min(max(w, 1), 999) for w in windows]
    expected = reference(x.astype(float), *windows)
    result = windowed_median(x[None], rate).dff[0]
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


def test_its_noise_is_that_before_the_trend_is_subtracted():
    x = trace(5, 3000).astype(float)
    slow = running_median(x, 2999)
    change = (x - slow) / np.maximum(slow, noise_std(x))
    assert windowed_median(x[None], 30.0).noise[0] == pytest.approx(noise_std(change))


@pytest.mark.parametrize(("rate", "windows"), [(30.0, [5401, 101, 31]), (16.0, [2881, 53, 17])])
def test_windows_are_odd_and_scale_with_the_rate(rate, windows):
    seconds = (methods.MEDIAN_S, methods.TREND_S, NOISE_S)
    assert [odd(s, rate, 10**6) for s in seconds] == windows


@pytest.mark.parametrize(
    ("rate", "frames", "windows"),
    [(30.0, 10**6, [5400, 3000]), (16.0, 6272, [2880, 1600]), (30.0, 4000, [2000, 3000])],
)
def test_windows_of_the_mode_are_those_of_allensdk(rate, frames, windows, monkeypatch):
    seen = []

    def note(trace, window):
        seen.append(window)
        return trace

    monkeypatch.setattr(methods, "running_mode", note)
    monkeypatch.setattr(methods, "running_mean", note)
    windowed_mode(np.full((1, frames), 9.0), rate)
    assert seen == windows


def test_a_windowed_mode_is_relative_to_the_most_frequent_fluorescence():
    x = np.full((1, 12_000), 200.0)
    x[0, 6000:6030] = 300
    result = windowed_mode(x, 30.0).dff[0]
    np.testing.assert_allclose(result[6000:6030], 0.5)
    np.testing.assert_array_equal(result[2000:6000], 0)


def test_a_rolling_percentile_is_that_of_scipy():
    x = trace(1, 3000).astype(float)
    slow = percentile_filter(x, 8, 601, mode="reflect")
    expected = (x - slow) / np.maximum(slow, noise_std(x))
    result = rolling_percentile(x[None], 10.0, percentile=8, window_s=60.1)
    # the noise has its window at 10 Hz, but the baseline is always above it
    assert result.low_baseline[0] == 0
    np.testing.assert_allclose(result.dff[0], expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("p", "extreme"), [(0, np.min), (100, np.max)])
def test_the_first_and_last_percentile_are_minimum_and_maximum(p, extreme):
    x = trace(1, 61).astype(float)
    result = rolling_percentile(x[None], 1.0, percentile=p, window_s=61)
    assert result.dff[0, 30] == pytest.approx(x[30] / extreme(x) - 1)


def test_stored_values_are_kept_and_their_noise_is_measured():
    x = np.stack([trace(0, 3000), trace(1, 3000)]) / 100
    change = stored(x, 30.0)
    np.testing.assert_array_equal(change.dff, x)
    np.testing.assert_allclose(change.noise, [noise_std(row.astype(float)) for row in x])
    assert np.isnan(change.low_baseline).all()


def test_noise_of_a_noisy_trace_ignores_transients():
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, 20_000)
    quiet = noise_sd(x, 31)
    assert quiet == pytest.approx(0.95, abs=0.06)  # a little is lost to the cuts
    x[rng.integers(0, len(x), 200)] += 50
    assert noise_sd(x, 31) == pytest.approx(quiet, rel=0.05)


@pytest.mark.parametrize(("method", "bias"), [(windowed_median, 0), (windowed_mode, 0)])
def test_amplitude_of_a_transient(method, bias):
    x = np.full(12_000, 100.0) + np.random.default_rng(0).normal(0, 0.5, 12_000)
    x[6000:6010] += 50
    result = method(x[None], 30.0).dff[0]
    assert result[6000:6010].mean() == pytest.approx(0.5, abs=0.02)
    assert result[4000:5900].mean() == pytest.approx(bias, abs=0.01)


@pytest.mark.parametrize("method", [windowed_median, percentile])
def test_scale_of_the_fluorescence_does_not_matter(method):
    x = trace(3, 3000)
    np.testing.assert_allclose(
        method(x[None], 16.0).dff, method(4 * x[None], 16.0).dff, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("method", METHODS)
def test_cells_do_not_touch_each_other(method):
    both = np.stack([trace(1, 2000), trace(2, 2000)])
    for together, alone in zip(method(both, 30.0), method(both[1:], 30.0), strict=True):
        np.testing.assert_array_equal(together[1:], alone)


@pytest.mark.parametrize("method", METHODS)
def test_the_number_of_threads_is_no_part_of_the_result(method):
    traces = np.stack([trace(seed, 1500) for seed in range(7)])
    for one, three in zip(method(traces, 30.0), method(traces, 30.0, threads=3), strict=True):
        np.testing.assert_array_equal(one, three)


@pytest.mark.parametrize("method", [windowed_median, percentile])
def test_a_dark_cell_has_no_change(method):
    np.testing.assert_array_equal(method(np.zeros((1, 500)), 30.0).dff, np.zeros((1, 500)))


@pytest.mark.parametrize("method", [windowed_median, percentile])
@pytest.mark.parametrize("baseline", [0.0, -50.0])
def test_a_low_baseline_is_counted_and_keeps_the_sign(method, baseline):
    x = trace(0, 3000, 0.0) + np.float32(baseline)
    x[1500:1510] += 60
    change = method(x[None], 30.0)
    assert change.low_baseline[0] > 0.99
    assert np.isfinite(change.dff).all()
    assert (change.dff[0, 1500:1510] > 5).all()


def test_a_high_baseline_is_not_counted():
    assert percentile(trace(0, 3000)[None], 30.0).low_baseline[0] == 0


def test_a_mode_of_zero_or_below_gives_no_change():
    traces = np.stack([trace(0, 3000), trace(0, 3000) - 100])
    change = windowed_mode(traces, 30.0)
    assert np.isfinite(change.dff[0]).all()
    assert np.isnan(change.dff[1]).all()
    np.testing.assert_array_equal(np.isnan(change.noise), [False, True])
    assert change.low_baseline[1] > 0.5


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("frames", [4, 400])
def test_a_recording_shorter_than_the_window(method, frames):
    result = method(trace(0, frames)[None], 30.0).dff
    assert result.shape == (1, frames)
    assert np.isfinite(result).all()

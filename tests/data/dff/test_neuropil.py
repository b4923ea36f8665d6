"""The fitted r against AllenSDK's search, done literally."""

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasscortex.data.dff.neuropil import contamination_ratio, contamination_ratios


@lru_cache
def smoother(n):
    differences = np.diff(np.eye(n), axis=0)
    return np.linalg.inv(np.eye(n) + 0.05 * differences.T @ differences)


def allen_error(measured, neuropil, r):
    """Mean error of four folds, each with a solution of its own."""
    n = len(measured) // 4
    errors = []
    for fold in range(4):
        part = slice(fold * n, (fold + 1) * n)
        rest = measured[part] - r * neuropil[part]
        cell = smoother(n) @ rest
        errors.append(np.sqrt(np.mean((cell - rest) ** 2)) / abs(measured[part].mean()))
    return np.mean(errors)


def allen_r(measured, neuropil):
    """AllenSDK's grid search."""
    start, stop, step, rounds = 0.0, 2.0, 0.1, 0
    least, best = np.inf, None
    while rounds < 3:
        grid = np.arange(start, stop, step)
        errors = [allen_error(measured, neuropil, r) for r in grid]
        i = int(np.argmin(errors))
        if errors[i] < least:
            least, best = errors[i], grid[i]
        if i == len(grid) - 1:
            start, stop = grid[-1], 2 * grid[-1] - grid[0]
        else:
            start, stop = grid[max(i - 1, 0)], grid[min(i + 1, len(grid) - 1)]
            step, rounds = step / 10, rounds + 1
    return best


def signals(seed, r, frames=403):
    rng = np.random.default_rng(seed)
    around = 250 + 15 * np.convolve(rng.normal(size=frames), np.exp(-np.arange(30) / 8), "same")
    events = np.convolve(rng.random(frames) < 0.02, np.exp(-np.arange(60) / 20))[:frames]
    return 200 * (1 + events) + r * around + rng.normal(0, 4, frames), around


@given(st.integers(0, 2**32 - 1), st.floats(-0.5, 3))
@settings(max_examples=15)
def test_it_is_that_of_allensdk_within_its_finest_step(seed, r):
    measured, around = signals(seed, r)
    assert contamination_ratio(measured, around) == pytest.approx(
        allen_r(measured, around), abs=0.0011
    )


@pytest.mark.parametrize("r", [0.3, 0.7, 1.4, 2.6])
def test_it_finds_what_was_put_in(r):
    measured, around = signals(0, r, 20_000)
    assert contamination_ratio(measured, around) == pytest.approx(r, abs=0.05)


def test_it_is_never_below_zero():
    measured, around = signals(0, -0.8)
    assert contamination_ratio(measured, around) == 0


def test_it_is_zero_where_nothing_would_be_left():
    measured, around = signals(0, 0.9)
    assert contamination_ratio(measured, around) > 0.5
    assert contamination_ratio(measured - 300, around) == 0


@pytest.mark.parametrize("value", [0.0, 0.1, 250.0])
def test_a_constant_neuropil_tells_nothing(value):
    measured, around = signals(0, 0.7)
    assert contamination_ratio(measured, np.full_like(around, value)) == 0


def test_a_dark_cell_is_not_contaminated():
    _, around = signals(0, 0.7)
    assert contamination_ratio(np.zeros_like(around), around) == 0


def test_float32_is_enough():
    measured, around = signals(3, 0.7, 4000)
    single = contamination_ratio(measured.astype(np.float32), around.astype(np.float32))
    assert single == pytest.approx(contamination_ratio(measured, around), abs=0.0011)


@pytest.mark.parametrize("threads", [1, 3])
def test_cells_are_fitted_one_by_one_and_nan_has_no_r(threads):
    pairs = [signals(seed, 0.2 * seed) for seed in range(6)]
    measured, around = (np.stack(each) for each in zip(*pairs, strict=True))
    measured[2, 5], around[4, 9] = np.nan, np.inf
    expected = [np.nan if i in (2, 4) else contamination_ratio(*pairs[i]) for i in range(6)]
    result = contamination_ratios(measured, around, threads=threads)
    np.testing.assert_array_equal(result, expected)

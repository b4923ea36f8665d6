"""Intervals over sessions and mice."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from glasscortex.intervals import jackknife_error, mean_interval, student_reach


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("coverage", [0.9, 0.95])
def test_of_sessions_it_is_students(rng, coverage):
    values = rng.normal(size=7)
    expected = ttest_1samp(values, 0).confidence_interval(coverage)
    assert mean_interval(values, coverage=coverage) == pytest.approx(tuple(expected))


def test_of_mice_with_alike_many_sessions_it_is_students_of_their_means(rng):
    values = rng.normal(size=(12, 2))
    expected = ttest_1samp(values.reshape(4, 3, 2).mean(axis=1), 0).confidence_interval()
    found = mean_interval(values, np.repeat(np.arange(4), 3))
    np.testing.assert_allclose(found, [expected.low, expected.high])


def test_a_mouse_with_most_sessions_is_nearly_the_only_one(rng):
    """Of 12 sessions 9 are of one mouse: an effective 144 / 84 mice, whose t has heavy tails."""
    mice = np.array([0] * 9 + [1, 2, 3])
    values = rng.normal(size=12)
    low, high = mean_interval(values, mice)
    left_out = np.array([values[mice != mouse].mean() for mouse in range(4)])
    reach = student_reach(144 / 84) * jackknife_error(left_out)
    assert (low, high) == pytest.approx((values.mean() - reach, values.mean() + reach))


def test_columns_may_miss_mice(rng):
    values = rng.normal(size=(8, 2))
    mice = np.repeat(np.arange(4), 2)
    values[:2, 1] = np.nan
    low, high = mean_interval(values, mice)
    alone = mean_interval(values[2:, 1], mice[2:] - 1)
    assert (low[1], high[1]) == pytest.approx(alone)


def test_one_mouse_has_no_interval():
    assert np.isnan(mean_interval(np.arange(3.0), np.zeros(3, int))).all()
    assert np.isnan(mean_interval(np.ones((0, 2)))).all()
    assert np.isnan(student_reach(1))


def test_what_does_not_vary_has_an_interval_without_width():
    np.testing.assert_allclose(mean_interval(np.full(5, 0.2)), 0.2)


def test_the_jackknife_of_a_mean_is_its_standard_error(rng):
    values = rng.normal(size=12)
    left_out = np.array([np.delete(values, i).mean() for i in range(12)])
    assert jackknife_error(left_out) == pytest.approx(values.std(ddof=1) / np.sqrt(12))

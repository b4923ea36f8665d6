"""Intervals over mice."""

import numpy as np
import pytest
from scipy.stats import bootstrap, ttest_1samp, ttest_ind

from glasscortex.analysis.intervals import bootstrap_interval, stratified_mean


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_with_a_mouse_a_session_it_is_the_bootstrap(rng):
    values = rng.normal(size=20)
    low, high = bootstrap_interval(values, np.arange(20), 4000, rng)
    theirs = bootstrap((values,), np.mean, method="percentile", n_resamples=4000, rng=1)
    assert low == pytest.approx(theirs.confidence_interval.low, abs=0.03)
    assert high == pytest.approx(theirs.confidence_interval.high, abs=0.03)


def test_sessions_of_a_mouse_stay_together(rng):
    mice = np.repeat(np.arange(5), 10)
    values = np.repeat(rng.normal(size=5), 10)
    low, high = bootstrap_interval(values, mice, 2000, rng)
    alone = bootstrap_interval(values[::10], np.arange(5), 2000, np.random.default_rng(1))
    assert high - low == pytest.approx(alone[1] - alone[0], rel=0.15)


def test_columns_may_miss_sessions(rng):
    values = np.stack([np.ones(6), np.array([2, 2, 2, np.nan, np.nan, np.nan])], axis=1)
    low, high = bootstrap_interval(values, np.arange(6), 500, rng)
    np.testing.assert_allclose(low, [1, 2])
    np.testing.assert_allclose(high, [1, 2])


def test_one_mouse_has_no_interval(rng):
    assert np.isnan(bootstrap_interval(np.ones(3), np.zeros(3, int), 10, rng)).all()


def test_the_mean_of_one_column_has_the_interval_of_student(rng):
    values = rng.normal(size=(7, 1))
    low, high = ttest_1samp(values[:, 0], 0).confidence_interval()
    assert stratified_mean(values) == pytest.approx((values.mean(), low, high))


def test_strata_of_sessions_are_the_two_samples_of_welch(rng):
    """With a sign turned, the mean of two columns is half the difference of two groups."""
    a, b = rng.normal(size=9), rng.normal(scale=3, size=4)
    values = np.full((13, 2), np.nan)
    values[:9, 0], values[9:, 1] = a, -b
    low, high = ttest_ind(a, b, equal_var=False).confidence_interval()
    assert stratified_mean(values) == pytest.approx(((a.mean() - b.mean()) / 2, low / 2, high / 2))


def test_a_stratum_of_one_session_has_no_interval():
    mean, low, high = stratified_mean(np.array([[1.0], [np.nan]])[:1])
    assert (mean, np.isnan(low), np.isnan(high)) == (1.0, True, True)

"""Intervals over sessions of several kinds."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp, ttest_ind

from glasscortex.analysis.intervals import stratified_mean


@pytest.fixture
def rng():
    return np.random.default_rng(0)


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

"""A share of units, and when it says something."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from glasscortex.analysis.shares import Share, share_of


def rows(significant, living, **columns):
    is_significant = np.arange(living) < significant
    return pd.DataFrame({"significant": is_significant, "fraction_error": 0.02}).assign(**columns)


def test_of_one_seed_the_interval_is_that_over_mice():
    share = share_of(rows(30, 100))
    reach = norm.ppf(0.975) * 0.02
    assert (share.value, share.low, share.high) == pytest.approx((0.3, 0.3 - reach, 0.3 + reach))
    assert (share.among, share.of_living, share.basis) == (
        "30",
        "30 of 100",
        "jackknife over mice",
    )


def test_the_difference_of_two_such_shares_adds_their_variances():
    difference, low, high = share_of(rows(30, 100)).minus(
        share_of(rows(1, 50, fraction_error=0.01))
    )
    reach = norm.ppf(0.975) * np.hypot(0.02, 0.01)
    assert (difference, low, high) == pytest.approx((0.28, 0.28 - reach, 0.28 + reach))


def test_only_selective_units_in_consensus_count():
    share = share_of(rows(30, 100, consensus=np.arange(100) >= 20))
    assert (share.count, share.living, share.consensus) == (10, 100, 80)
    assert (share.among, share.of_living) == (
        "10 of 80 consensus units",
        "10 of 100 (80 in consensus)",
    )
    assert share.low == pytest.approx(0.0490, abs=1e-4)  # Clopper and Pearson's tables
    assert share.high == pytest.approx(0.1762, abs=1e-4)


def test_the_difference_of_binomial_shares_is_newcombes():
    """Newcombe 1998, Stat Med 17:873, with the ends of these intervals in place of Wilson's."""
    one, two = Share(5, 10, 0.2, 0.8), Share(1, 10, 0.02, 0.4)
    difference, low, high = one.minus(two)
    assert difference == pytest.approx(0.4)
    assert low == pytest.approx(0.4 - np.hypot(0.3, 0.3))
    assert high == pytest.approx(0.4 + np.hypot(0.3, 0.08))


@pytest.mark.parametrize(("consensus", "enough"), [(0, False), (2, False), (40, True)])
def test_few_consensus_units_tell_nothing_even_if_all_are_selective(consensus, enough):
    agreed = np.arange(100) < consensus
    share = share_of(rows(100, 100, consensus=agreed))
    control = share_of(rows(0, 100, consensus=False))
    assert share.can_exceed(control) == enough
    assert (share.minus(control)[1] > 0) == enough


def test_nothing_alive_is_no_share():
    nothing = rows(0, 0)
    assert share_of(nothing) == Share(0, 0, 0.0, 0.0)
    assert share_of(nothing.assign(consensus=[])) == Share(0, 0, 0.0, 0.0, consensus=0)

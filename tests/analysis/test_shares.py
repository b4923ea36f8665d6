"""A share of units, and when it says something."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import sem, ttest_ind

from glasscortex.analysis.shares import Share, difference, share_of
from glasscortex.intervals import student_reach


def rows(significant, living, **columns):
    is_significant = np.arange(living) < significant
    return pd.DataFrame(
        {"significant": is_significant, "fraction_error": 0.02, "n_mice": 12}
    ).assign(**columns)


def test_of_one_seed_the_interval_is_that_over_mice():
    share = share_of(rows(30, 100))
    reach = student_reach(12) * 0.02
    assert (share.value, share.low, share.high) == pytest.approx((0.3, 0.3 - reach, 0.3 + reach))
    assert (share.among, share.basis) == ("30", "jackknife over mice")


def test_only_selective_units_in_consensus_count():
    share = share_of(rows(30, 100, consensus=np.arange(100) >= 20))
    assert (share.count, share.living, share.consensus) == (10, 100, 80)
    assert share.among == "10 of 80 consensus units"
    assert share.low == pytest.approx(0.0490, abs=1e-4)  # Clopper and Pearson's tables
    assert share.high == pytest.approx(0.1762, abs=1e-4)


def effects(mean, error, mice=5):
    return pd.DataFrame({"explained_mean": [mean], "explained_error": error, "n_mice": mice})


def test_the_difference_of_two_effects_is_welchs():
    rng = np.random.default_rng(0)
    one, two = rng.normal(1, 1, 6), rng.normal(0, 3, 9)
    expected = ttest_ind(one, two, equal_var=False)
    found = difference(*(effects(x.mean(), sem(x), len(x)) for x in (one, two)))
    interval = expected.confidence_interval()
    assert found == pytest.approx((one.mean() - two.mean(), interval.low, interval.high))


def test_a_difference_from_nothing_alive_or_over_one_mouse_is_unknown():
    assert np.isnan(difference(effects(0.1, 0.01), effects(0, 0)[:0])).all()
    assert np.isnan(difference(effects(0.1, np.nan, 1), effects(0.0, 0.01, 1))[1:]).all()


def test_nothing_alive_is_no_share():
    nothing = rows(0, 0)
    assert share_of(nothing) == Share(0, 0, 0.0, 0.0)
    assert share_of(nothing.assign(consensus=[])) == Share(0, 0, 0.0, 0.0, consensus=0)

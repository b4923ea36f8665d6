"""What units do on presentations, against sums by hand."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.profiles import BINS, activity, by_behaviour, by_group, purities
from tests.analysis.worlds import presentations


@pytest.fixture
def test():
    rng = np.random.default_rng(0)
    responses = rng.random((400, 3)) * (rng.random((400, 3)) < [0.9, 0.3, 0])
    speed = rng.normal(size=400)
    speed[::50] = np.nan
    direction = np.tile([0.0, 45.0], 200)
    return presentations(4, 100, responses, running_speed=speed, direction=direction)


def test_rates_and_shares(test):
    table = activity(test)
    active = (test.responses > 0).mean(axis=0)
    np.testing.assert_allclose(table["rate"], active)
    np.testing.assert_allclose(table["l0_share"], active / active.sum())
    np.testing.assert_allclose(table["mean"], test.responses.mean(axis=0), rtol=1e-6)


def test_bins_of_behaviour_hold_equally_many_and_only_what_was_measured(test):
    table = by_behaviour(test, np.array([1, 0]))
    assert table["unit"].tolist() == [1] * BINS + [0] * BINS
    own = table[table["unit"] == 0]
    assert own["n"].sum() == test.trials["running_speed"].notna().sum() == 392
    assert own["n"].max() - own["n"].min() <= 1
    known = test.trials["running_speed"].sort_values().dropna()
    slowest = known.index[: own["n"].iloc[0]]
    assert own["value"].iloc[0] == pytest.approx(known.iloc[: own["n"].iloc[0]].mean())
    assert own["mean"].iloc[0] == pytest.approx(test.responses[slowest, 0].mean(), rel=1e-5)
    error = pd.Series(test.responses[slowest, 0]).sem()
    assert own["error"].iloc[0] == pytest.approx(error, rel=1e-4)
    assert (own["value"].diff().dropna() > 0).all()


def test_groups_are_sorted_and_their_means_are_their_own(test):
    n, means = by_group(test, "mouse")
    expected = pd.DataFrame(test.responses).groupby(test.trials["mouse"].to_numpy()).mean()
    assert n.to_dict() == dict.fromkeys(["m0", "m1", "m2", "m3"], 100)
    np.testing.assert_allclose(means, expected, rtol=1e-5)


def test_purity_is_of_the_preferred_label_among_the_strongest():
    direction = np.repeat([0.0, 45.0, 90.0, 135.0], 100)
    pure = np.where(direction == 45, 2.0, np.linspace(0, 1, 400))
    blind = np.ones(400)
    test = presentations(4, 100, np.stack([pure, blind], axis=1), direction=direction)
    found = pd.DataFrame({"unit": [0, 0, 1, 1], "preferred": ["45", "90", "45", "fast"]})
    found["variable"] = ["direction", "direction", "direction", "running_speed"]
    found["stimulus"] = "drifting_gratings"
    np.testing.assert_allclose(purities(test, found), [1, 0, 0.25, np.nan])

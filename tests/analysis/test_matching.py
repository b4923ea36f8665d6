"""Matched sets."""

import numpy as np
import pytest

from glasscortex.analysis.matching import matchable, matched_sets


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def traits(rng):
    rate = rng.random(400)
    return np.stack([rate, rate * rng.lognormal(sigma=0.3, size=400)], axis=1)


def test_sets_are_alike_disjoint_and_without_the_units(rng, traits):
    units = np.argsort(traits[:, 0])[-60::2]
    living = np.flatnonzero(traits[:, 0] > 0.1)
    sets = matched_sets(units, living, traits, 50, rng)
    assert sets.shape == (50, len(units))
    assert not np.isin(sets, units).any()
    assert np.isin(sets, living).all()
    assert all(len(set(drawn)) == len(units) for drawn in sets)
    assert len({tuple(sorted(drawn)) for drawn in sets}) == 50
    means = traits[sets].mean(axis=1)
    np.testing.assert_allclose(means.mean(axis=0), traits[units].mean(axis=0), rtol=0.05)
    # Units drawn blindly would be half as active.
    assert traits[living].mean(axis=0)[0] < 0.7 * traits[units].mean(axis=0)[0]


def test_the_first_partners_match_the_first_units(rng, traits):
    units = np.argsort(traits[:, 0])[[-1, 150]]
    sets = matched_sets(units, np.arange(400), traits, 30, rng)
    np.testing.assert_allclose(traits[sets, 0].mean(axis=0), traits[units, 0], atol=0.1)


def test_units_shrink_to_what_can_be_matched(caplog):
    ranked = np.arange(20)
    np.testing.assert_array_equal(matchable(ranked, np.arange(30), 16, "x"), np.arange(10))
    assert "10 of 16" in caplog.text
    np.testing.assert_array_equal(matchable(ranked, np.arange(100), 16, "x"), np.arange(16))


def test_too_few_others_are_an_error(rng, traits):
    with pytest.raises(ValueError, match="can't be matched"):
        matched_sets(np.arange(10), np.arange(15), traits, 1, rng)

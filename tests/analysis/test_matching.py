"""Matched sets."""

import numpy as np
import pytest
from scipy.stats import hypergeom

from glasscortex.analysis.matching import TOLERANCE, matched_sets

WIDTH = 200


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def traits(rng):
    rate = rng.random(WIDTH)
    return np.stack([rate, rate * rng.lognormal(sigma=0.3, size=WIDTH)], axis=1)


@pytest.fixture
def gram(rng, traits):
    changes = rng.normal(size=(WIDTH, 30)) * traits[:, :1]
    return changes @ changes.T


def totals(units, traits, gram):
    square = np.array([gram[np.ix_(row, row)].sum() for row in units])
    return np.log(np.column_stack([traits[units].sum(axis=1), np.sqrt(square)]))


def test_sets_have_the_totals_of_the_units_and_differ(rng, traits, gram):
    units = np.argsort(traits[:, 0])[-60::4]
    living = np.flatnonzero(traits[:, 0] > 0.1)
    sets = matched_sets(units, living, traits, gram, 50, rng)
    assert sets.shape == (50, len(units)) and np.isin(sets, living).all()
    assert all(len(set(drawn)) == len(units) for drawn in sets)
    apart = totals(sets, traits, gram) - totals(units[None], traits, gram)
    assert (np.linalg.norm(apart, axis=1) <= TOLERANCE).mean() > 0.9
    blind = np.stack([rng.choice(living, len(units), replace=False) for _ in range(50)])
    blindly = totals(blind, traits, gram) - totals(units[None], traits, gram)
    assert (np.linalg.norm(blindly, axis=1) <= TOLERANCE).mean() < 0.3
    common = np.mean([np.isin(a, b).mean() for a in sets for b in sets if a is not b])
    assert common < 0.25


def test_few_sets_hold_more_given_units_than_chance_gives(rng, traits, gram):
    """Even where nothing else is like them."""
    units = np.argsort(traits[:, 0])[-20:]
    traits[units] *= 5
    sets = matched_sets(units, np.arange(WIDTH), traits, gram, 400, rng)
    most = hypergeom.ppf(0.975, WIDTH, 20, 20)
    common = np.isin(sets, units).sum(axis=1)
    assert (common > most).mean() < 0.05
    assert (common == most).mean() > 0.5


def test_given_units_may_be_drawn(rng, traits, gram):
    units = rng.choice(WIDTH, 50, replace=False)
    assert np.isin(matched_sets(units, np.arange(WIDTH), traits, gram, 20, rng), units).any()


def test_units_without_traits_are_matched_by_any(rng):
    nothing = np.zeros((20, 1)), np.zeros((20, 20))
    sets = matched_sets(np.arange(4), np.arange(20), *nothing, 3, rng)
    assert sets.shape == (3, 4)


def test_too_few_others_are_an_error(rng, traits, gram):
    with pytest.raises(ValueError, match="can't be matched"):
        matched_sets(np.arange(10), np.arange(15), traits, gram, 1, rng)

"""Null distributions: exact counts, exchangeability and agreement with scipy."""

from itertools import permutations as all_orders
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, permutation_test

from glasscortex.analysis import effects, nulls


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_p_counts_the_observed_arrangement_and_ties():
    null = np.array([[0.1], [0.2], [0.3]])
    assert nulls.p_values(np.array([0.4]), null) == 1 / 4
    assert nulls.p_values(np.array([0.2]), null) == 3 / 4
    assert np.isnan(nulls.p_values(np.array([np.nan]), null))


def test_of_units_together_few_strong_ones_suffice_and_copies_add_nothing(rng):
    null, effect = rng.random((199, 40)), rng.random(40)
    alone = nulls.p_together(effect[:1], null[:, :1])
    assert alone == nulls.p_values(effect[:1], null[:, :1])[0]
    assert nulls.p_together(np.tile(effect[:1], 9), np.tile(null[:, :1], 9)) == alone
    strong = np.where(np.arange(40) < 4, 2.0, effect)
    assert nulls.p_together(strong, null) <= 0.02
    assert np.isnan(nulls.p_together(np.full(40, np.nan), null))


def test_q_is_benjamini_hochberg_over_the_known():
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.5])
    q = nulls.q_values(p)
    np.testing.assert_allclose(q[[0, 2, 3, 4]], false_discovery_control(p[[0, 2, 3, 4]]))
    # R: p.adjust(c(.01, .04, .03, .5), "BH")
    np.testing.assert_allclose(q[[0, 2, 3, 4]], [0.04, 0.04 * 4 / 3, 0.04 * 4 / 3, 0.5])
    assert np.isnan(q[1])


@given(st.integers(5, 200), st.integers(1, 60), st.integers(0, 1000))
def test_the_critical_effect_draws_the_line_of_significance(draws, units, seed):
    rng = np.random.default_rng(seed)
    null, effect = rng.random((draws, units)), rng.random(units) * 1.5
    p = nulls.p_values(effect, null)
    needed = nulls.critical_effects(null, p, 0.1)
    np.testing.assert_array_equal(effect > needed, nulls.q_values(p) <= 0.1)


def test_permutations_stay_within_groups(rng):
    groups = rng.integers(4, size=50)
    orders = list(nulls.permutations(groups, 20, rng))
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), np.arange(50))
        np.testing.assert_array_equal(groups[order], groups)
    assert len({tuple(order) for order in orders}) == 20


def test_permuted_eta_squared_is_that_of_permuted_labels(rng):
    groups, classes = np.repeat([0, 1, 2], 10), rng.integers(3, size=30)
    responses = effects.centred(rng.normal(size=(30, 4)), groups)
    null = nulls.permuted_eta_squared(responses, classes, groups, 5, np.random.default_rng(3))
    orders = nulls.permutations(groups, 5, np.random.default_rng(3))
    for row, order in zip(null, orders, strict=True):
        permuted = np.empty(30, int)
        permuted[order] = classes
        np.testing.assert_allclose(row, effects.eta_squared(responses, permuted))


def test_chunks_change_nothing(rng, monkeypatch):
    classes = rng.integers(3, size=30)
    responses = effects.centred(rng.normal(size=(30, 4)), np.zeros(30, int))
    args = responses, classes, np.zeros(30, int), 7
    whole = nulls.permuted_eta_squared(*args, np.random.default_rng(3))
    monkeypatch.setattr(nulls, "CHUNK", 1)
    np.testing.assert_array_equal(
        whole, nulls.permuted_eta_squared(*args, np.random.default_rng(3))
    )


def test_p_agrees_with_scipys_permutation_test(rng):
    classes, response = np.repeat([0, 1], 12), rng.normal(size=24)
    response[:12] += 0.6
    centred = effects.centred(response[:, None], np.zeros(24, int))
    null = nulls.permuted_eta_squared(centred, classes, np.zeros(24, int), 4000, rng)
    ours = nulls.p_values(effects.eta_squared(centred, classes), null)[0]
    theirs = permutation_test(
        (response[:12], response[12:]),
        lambda a, b: abs(a.mean() - b.mean()),
        n_resamples=4000,
        alternative="greater",
        rng=1,
    ).pvalue
    assert ours == pytest.approx(theirs, abs=4 * np.sqrt(theirs / 4000 * 2))


@pytest.mark.parametrize(
    ("sizes", "number"), [((4, 4), comb(8, 4) // 2), ((2, 6), comb(8, 2)), ((4, 4, 4), 5775)]
)
def test_arrangements_are_all_there_are_up_to_names(sizes, number):
    found = [tuple(a) for a in nulls.arrangements(sizes)]
    assert len(found) == len(set(found)) == nulls.partitions(sizes) == number
    assert all(tuple(np.bincount(a)) == sizes for a in found)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3).filter(lambda s: sum(s) <= 7))
def test_arrangements_are_those_of_brute_force(sizes):
    labels = np.repeat(np.arange(len(sizes)), sorted(sizes))

    def unnamed(dealt):
        return frozenset(frozenset(np.flatnonzero(np.array(dealt) == g)) for g in set(labels))

    brute = {unnamed(order) for order in all_orders(labels)}
    found = [unnamed(dealt) for dealt in nulls.arrangements(tuple(sorted(sizes)))]
    assert len(found) == len(brute)
    assert set(found) == brute


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=2, max_size=12),
    st.integers(0, 100),
)
def test_mice_change_places_with_all_their_sessions(items, seed):
    owners, kinds = (np.unique(x, return_inverse=True)[1] for x in zip(*items, strict=True))
    given = nulls.exchanges(owners, kinds, 20, np.random.default_rng(seed))
    assert (np.sort(given, axis=1) == np.arange(len(owners))).all()
    assert (kinds[given] == kinds).all()
    for way in given:
        pairs = set(zip(owners.tolist(), owners[way].tolist(), strict=True))
        assert len(pairs) == len(set(owners))
    lone = ~nulls.exchangeable(owners, kinds)
    assert (given[:, lone] == np.flatnonzero(lone)).all()


def test_few_mice_have_all_their_orders_but_their_own(rng):
    given = nulls.exchanges(np.arange(4), np.zeros(4, int), 50, rng)
    assert {tuple(way) for way in given} == set(all_orders(range(4))) - {(0, 1, 2, 3)}


def test_many_mice_have_random_orders_their_own_among_them(rng):
    given = nulls.exchanges(np.arange(3), np.zeros(3, int), 4, rng)
    assert len(given) == 4
    many = np.concatenate(
        [nulls.exchanges(np.arange(3), np.zeros(3, int), 4, rng) for _ in range(300)]
    )
    own = (many == np.arange(3)).all(axis=1).mean()
    assert own == pytest.approx(1 / 6, abs=0.05)


def test_a_lone_mouse_is_not_exchangeable():
    kinds = np.array([0, 0, 1, 1])
    np.testing.assert_array_equal(
        nulls.exchangeable(np.array([0, 1, 2, 2]), kinds), [True, True, False, False]
    )


def test_signed_eta_squared_is_that_of_responses_turned_round(rng):
    groups, classes = np.repeat([0, 1, 2], 10), rng.integers(3, size=30)
    responses = effects.centred(rng.normal(size=(30, 4)), groups)
    null = nulls.signed_eta_squared(responses, classes, groups, 64, rng)
    signs = np.array(np.meshgrid(*3 * [[-1, 1]])).reshape(3, -1).T
    possible = [effects.eta_squared(responses * s[groups][:, None], classes) for s in signs]
    assert (np.isclose(null[:, None], possible).all(axis=-1).any(axis=1)).all()
    assert len(np.unique(null.round(9), axis=0)) == 4

"""Units of several seeds are matched where they do the same, and nowhere else."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasscortex.analysis.stability import DRAWS, match_units, matched, stability
from tests.analysis.worlds import presentations

SESSIONS, PER_SESSION, UNITS = 5, 40, 12
N = SESSIONS * PER_SESSION
SPLITS = ("validation", "test")


def noise(seed: int, units: int = UNITS) -> dict[str, np.ndarray]:
    """Responses (presentations, units) by split."""
    rng = np.random.default_rng(seed)
    return {split: rng.exponential(size=(N, units)) for split in SPLITS}


def reader(by_seed: dict[int, dict[str, np.ndarray]]):
    """What `stability` reads from: responses by seed and split."""

    def read(seed, split):
        whole = presentations(SESSIONS, PER_SESSION, by_seed[seed][split])
        for session in whole.trials["session_id"].unique():
            yield whole.where(whole.trials["session_id"] == session)

    return read


def of(by_seed, min_active=20):
    return stability(reader(by_seed), list(by_seed), min_active)


def changed(responses, change):
    return {split: change(values) for split, values in responses.items()}


def consensus_units(table: pd.DataFrame, seed: int) -> list[int]:
    return sorted(table[table["consensus"] & (table["seed"] == seed)]["unit"].unique())


def test_one_dictionary_in_other_orders_is_found_again():
    order = np.random.default_rng(1).permutation(UNITS)
    table, units = of({0: noise(0), 1: changed(noise(0), lambda x: 3 * x[:, order])})
    assert table["seeds"].tolist() == ["0-1", "all"]
    np.testing.assert_allclose(table[["correlation", "ci_low", "ci_high", "share"]], 1)
    assert units["consensus"].all()
    assert (units["n_alike"] == 1).all()
    found = units[units["seed"] == 0].set_index("unit")["other_unit"]
    np.testing.assert_array_equal(order[found], found.index)


def test_independent_units_are_no_more_alike_than_permuted_ones():
    table, units = of({seed: noise(seed) for seed in range(3)})
    three_errors = 3 / np.sqrt(N * UNITS)
    np.testing.assert_allclose(table["correlation"][:3], 0, atol=three_errors)
    np.testing.assert_allclose(table["null"], 0, atol=three_errors)
    assert (units["correlation_selection"] > 0).all()  # by which they were chosen
    assert not units["consensus"].any()
    assert (table["share"] == 0).all()


def test_the_planted_half_is_the_consensus():
    half = UNITS // 2
    shared = noise(7, half)
    by_seed = {
        seed: {split: np.hstack([noise(seed, half)[split], shared[split]]) for split in SPLITS}
        for seed in range(3)
    }
    table, units = of(by_seed)
    for seed in range(3):
        assert consensus_units(units, seed) == list(range(half, UNITS))
    np.testing.assert_allclose(table["correlation"], 0.5, atol=0.05)
    np.testing.assert_allclose(table["share"], 0.5)
    assert table["null"].abs().max() < 0.05


def test_half_of_the_other_seeds_are_not_most():
    """Of three seeds, two have a unit in common."""
    table, units = of({0: noise(0), 1: noise(0), 2: noise(2)})
    assert table.set_index("seeds")["correlation"]["0-1"] == pytest.approx(1)
    assert (units[units["seed"] < 2]["n_alike"] == 1).all()
    assert not units["consensus"].any()


def test_a_common_mean_of_sessions_makes_no_units_alike():
    levels = np.repeat([0.0, 40, 10, 90, 70], PER_SESSION)[:, None]
    table, units = of({seed: changed(noise(seed), lambda x: x + levels) for seed in range(2)})
    assert table["correlation"].abs().max() < 0.1
    assert not units["consensus"].any()


def test_only_living_units_count_and_one_may_be_left_over():
    silent = np.arange(UNITS) == 4

    def rarely(x):
        return np.where(silent & (np.arange(N)[:, None] >= 19), 0, x)

    table, units = of({0: noise(0), 1: changed(noise(0), rarely)})
    assert table.loc[0, ["n_first", "n_second"]].tolist() == [UNITS, UNITS - 1]
    assert 4 not in set(units[units["seed"] == 1]["unit"])
    left = units[units["other_unit"].isna()]
    assert left[["seed", "unit", "n_alike"]].to_numpy().tolist() == [[0, 4, 0]]
    assert consensus_units(units, 0) == [unit for unit in range(UNITS) if unit != 4]


def test_the_sign_of_a_unit_is_arbitrary():
    table, units = of({0: noise(0), 1: changed(noise(0), np.negative)})
    np.testing.assert_allclose(table["correlation"], 1)
    assert units["consensus"].all()


def test_dictionaries_without_living_units_are_told():
    table, units = of({0: noise(0), 1: changed(noise(1), np.zeros_like)})
    assert table["correlation"].isna().all()
    assert table.loc[0, ["n_first", "n_second"]].tolist() == [UNITS, 0]
    assert not units["consensus"].any()


def test_the_correlation_is_the_mean_of_numpys_over_sessions():
    """One session a mouse, so that leaving one out leaves its presentations out."""
    by_seed = {
        0: noise(0),
        1: {split: noise(0)[split] + noise(1)[split] for split in SPLITS},
    }
    found = match_units(reader(by_seed), (0, 1), [np.arange(UNITS)] * 2)
    np.testing.assert_array_equal(found.second, np.arange(UNITS))
    both = np.concatenate([by_seed[seed]["test"] for seed in (0, 1)], axis=1)
    of_session = np.array(
        [
            np.diag(np.corrcoef(session, rowvar=False)[:UNITS, UNITS:])
            for session in both.reshape(SESSIONS, PER_SESSION, -1)
        ]
    )
    np.testing.assert_allclose(found.correlation, of_session.mean(axis=0), rtol=1e-5)
    without = [np.delete(of_session, mouse, axis=0).mean() for mouse in range(SESSIONS)]
    np.testing.assert_allclose(found.without, without, rtol=1e-5)


def test_one_loud_mouse_makes_no_units_alike():
    """Pooled, its responses would correlate all units by more than .9."""
    loud = np.arange(N)[:, None] < PER_SESSION
    shared = {split: 50 * loud * values for split, values in noise(9).items()}
    by_seed = {
        seed: {split: shared[split] + noise(seed)[split] for split in SPLITS} for seed in range(2)
    }
    table, units = of(by_seed)
    np.testing.assert_allclose(table["correlation"], 1 / SESSIONS, atol=0.05)
    assert not units["consensus"].any()


def test_the_matches_are_those_of_the_largest_sum():
    """Taking the most similar first would leave .1 for the other two."""
    rows, columns = matched(np.array([[0.9, 0.8], [0.8, 0.1]]))
    assert list(zip(rows, columns, strict=True)) == [(0, 1), (1, 0)]


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_neither_the_order_of_seeds_nor_that_of_units_matters(seed):
    rng = np.random.default_rng(seed)
    first = noise(seed)
    second = {split: 0.5 * first[split] + noise(seed + 1)[split] for split in SPLITS}
    order = rng.permutation(UNITS)
    table, units = of({0: first, 1: second})
    swapped, units_swapped = of({1: changed(second, lambda x: x[:, order]), 0: first})
    columns = ["correlation", "ci_low", "ci_high", "share"]
    np.testing.assert_allclose(swapped[columns], table[columns], rtol=1e-6)
    found = units_swapped[units_swapped["seed"] == 0].set_index("unit")["other_unit"]
    expected = units[units["seed"] == 0].set_index("unit")["other_unit"]
    np.testing.assert_array_equal(order[found], expected[found.index])


def test_another_name_draws_another_null():
    read = reader({seed: noise(seed) for seed in range(2)})
    nulls = [stability(read, [0, 1], 20, name)[0]["null"][0] for name in ("topk", "topk", "pca")]
    assert nulls[0] == nulls[1] != nulls[2]
    assert DRAWS > 1

"""Planted units are found and scored as they should be, and noise tells nothing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from glasscortex.analysis.paired import summarised
from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.probing import COLUMNS, forward_selection, probing, top_share
from tests.analysis.worlds import presentations

ANGLES = 45.0 * np.arange(4)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def splits(responses_of, sessions=3, repeats=(12, 8, 20), angles=ANGLES) -> list[Presentations]:
    """Train, validation and test; `responses_of` directions gives the responses of all units."""
    parts = []
    for n in repeats:
        direction = np.tile(angles, sessions * n)
        parts.append(
            presentations(
                sessions, n * len(angles), responses_of(direction), label_direction=direction
            )
        )
    return parts


def values(probes: pd.DataFrame, split="test") -> pd.Series:
    """By measure, the value for direction over sessions."""
    table = summarised(probes[probes["split"] == split])
    return table[table["task"] == "direction"].set_index("measure")["value"]


def test_a_unit_for_each_class_is_pure_and_tells_it_perfectly(rng):
    def own(direction):
        noise = rng.normal(size=(len(direction), 6))
        return np.hstack([noise, 5.0 * (direction[:, None] == ANGLES)])

    probes = probing(*splits(own))
    assert list(probes) == COLUMNS
    assert set(probes["task"]) == {"direction"}
    assert (probes.loc[probes["measure"] != "auroc_dense", "value"] == 1).all()
    assert values(probes)["auroc_dense"] > 0.999
    assert (probes.loc[probes["measure"] == "purity", "chance"] == 0.25).all()
    assert (probes.loc[probes["split"] == "test", "n"] == 80).all()


def test_a_unit_that_falls_silent_tells_a_class_too(rng):
    probes = probing(*splits(lambda direction: 1.0 * (direction[:, None] != ANGLES)))
    assert values(probes)["auroc_1"] == values(probes)["purity"] == 1


def test_noise_tells_nothing(rng):
    probes = probing(*splits(lambda d: rng.normal(size=(len(d), 40)), sessions=20))
    found = values(probes)
    # of 400 presentations of a class; its error is below that of independent classes
    assert np.abs(found.drop("purity") - 0.5).max() < 3 * np.sqrt(1 / (12 * 400))
    assert found["purity"] == pytest.approx(0.25, abs=3 * np.sqrt(0.25 * 0.75 / (4 * 32)))


def test_silent_units_score_exactly_chance():
    found = values(probing(*splits(lambda d: np.zeros((len(d), 3)))))
    np.testing.assert_allclose(found.drop("purity"), 0.5)
    assert found["purity"] == pytest.approx(0.25)


def test_a_class_that_two_units_make_up_takes_two(rng):
    def halves(direction):
        up, right = direction >= 90, direction % 90 == 0
        return np.column_stack([up, right]) + 0.01 * rng.random((len(direction), 2))

    found = values(probing(*splits(halves)))
    assert found["auroc_1"] < 0.9
    assert found["auroc_2"] == 1


def test_sessions_of_another_mean_change_nothing(rng):
    plain = splits(lambda d: rng.normal(size=(len(d), 5)) + (d[:, None] == 45.0))
    moved = [
        Presentations(p.trials, p.responses + 100 * p.numbered("session_id")[:, None])
        for p in plain
    ]
    before, after = probing(*plain), probing(*moved)
    np.testing.assert_allclose(before["value"], after["value"], atol=1e-3)


def test_a_session_without_a_class_counts_for_the_others(rng):
    def own(direction):
        return (direction[:, None] == ANGLES) + 0.3 * rng.normal(size=(len(direction), 4))

    parts = [
        p.where(~((p.trials["session_id"] == "s0") & (p.trials["label_direction"] == 0)))
        for p in splits(own)
    ]
    probes = probing(*parts)
    test = probes[(probes["split"] == "test") & (probes["measure"] == "auroc_1")]
    assert test["n"].tolist() == [60, 80, 80]
    assert (test["value"] > 0.9).all()
    assert values(probes)["purity"] == 1


def test_what_train_does_not_have_is_left_out(rng):
    train, validation, test = splits(lambda d: rng.normal(size=(len(d), 4)))
    seen = train.where(train.trials["session_id"] != "s2")
    probes = probing(seen, validation, test)
    assert set(probes["session_id"]) == {"s0", "s1"}
    one_class = train.where(train.trials["label_direction"] == 0)
    assert probing(one_class, validation, test).empty


def test_units_are_chosen_and_weighted_on_train_alone(rng):
    """Unit 0 tells the class on train only, unit 1 on test only."""
    parts = splits(lambda d: rng.normal(size=(len(d), 2)))
    for part, unit in zip(parts, (0, 1, 1), strict=True):
        part.responses[:, unit] += 5 * (part.trials["label_direction"] == 0)
    probes = probing(*parts)
    assert abs(values(probes)["auroc_1"] - 0.5) < 0.1


def test_areas_are_those_of_mann_and_whitney(rng):
    """One unit of few levels, whose sign least squares can't mistake."""
    parts = splits(
        lambda d: rng.integers(0, 3, (len(d), 1)) + 2.0 * (d[:, None] == 45),
        sessions=1,
        angles=np.array([0.0, 45.0]),
    )
    test = parts[2]
    shown = test.trials["label_direction"] == 45
    u = mannwhitneyu(test.responses[shown, 0], test.responses[~shown, 0]).statistic
    assert values(probing(*parts))["auroc_1"] == pytest.approx(u / (shown.sum() * (~shown).sum()))


@given(st.integers(0, 1000))
def test_forward_selection_is_the_greedy_one(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(30, 6)) @ rng.normal(size=(6, 6))
    y = rng.normal(size=(30, 2))
    chosen = forward_selection(x.T @ x, x.T @ y, 3)
    for target, units in zip(y.T, chosen.T, strict=True):
        for i, unit in enumerate(units):
            errors = {
                u: np.linalg.lstsq(x[:, [*units[:i], u]], target)[1].sum()
                for u in set(range(6)) - set(units[:i])
            }
            assert errors[unit] <= min(errors.values()) * (1 + 1e-6)


def test_two_units_that_say_the_same_count_as_one(rng):
    x = rng.normal(size=(50, 3))
    x[:, 1] = x[:, 0]
    chosen = forward_selection(x.T @ x, x.T @ x[:, :1], 2)[:, 0]
    assert set(chosen.tolist()) in ({0, 2}, {1, 2})


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.data())
def test_equal_values_share_the_top(numbers, data):
    array = np.array(numbers, float)
    number = data.draw(st.integers(1, len(array)))
    share = top_share(array, number)
    assert share.sum() == pytest.approx(1)
    assert all(len(set(share[array == value])) == 1 for value in array)
    inside = np.sort(array)[::-1][:number]
    assert array @ share == pytest.approx(inside.mean())

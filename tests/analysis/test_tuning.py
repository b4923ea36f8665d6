"""Tuning curves of the most selective units."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.tuning import COLUMNS, UNITS, tuning, tuning_curves
from tests.analysis.worlds import presentations


def test_the_band_holds_means_of_noise_and_not_those_of_tuned_responses():
    rng = np.random.default_rng(0)
    labels, groups = np.arange(4000) % 20, np.arange(4000) // 400
    noise = tuning_curves(rng.random((4000, 1)), labels, groups)
    inside = (noise.low <= noise.mean) & (noise.mean <= noise.high)
    assert inside.mean() >= 0.8
    tuned = tuning_curves(rng.random((4000, 1)) + (labels == 3)[:, None], labels, groups)
    assert np.flatnonzero(tuned.mean[:, 0] > tuned.high[:, 0]).tolist() == [3]
    np.testing.assert_allclose(noise.error, 1 / np.sqrt(12 * 200), rtol=0.2)


def test_permutation_within_groups_keeps_differences_between_them_in_the_band():
    groups = np.repeat([0, 1], 500)
    labels = np.concatenate([np.arange(500) % 2, 2 + np.arange(500) % 2])
    curves = tuning_curves(np.where(groups == 1, 5.0, 1.0)[:, None], labels, groups)
    np.testing.assert_allclose(curves.low[:, 0], [1, 1, 5, 5])
    np.testing.assert_allclose(curves.high[:, 0], [1, 1, 5, 5])


@pytest.fixture
def test():
    """Ten units; those of ten presentations a session, two directions; mice of two lines."""
    rng = np.random.default_rng(0)
    return presentations(6, 10, rng.random((60, 10)), direction=np.tile([0.0, 45.0], 30))


@pytest.fixture
def sessions():
    lines = [*2 * ["a", "b"], "a", "unknown"]
    return pd.DataFrame({"mouse": [f"m{i}" for i in range(6)], "cre_line": lines})


def effects_of(variable):
    rows = pd.DataFrame({"unit": np.arange(10), "variable": variable})
    rows["stimulus"] = "drifting_gratings"
    rows["selected"] = rows["unit"] >= 7
    return rows.assign(effect_selection=np.linspace(0.9, 0.1, 10))


def test_the_selected_units_come_first_and_then_those_of_the_largest_effects(test, sessions):
    table = tuning(test, sessions, effects_of("direction"))
    assert list(table.columns) == COLUMNS
    assert list(table["unit"].unique()) == [7, 8, 9, 0]
    assert table["unit"].nunique() == UNITS


def test_means_are_of_the_labels(test, sessions):
    table = tuning(test, sessions, effects_of("direction")).set_index(["unit", "label"])
    direction = test.trials["direction"].to_numpy()
    for unit in (7, 0):
        for label in (0.0, 45.0):
            row = table.loc[(unit, f"{label:g}")]
            assert row["mean"] == pytest.approx(test.responses[direction == label, unit].mean())
            assert row["n"] == 30
    assert table["mouse"].isna().all()


def test_of_a_line_mice_are_the_observations_and_unknown_lines_are_none(test, sessions):
    table = tuning(test, sessions, effects_of("cre_line"))
    of_unit = table[table["unit"] == 7]
    lines, mice = of_unit[of_unit["mouse"].isna()], of_unit[of_unit["mouse"].notna()]
    assert lines.set_index("label")["n"].to_dict() == {"a": 3, "b": 2}
    assert list(mice["mouse"]) == [f"m{i}" for i in range(5)]
    assert (mice["n"] == 10).all()
    np.testing.assert_allclose(mice["mean"], test.responses[:50, 7].reshape(5, 10).mean(axis=1))
    np.testing.assert_allclose(lines["mean"], mice.groupby("label")["mean"].mean(), rtol=1e-6)


def test_behaviour_has_no_labels(test, sessions):
    assert tuning(test, sessions, effects_of("running_speed")).empty

"""Which rows, chosen where, measured where."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.hypotheses import Hypothesis, shared_stimulus
from glasscortex.analysis.selectivity import COLUMNS, rows_of, selectivity
from glasscortex.analysis.stimulus import of_presentations
from glasscortex.config import SelectivityConfig
from tests.analysis.worlds import presentations

CONFIG = SelectivityConfig(permutations=199, mouse_permutations=50, min_active=5)


@pytest.fixture
def table(splits, sessions):
    return selectivity(*splits, sessions, CONFIG, "topk")


def test_the_table_has_every_variable_that_can_be_tested(table):
    assert list(table.columns) == COLUMNS
    found = set(table[["variable", "stimulus"]].itertuples(index=False, name=None))
    # One mouse of each line: no claim about lines can be tested.
    assert found == {
        ("direction", "drifting_gratings"),
        ("orientation", "drifting_gratings"),
        ("movie_frame", "natural_movie_one"),
        ("running_speed", "all"),
    }
    assert (table["n_active"] >= CONFIG.min_active).all()


def test_columns_are_in_their_ranges(table):
    assert table["p"].between(table["p_min"] - 1e-9, 1).all()
    assert (table["q"] >= table["p"] - 1e-9).all()
    assert table["effect"].between(0, 1 + 1e-6).all()
    gratings = table[table["variable"].isin(["direction", "orientation"])]
    assert gratings["circular"].between(0, 1).all()
    assert gratings["auroc"].between(0, 1).all()
    assert set(gratings["preferred"].astype(float)) <= set(np.arange(8) * 45.0)
    running = table[table["variable"] == "running_speed"]
    assert running[["circular", "auroc", "mutual_information"]].isna().all(axis=None)
    assert (running["p_min"] == 0.5).all()
    assert not running["significant"].any()


def test_without_a_test_on_validation_no_unit_is_selected(table):
    """Validation holds one whole repeat of the movie."""
    movie = table[table["variable"] == "movie_frame"]
    assert movie["effect"].notna().all()
    assert movie[["effect_selection", "q_selection"]].isna().all(axis=None)
    assert not movie["selected"].any()


def test_orientation_is_part_of_direction(table):
    effect = table.pivot_table(index="unit", columns="variable", values="effect").dropna()
    assert (effect["orientation"] <= effect["direction"] + 1e-6).all()


def test_the_same_seed_gives_the_same_table(splits, sessions, table):
    pd.testing.assert_frame_equal(selectivity(*splits, sessions, CONFIG, "topk"), table)
    other = selectivity(*splits, sessions, CONFIG, "topk", seed=1)
    assert not other["p"].equals(table["p"])


def test_arrays_and_frames_are_enough():
    """Only what is known is tested: no behaviour, and of the mice nothing but their names."""
    rng = np.random.default_rng(0)
    strength = np.repeat([0, 2], 20)
    splits = planted(rng, strength), planted(rng, strength)
    sessions = splits[0].trials[["session_id", "mouse"]].drop_duplicates()
    table = selectivity(*splits, sessions, CONFIG)
    assert set(table["variable"]) == {"direction"}
    significant = set(table.loc[table["significant"], "unit"])
    assert set(range(20, 40)) <= significant
    assert len(significant) <= 22


def planted(rng, strength):
    direction = np.tile(np.arange(8) * 45.0, 30)
    responses = rng.normal(size=(240, 40)) + strength * (direction == 45)[:, None]
    return presentations(6, 40, np.maximum(responses, 0), direction=direction)


def test_units_are_selected_on_validation_and_measured_on_test():
    """Selective in one split alone: selected but not significant, or the other way round."""
    rng = np.random.default_rng(0)
    only = np.zeros(40)
    only[:4] = 2
    splits = planted(rng, only), planted(rng, only[::-1])
    measure = Hypothesis(
        "direction", "drifting_gratings", lambda p, g: of_presentations(p, "direction", 499, g)
    )
    rows = rows_of(measure, *splits, CONFIG, rng).set_index("unit")
    assert list(rows.index[rows["selected"]]) == [0, 1, 2, 3]
    assert list(rows.index[rows["significant"]]) == [36, 37, 38, 39]
    assert (rows.loc[:3, "preferred"] == "45").all()
    assert (rows.loc[:3, "effect_selection"] > rows.loc[:3, "effect"]).all()
    assert rows["fraction"].unique() == [0.1]
    assert rows["explained_mean"].unique() == pytest.approx([rows["explained"].mean()])
    assert (rows["n_mice"] == 6).all()
    assert (rows["p_together"] <= 0.01).all()


def test_silent_units_have_no_row():
    rng = np.random.default_rng(0)
    splits = planted(rng, np.zeros(40)), planted(rng, np.zeros(40))
    splits[1].responses[4:, 7] = 0
    splits[0].responses[:, 9] = 0
    measure = Hypothesis(
        "direction", "drifting_gratings", lambda p, g: of_presentations(p, "direction", 9, g)
    )
    rows = rows_of(measure, *splits, CONFIG, rng)
    assert set(range(40)) - set(rows["unit"]) == {7, 9}


def test_an_unreachable_rate_is_said(caplog):
    rng = np.random.default_rng(0)
    splits = planted(rng, np.zeros(40)), planted(rng, np.zeros(40))
    measure = Hypothesis(
        "direction", "drifting_gratings", lambda p, g: of_presentations(p, "direction", 9, g)
    )
    rows_of(measure, *splits, CONFIG, rng)
    assert "can't be reached" in caplog.text


def shown(*pairs):
    return pd.DataFrame(pairs, columns=["mouse", "stimulus"])


def test_mice_are_compared_on_what_most_of_them_saw():
    gratings = [(m, "drifting_gratings") for m in "ab"]
    movies = [(m, "natural_movie_one") for m in "abc"]
    assert shared_stimulus([shown(*gratings, *movies)]) == "natural_movie_one"
    assert shared_stimulus([shown(*gratings, *movies[:2])]) == "drifting_gratings"


def test_units_may_be_tested_some_at_a_time(splits, sessions, table, monkeypatch):
    """The same draws for all of them: what differs is the last digit of single precision."""
    presented = sum(len(split.trials) for split in splits)
    monkeypatch.setattr("glasscortex.analysis.selectivity.AT_ONCE", 3 * presented)
    in_parts = selectivity(*splits, sessions, CONFIG, "topk")
    pd.testing.assert_frame_equal(in_parts, table, rtol=1e-5, atol=1e-6)

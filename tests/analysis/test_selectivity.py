"""The stage: which rows, chosen where, measured where."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.measured import Presentations
from glasscortex.analysis.selectivity import (
    COLUMNS,
    Hypothesis,
    rows_of,
    selectivity,
    shared_stimulus,
)
from glasscortex.analysis.stimulus import of_presentations
from glasscortex.config import SelectivityConfig
from glasscortex.errors import InputError
from tests.analysis.worlds import presentations

CONFIG = SelectivityConfig(permutations=199, mouse_permutations=50, min_active=5)


@pytest.fixture
def table(recorded, tmp_path):
    selectivity(**recorded, out=tmp_path / "selectivity.csv", config=CONFIG)
    return pd.read_csv(tmp_path / "selectivity.csv")


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


def test_the_same_seed_writes_the_same_bytes(recorded, tmp_path, table):
    selectivity(**recorded, out=tmp_path / "again.csv", config=CONFIG)
    first, again = (tmp_path / f"{n}.csv" for n in ("selectivity", "again"))
    assert first.read_bytes() == again.read_bytes()


def test_damaged_activations_are_bad_input(recorded, tmp_path):
    next(recorded["activations"].glob("test/x/c/0/*")).write_bytes(b"")
    with pytest.raises(InputError):
        selectivity(**recorded, out=tmp_path / "x.csv", config=CONFIG)


def planted(rng, strength):
    direction = np.tile(np.arange(8) * 45.0, 30)
    responses = rng.normal(size=(240, 40)) + strength * (direction == 45)[:, None]
    return presentations(6, 40, np.maximum(responses, 0), direction=direction)


def test_units_are_selected_on_validation_and_measured_on_test():
    """Selective in one split alone: selected but not significant, or the other way round."""
    rng = np.random.default_rng(0)
    only = np.zeros(40)
    only[:4] = 2
    splits = {"validation": planted(rng, only), "test": planted(rng, only[::-1])}
    measure = Hypothesis(
        "direction", "drifting_gratings", lambda p, g: of_presentations(p, "direction", 499, g)
    )
    rows = rows_of(measure, splits, CONFIG, rng).set_index("unit")
    assert list(rows.index[rows["selected"]]) == [0, 1, 2, 3]
    assert list(rows.index[rows["significant"]]) == [36, 37, 38, 39]
    assert (rows.loc[:3, "preferred"] == "45").all()
    assert (rows.loc[:3, "effect_selection"] > rows.loc[:3, "effect"]).all()
    assert rows["fraction"].unique() == [0.1]


def test_silent_units_have_no_row():
    rng = np.random.default_rng(0)
    splits = {"validation": planted(rng, np.zeros(40)), "test": planted(rng, np.zeros(40))}
    splits["test"].responses[4:, 7] = 0
    splits["validation"].responses[:, 9] = 0
    measure = Hypothesis(
        "direction", "drifting_gratings", lambda p, g: of_presentations(p, "direction", 9, g)
    )
    rows = rows_of(measure, splits, CONFIG, rng)
    assert set(range(40)) - set(rows["unit"]) == {7, 9}


def test_an_unreachable_rate_is_said(caplog):
    rng = np.random.default_rng(0)
    splits = {"validation": planted(rng, np.zeros(40)), "test": planted(rng, np.zeros(40))}
    measure = Hypothesis(
        "direction", "drifting_gratings", lambda p, g: of_presentations(p, "direction", 9, g)
    )
    rows_of(measure, splits, CONFIG, rng)
    assert "can't be reached" in caplog.text


def shown(*pairs):
    trials = pd.DataFrame(pairs, columns=["mouse", "stimulus"])
    return Presentations(trials, np.zeros((len(pairs), 1), np.float32))


def test_mice_are_compared_on_what_most_of_them_saw():
    gratings = [(m, "drifting_gratings") for m in "ab"]
    movies = [(m, "natural_movie_one") for m in "abc"]
    assert shared_stimulus({"test": shown(*gratings, *movies)}) == "natural_movie_one"
    assert shared_stimulus({"test": shown(*gratings, *movies[:2])}) == "drifting_gratings"

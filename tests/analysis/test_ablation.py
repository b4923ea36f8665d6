"""On the small world with a decoder that knows nothing."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.ablation import (
    COLUMNS,
    Own,
    ablate,
    measured,
    own_units,
    planned,
    unit_costs,
)
from glasscortex.analysis.bench import Bench, evenly
from glasscortex.config import AblationConfig
from glasscortex.data.windows import WindowsFolder

CONFIG = AblationConfig(units=6, doses=(2, 4), draws=3, dose_draws=2, windows=20)
UNITS = 48


@pytest.fixture
def mice(sessions):
    return sessions.set_index("session_id")["mouse"]


@pytest.fixture
def bench(decoder, sae, world):
    return Bench(decoder, sae, world[0], WindowsFolder(world[2]), np.ones(UNITS), 20, seed=0)


@pytest.fixture
def own():
    return {"direction": Own(np.arange(6), 4), "movie_one": Own(np.arange(4, 10), 6)}


@pytest.fixture
def table(bench, own, mice):
    rng = np.random.default_rng(0)
    return measured(bench, own, rng.random((UNITS, 2)), mice, CONFIG, rng)


def test_the_table_has_what_is_done_to_units_by_every_task(table, vocabulary):
    assert list(table.columns) == COLUMNS
    counts = table.groupby(["variable", "condition"]).size() / len(vocabulary.tasks)
    # By the first method 2, 4 and 6 units, by the two others the chosen number.
    assert counts["direction"].to_dict() == {"kept": 1, "labels": 1, "probe": 1, "selective": 5}
    assert counts["movie_one"].to_dict() == counts["direction"].to_dict()
    assert set(table["task"]) == set(vocabulary.tasks)


def test_one_set_of_a_variable_is_chosen_and_has_all_draws(table):
    chosen = table[table["chosen"]]
    assert (chosen["method"] == "resample").all()
    assert chosen.groupby("variable")["n_units"].unique().map(list).to_dict() == {
        "direction": [4],
        "movie_one": [6],
    }
    of_own = table[(table["task"] == table["variable"]) & (table["condition"] == "selective")]
    assert (of_own["n_matched"] == np.where(of_own["chosen"], 3, 2)).all()
    assert of_own["p"].between(0.25, 1).all()
    assert (table.loc[table["task"] != table["variable"], "n_matched"] == 0).all()


def test_units_and_what_they_share_with_others_are_told(table):
    chosen = table[table["chosen"]].drop_duplicates("variable").set_index("variable")
    assert chosen["units"].to_dict() == {"direction": "0 1 2 3", "movie_one": "4 5 6 7 8 9"}
    assert (chosen["overlap"] == 0).all()
    six = table[(table["variable"] == "direction") & (table["n_units"] == 6)]
    assert np.allclose(six["overlap"], 2 / 6)


def test_the_score_is_intact_less_delta(table):
    np.testing.assert_allclose(table["intact"] - table["ablated"], table["delta"], atol=1e-7)
    assert (table.groupby("task")["intact"].nunique() == 1).all()


def test_the_same_seed_gives_the_same_table(decoder, sae, world, splits, mice):
    def made():
        return ablate(
            decoder=decoder,
            sae=sae,
            trials=world[0],
            windows=WindowsFolder(world[2]),
            responses=splits[0].responses,
            mice=mice,
            config=CONFIG,
        )

    first = made()
    assert list(first[0].columns) == COLUMNS
    for one, other in zip(made(), first, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_without_units_the_table_is_empty(bench, mice):
    table = measured(bench, {}, np.ones((UNITS, 2)), mice, CONFIG, np.random.default_rng(0))
    assert list(table.columns) == COLUMNS
    assert table.empty


class ToldScores:
    """A bench on which unit u of a task's own costs a known share, and only on validation."""

    def __init__(self, vocabulary, lost):
        self.tasks, self.definitions = vocabulary.tasks, vocabulary.definitions
        self.lost = lost

    def scores(self, split, conditions, score="headline"):
        assert split == "validation"
        intact = 0.6 if score == "headline" else 1.0
        sign = -1 if score == "headline" else 1
        rows = [
            {"session_id": "a", "task": task, "intact": intact}
            | {
                i: intact + sign * min(0.5, sum(self.lost[task].get(u, 0.0) for u in c.units))
                for i, c in enumerate(conditions)
            }
            for task in self.tasks
        ]
        return pd.DataFrame(rows)


def test_units_and_their_number_are_those_that_validation_needs(vocabulary):
    lost = {task: {} for task in vocabulary.tasks} | {
        "direction": {3: 0.1, 7: 0.3, 9: 0.05, 11: 0.2, 1: 0.4},
        "movie_one": {1: 0.9},
    }
    bench, alive = ToldScores(vocabulary, lost), np.arange(1, 40)
    costs = unit_costs(bench, alive, UNITS)
    column = list(vocabulary.tasks).index("direction")
    # From a loss of 1 nat to that of guessing among eight directions.
    assert costs[7, column] == pytest.approx(0.3 / (np.log(8) - 1))
    assert not costs[0].any() or np.isnan(costs[0]).any()
    own = own_units(bench, costs, alive, CONFIG)
    assert own["movie_one"].units.tolist() == [1]
    assert own["direction"].units.tolist()[:3] == [7, 11, 3]
    assert set(own) == {"direction", "movie_one"}
    assert own["direction"].number == 2


def test_doses_are_the_first_units_and_are_matched_each_by_itself():
    rng = np.random.default_rng(0)
    config = AblationConfig(units=8, doses=(2, 4, 8, 16), draws=3, dose_draws=1)
    traits = rng.random((100, 2))
    found = planned({"phase": Own(np.arange(8), 4)}, traits, np.eye(100), config, rng)
    removed = [c for c in found if c.method == "resample" and c.kind == "selective"]
    assert sorted({len(c.units) for c in removed}) == [2, 4, 8]
    assert {len(c.units) for c in found if c.method == "mean"} == {4}
    assert all(c.units == tuple(range(len(c.units))) for c in found if c.draw < 0)
    draws = pd.Series([len(c.units) for c in removed if c.draw >= 0]).value_counts()
    assert draws.to_dict() == {4: 3, 2: 1, 8: 1}
    others = [(c.kind, c.method, len(c.units)) for c in found if c.kind != "selective"]
    assert others == [(kind, "resample", 4) for kind in ("kept", "probe", "labels")]


def test_windows_are_spread_over_the_test_split(world):
    trials = world[0]
    of_session = trials[trials["session_id"] == "b"].reset_index(drop=True)
    mask = evenly(of_session, 10)
    counts = of_session[mask].groupby("stimulus").size()
    assert counts.to_dict() == {"drifting_gratings": 10, "natural_movie_one": 10}
    assert (of_session.loc[mask, "split"] == "test").all()
    test = np.flatnonzero(
        (of_session["split"] == "test") & (of_session["stimulus"] == "drifting_gratings")
    )
    assert mask[test[[0, -1]]].all()

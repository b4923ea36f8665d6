"""Units of two variables removed alone and together."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.bench import Bench
from glasscortex.analysis.interactions import COLUMNS, interactions
from glasscortex.data.windows import WindowsFolder
from glasscortex.tasks import ALLEN

NAMES = [f"s{i}" for i in range(6)]
MICE = pd.Series(NAMES, NAMES)
OWN = {"direction": np.array([0, 1]), "phase": np.array([1, 2, 3])}


class Known:
    """A bench on which a task loses what `cost` says of the units that are removed."""

    def __init__(self, cost):
        self.cost = cost
        self.definitions = ALLEN

    def scores(self, split, conditions, own_alone):
        assert (split, own_alone) == ("test", True)
        noise = 0.01 * np.random.default_rng(0).normal(size=len(NAMES))
        rows = pd.DataFrame({"session_id": NAMES, "intact": 0.6 + noise})
        parts = [rows.assign(task=task) for task in OWN]
        for part, task in zip(parts, OWN, strict=True):
            for number, c in enumerate(conditions):
                lost = self.cost(set(c.units)) if c.variable == task else np.nan
                part[number] = part["intact"] - lost
        return pd.concat(parts, ignore_index=True)


def told(cost, own=OWN):
    return interactions(Known(cost), own, MICE, "resample")


def test_units_side_by_side_do_not_interact():
    table = told(lambda units: 0.1 * len(units))
    assert list(table.columns) == COLUMNS
    assert table[["variable", "other"]].to_numpy().tolist() == [
        ["direction", "phase"],
        ["phase", "direction"],
    ]
    np.testing.assert_allclose(table["interaction"], 0, atol=1e-12)
    # A unit of both counts as the first's alone.
    assert table["n_others"].tolist() == [2, 1]
    np.testing.assert_allclose(table["delta_both"], 0.4)


def test_what_makes_up_for_another_is_lost_with_both():
    table = told(lambda units: 0.5 * (units >= {0, 2}))
    np.testing.assert_allclose(table["interaction"], 0.5)
    np.testing.assert_allclose(table[["delta", "delta_others"]], 0)
    assert (table["ci_low"] > 0).all()


def test_what_both_carry_is_lost_once():
    table = told(lambda units: 0.3 * bool(units & {0, 2}))
    np.testing.assert_allclose(table["interaction"], -0.3)


@pytest.mark.parametrize("other", ["orientation", "direction"])
def test_variables_that_name_the_same_are_no_pair(other):
    own = {"direction": np.array([0]), other: np.array([5])}
    assert told(lambda units: 0.0, own).empty


def test_on_a_bench_both_are_the_sum_of_what_is_lost(decoder, sae, world, sessions):
    bench = Bench(decoder, sae, world[0], WindowsFolder(world[2]), np.ones(48), 20, seed=0)
    own = {"direction": np.arange(4), "movie_one": np.arange(3, 9)}
    mice = sessions.set_index("session_id")["mouse"]
    table = interactions(bench, own, mice, "resample").set_index("variable")
    assert table["n_sessions"].to_dict() == {"direction": 2, "movie_one": 1}
    assert table["n_others"].to_dict() == {"direction": 5, "movie_one": 3}
    beyond = table["delta_both"] - table["delta"] - table["delta_others"]
    np.testing.assert_allclose(table["interaction"], beyond, atol=1e-7)

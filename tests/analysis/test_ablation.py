"""On the small world with a decoder that knows nothing."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.ablation import (
    COLUMNS,
    ablate,
    evenly,
    own_units,
    planned,
    rivals,
    selected_units,
)
from glasscortex.config import AblationConfig
from glasscortex.data.windows import WindowsFolder

CONFIG = AblationConfig(units=6, doses=(2, 6), draws=3, dose_draws=2, windows=20, bootstraps=50)


@pytest.fixture
def selected(splits):
    """Units that are said to be selective for direction and for the movie."""
    alive = np.flatnonzero((splits[1].responses > 0).any(axis=0))
    units = np.concatenate([alive[:4], alive[2:6]])
    table = pd.DataFrame({"unit": units, "explained_selection": np.tile([0.1, 0.4, 0.3, 0.2], 2)})
    table["variable"] = np.repeat(["direction", "movie_frame"], 4)
    table["stimulus"] = np.repeat(["drifting_gratings", "natural_movie_one"], 4)
    table["selected"] = True
    return table


@pytest.fixture
def arguments(decoder, sae, world, splits, sessions, selected):
    return {
        "decoder": decoder,
        "sae": sae,
        "trials": world[0],
        "windows": WindowsFolder(world[2]),
        "responses": splits[0].responses,
        "selectivity": selected,
        "mice": sessions.set_index("session_id")["mouse"],
        "config": CONFIG,
    }


@pytest.fixture
def table(arguments):
    return ablate(**arguments)


def test_the_table_is_a_matrix_of_variables_and_tasks(table, vocabulary):
    assert list(table.columns) == COLUMNS
    assert set(table["variable"]) == {"direction", "movie_one"}
    counts = table.groupby(["variable", "task"]).size()
    # Three methods with three draws at the full dose, zero with two draws at the dose of two.
    assert (counts == 3 * 4 + 3).all()
    assert set(counts.index.get_level_values("task")) == set(vocabulary.tasks)


def test_the_score_is_intact_less_delta(table):
    np.testing.assert_allclose(table["intact"] - table["ablated"], table["delta"], atol=1e-7)
    assert (table.groupby("task")["intact"].nunique() == 1).all()
    own = table[table["condition"] == "selective"]
    assert own["p"].between(0.25, 1).all()
    assert (own["draw"] == -1).all()


def test_the_same_seed_gives_the_same_table(arguments, table):
    pd.testing.assert_frame_equal(ablate(**arguments), table)


def test_chunks_of_conditions_change_nothing(arguments, table, monkeypatch):
    monkeypatch.setattr("glasscortex.analysis.ablation.MOST_PREDICTIONS", 1)
    pd.testing.assert_frame_equal(ablate(**arguments), table)


def test_without_selected_units_the_table_is_empty(arguments, selected):
    table = ablate(**arguments | {"selectivity": selected.assign(selected=False)})
    assert list(table.columns) == COLUMNS
    assert table.empty


def test_units_are_ranked_by_what_validation_explains(selected):
    found = selected_units(selected, ["direction", "orientation", "movie_one"])
    units = selected["unit"].to_numpy()
    np.testing.assert_array_equal(own_units("direction", found), units[[1, 2, 3, 0]])
    np.testing.assert_array_equal(own_units("movie_one", found), units[[5, 6, 7, 4]])
    assert len(own_units("orientation", found)) == 0


def test_a_unit_belongs_to_the_variable_that_explains_most_of_it():
    selected = {
        "direction": pd.Series({1: 0.3, 2: 0.1, 3: 0.2, 4: 0.2}),
        "orientation": pd.Series({1: 0.9}),  # names the same: no rival
        "temporal_frequency": pd.Series({1: 0.2, 2: 0.2}),
        "phase": pd.Series({3: 0.8}),  # shown by itself: no rival
        "running_speed": pd.Series({4: 0.5}),
    }
    assert rivals("direction", selected).to_dict() == {1: 0.2, 2: 0.2, 4: 0.5}
    np.testing.assert_array_equal(own_units("direction", selected), [1, 3])
    np.testing.assert_array_equal(own_units("temporal_frequency", selected), [2])
    np.testing.assert_array_equal(own_units("running_speed", selected), [4])


def test_doses_are_the_first_of_the_full_sets():
    rng = np.random.default_rng(0)
    config = AblationConfig(units=8, doses=(2, 4, 8, 16), draws=3, dose_draws=1)
    found = planned({"phase": np.arange(10)}, rng.random(100), rng.random(100), config, rng)
    zero = [c for c in found if c.method == "zero"]
    assert sorted({len(c.units) for c in zero}) == [2, 4, 8]
    assert sorted({len(c.units) for c in found if c.method == "mean"}) == [8]
    full = {c.draw: c.units for c in zero if len(c.units) == 8}
    assert full[-1] == tuple(range(8))
    assert all(c.units == full[c.draw][: len(c.units)] for c in zero)
    assert len([c for c in zero if len(c.units) == 4]) == 2
    assert len({(c.variable, c.method, len(c.units), c.draw) for c in found}) == len(found)


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

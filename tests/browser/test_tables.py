"""The table of units, what removal cost, and the rows of each unit's page."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.browser.catalogue import catalogue
from glasscortex.browser.pages import best_units, pages
from glasscortex.browser.table import COSTS, costs, overview, removed_sets


@pytest.fixture
def selectivity():
    columns = ["unit", "variable", "stimulus", "selected", "explained_selection", "significant"]
    rows = [
        (0, "direction", "drifting_gratings", True, 0.2, True),
        (0, "scene", "natural_scenes", False, 0.9, True),
        (0, "cre_line", "drifting_gratings", True, 0.8, True),
        (1, "direction", "drifting_gratings", False, 0.3, False),
        (1, "scene", "natural_scenes", False, 0.4, False),
    ]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(index="eta2", effect=np.arange(5) / 10, q=0.01, preferred="7")


@pytest.fixture
def ablation():
    rows = [
        ("direction", "direction", "resample", "selective", True, 0.3, "7 3 8 2"),
        ("direction", "phase", "resample", "selective", True, 0.1, "7 3 8 2"),
        ("direction", "direction", "resample", "selective", False, 0.2, "7 3"),
        ("direction", "direction", "resample", "kept", False, 0.0, "7 3 8 2"),
        ("direction", "direction", "zero", "selective", False, 0.25, "7 3 8 2"),
    ]
    columns = ["variable", "task", "method", "condition", "chosen", "delta", "units"]
    table = pd.DataFrame(rows, columns=columns).assign(intact=0.5, p=0.05, n_sessions=9)
    table["n_units"] = table["units"].str.split().str.len()
    ends = ["ci_low", "ci_high", "matched", "matched_low", "matched_high"]
    return table.assign(**dict.fromkeys(ends, 0.0))


def test_a_unit_is_shown_with_what_validation_selected_it_for(selectivity):
    purity = pd.Series([0.9, 0.8, np.nan, np.nan, 0.6])
    about = pd.DataFrame({"unit": [0, 1], "description": ["a", "b"], "r2": [0.5, np.nan], "n": 9})
    rate = pd.DataFrame({"unit": [0, 1, 2], "rate": [0.1, 0.2, 0.0]})
    reuse = pd.DataFrame({"unit": [0, 0], "task": ["direction", "scene"], "size": [0.1, 0.4]})
    none = removed_sets(pd.DataFrame(columns=COSTS))
    given = {"selectivity": selectivity, "purity": purity, "activity": rate, "reuse": reuse}
    table = overview(**given, descriptions=about, consensus=None, removed=none)
    assert table["unit"].tolist() == [0, 1]
    assert table["variable"].tolist() == ["direction", "scene"]
    assert table["purity"].tolist() == [0.9, 0.6]
    assert table["n_significant"].tolist() == [3, 0]
    assert table["cre_line"].tolist()[:1] == [0.2]
    assert table["output"].tolist()[:1] == ["scene"]
    assert not {"stability", "ablation"} & set(table)
    assert table["purity"].iloc[0] != purity[1]  # a variable's own, not the first that is known


def test_a_purity_that_is_unknown_is_not_another_variables(selectivity):
    purity = pd.Series([np.nan, 0.8, np.nan, np.nan, 0.6])
    about = pd.DataFrame({"unit": [0, 1], "description": "", "r2": 0.0, "n": 9})
    rate = pd.DataFrame({"unit": [0, 1], "rate": 0.1})
    none = removed_sets(pd.DataFrame(columns=COSTS))
    given = {"selectivity": selectivity, "purity": purity, "activity": rate, "reuse": None}
    table = overview(**given, descriptions=about, consensus=None, removed=none)
    assert np.isnan(table["purity"].iloc[0])


def test_costs_are_those_of_removals(ablation):
    table = costs(ablation)
    assert list(table) == COSTS
    assert table["delta"].tolist() == [0.3, 0.1, 0.2, 0.25]


def test_a_unit_is_in_the_sets_that_validation_chose(ablation):
    removed = removed_sets(costs(ablation))
    assert removed["unit"].tolist() == [7, 3, 8, 2]
    assert removed["rank"].tolist() == [1, 2, 3, 4]
    assert (removed[["task", "n_units", "delta"]] == ["direction", 4, 0.3]).all(axis=None)


def test_a_page_holds_the_rows_of_its_unit_and_of_no_other():
    rows = pd.DataFrame({"unit": [3, 1, 3], "value": [0, 1, 2]})
    found = dict(pages({"rows": rows, "none": rows[:0]}, [1, 2, 3]))
    assert {unit: page["rows"]["value"].tolist() for unit, page in found.items()} == {
        1: [1],
        2: [],
        3: [0, 2],
    }
    assert all(page["none"].empty for page in found.values())


def test_the_best_unit_is_chosen_on_validation(selectivity):
    tuning = pd.DataFrame({"unit": [0, 1, 0], "label": ["7", "7", "8"], "mouse": [None, None, "m"]})
    tuning = tuning.assign(variable="direction", stimulus="drifting_gratings", mean=0.5)
    best = best_units(selectivity, tuning)
    assert best[["unit", "label"]].to_numpy().tolist() == [[0, "7"]]
    assert best["effect"].tolist() == [0.0]


def test_the_catalogue_lists_what_was_opened():
    sae = pd.DataFrame(
        {
            "model": "trained",
            "seed": 0,
            "sae": ["a", "a", "pca"],
            "split": ["train", "test", "test"],
        }
    )
    sessions = pd.DataFrame({"session_id": ["1"], "mouse": ["m"], "sex": ["f"]})
    found = catalogue(sae, sessions, ["a"], {})
    assert found["fits"].to_dict("list") == {"model": ["trained"], "seed": [0], "sae": ["a"]}
    assert list(found["sessions"]) == ["session_id", "mouse"]
    assert found["variables"]["direction"]["unit"] == "°"

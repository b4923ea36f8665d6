"""Dictionaries are told as the tables have it, and held against the best basis of validation."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.rivals import MEASURES, RIVALS, dictionaries, rivals

BASES = ("axes", "pca")
FIT = {"model": "trained", "seed": 0}


def fits(*names: str, hook="latents.2", **changed) -> pd.DataFrame:
    rows = [
        {**FIT, "sae": name, "hook": hook, "architecture": name, "width": 8, "k": np.nan}
        | {"fvu": 0.1 * (name not in BASES), "l0": 4.0, "dead_fraction": 0.0, "split": split}
        for name in names
        for split in ("train", "test")
    ]
    return pd.DataFrame(rows).assign(**changed)


def probes(name: str, validation: float, test: float, task="direction") -> pd.DataFrame:
    """Of 4 sessions that differ by .1 from one to the next, about these means."""
    rows = [
        {**FIT, "sae": name, "task": task, "split": split, "measure": measure}
        | {"session_id": f"s{i}", "value": mean + 0.1 * (i - 1.5), "weight": 1.0}
        | {"chance": 0.25, "n": 10}
        for split, mean in (("validation", validation), ("test", test))
        for measure in MEASURES
        for i in range(4)
    ]
    return pd.DataFrame(rows)


def decoding(**value: float) -> pd.DataFrame:
    """Accuracy of each task, ± .05, over all sessions; chance is .2."""
    rows = [
        {**FIT, "session_id": "all", "task": task, "split": "test", "metric": "accuracy"}
        | {"value": v, "ci_low": v - 0.05, "ci_high": v + 0.05, "chance": 0.2}
        for task, v in value.items()
    ]
    return pd.DataFrame(rows)


def spliced(**value: tuple[float, float, bool]) -> pd.DataFrame:
    rows = [
        {**FIT, "sae": "topk", "task": task, "condition": condition, "value": v, "delta": d}
        | {"equivalent": same}
        for task, (v, d, same) in value.items()
        for condition in ("spliced", "mean")
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def probing():
    return pd.concat(
        [
            probes("topk", 0.7, 0.8),
            probes("axes", 0.8, 0.6),
            probes("pca", 0.7, 0.9),
            probes("topk", 0.1, 0.1, "scene"),
            probes("axes", 0.1, 0.1, "scene"),
        ]
    )


@pytest.fixture
def tables(probing):
    return {
        "sae": fits("topk", *BASES),
        "splice": spliced(
            direction=(0.4, -0.1, False), scene=(0.5, 0.0, True), phase=(0.21, -0.2, True)
        ),
        "decoding": decoding(direction=0.5, scene=0.5, phase=0.22),
        "probing": probing,
        "recovery": None,
        "bases": BASES,
    }


def test_a_dictionary_keeps_what_is_left_above_chance(tables):
    table = dictionaries(**tables).set_index("sae")
    assert len(table) == 3
    kept = table.loc["topk"]
    assert kept["kept"] == pytest.approx((0.2 / 0.3 + 1) / 2)
    assert (kept["equivalent"], kept["tasks"]) == (1, 2)
    bases = table.loc[list(BASES)]
    assert (bases[["kept", "equivalent", "tasks"]] == [1, 2, 2]).all(axis=None)
    assert table["basis"].tolist() == [False, True, True]


def test_a_basis_that_is_not_whole_was_not_spliced_either(tables):
    tables["sae"].loc[tables["sae"]["sae"] == "axes", "fvu"] = 0.1
    table = dictionaries(**tables).set_index("sae")
    assert table.loc["axes", ["kept", "equivalent"]].isna().all()
    assert (table.loc["pca", ["kept", "equivalent"]] == [1, 2]).all()


def test_a_decoder_that_reads_nothing_has_nothing_to_keep(tables):
    table = dictionaries(**tables | {"decoding": decoding(direction=0.2)})
    assert table["kept"].isna().all()
    assert (table[["equivalent", "tasks"]] == 0).all(axis=None)


def test_the_share_of_recovered_factors_is_told(tables):
    recovery = pd.DataFrame(
        [
            {**FIT, "sae": name, "factor": f"direction={i}", "recovered": i < number}
            for name, number in (("topk", 1), ("axes", 4))
            for i in range(4)
        ]
    )
    other = recovery.assign(seed=1, recovered=False)
    table = dictionaries(**tables | {"recovery": pd.concat([recovery, other])})
    np.testing.assert_array_equal(table.set_index("sae")["recovered"], [0.25, 1, np.nan])


def test_without_ground_truth_nothing_is_recovered_or_not(tables):
    table = dictionaries(**tables)
    assert table["recovered"].isna().all()
    assert table["sae"].tolist() == ["topk", *BASES]


def test_measures_are_those_of_gratings_on_test(tables):
    table = dictionaries(**tables).set_index("sae")
    assert set(table["probed"]) == {"all gratings"}
    for measure in MEASURES:
        np.testing.assert_allclose(table[measure], [0.8, 0.6, 0.9])
        reach = 3.182 * np.std([0.65, 0.75, 0.85, 0.95], ddof=1) / 2
        np.testing.assert_allclose(table[f"{measure}_low"], table[measure] - reach, atol=1e-3)
        np.testing.assert_allclose(table[f"{measure}_high"], table[measure] + reach, atol=1e-3)
    assert (table["purity_chance"] == 0.25).all()


def test_movies_are_judged_where_no_gratings_were_shown(tables):
    probing = pd.concat([probes(name, 0.6, 0.7, "movie_one") for name in ("topk", *BASES)])
    table = dictionaries(**tables | {"probing": probing})
    assert set(table["probed"]) == {"all classes"}
    np.testing.assert_allclose(table["purity"], 0.7)


def test_a_dictionary_of_which_nothing_was_probed_stays_in_the_table(tables):
    table = dictionaries(**tables | {"probing": tables["probing"].head(0)})
    assert table["sae"].tolist() == ["topk", *BASES]
    assert table["purity"].isna().all()


def test_the_rival_is_chosen_on_validation(probing):
    table = rivals(sae=fits("topk", *BASES), probing=probing, bases=BASES)
    assert table.columns.tolist() == RIVALS
    assert set(table["sae"]) == {"topk"}
    assert (table["rival"] == "axes").all()
    assert set(table["task"]) == {"direction", "scene", "all gratings"}
    assert set(table["measure"]) == set(MEASURES)
    own = table.set_index("task")["difference"]
    np.testing.assert_allclose(own[["direction", "all gratings"]], 0.2)
    np.testing.assert_allclose(own["scene"], 0, atol=1e-12)
    assert table["n_sessions"].eq(4).all()


def test_each_task_has_its_own_rival(probing):
    better = probes("pca", 0.2, 0.05, "scene")
    table = rivals(
        sae=fits("topk", *BASES), probing=pd.concat([probing, better]), bases=BASES
    ).set_index("task")
    assert set(table.loc["scene", "rival"]) == {"pca"}
    assert set(table.loc["direction", "rival"]) == {"axes"}
    np.testing.assert_allclose(table.loc["scene", "difference"], 0.05)


def test_bases_of_another_hook_are_no_rivals(probing):
    sae = pd.concat([fits("topk", hook="latents.1"), fits(*BASES)])
    assert rivals(sae=sae, probing=probing, bases=BASES).empty
    sae = pd.concat([fits("topk", "pca"), fits("axes", hook="latents.1")])
    assert set(rivals(sae=sae, probing=probing, bases=BASES)["rival"]) == {"pca"}


def test_the_cells_are_a_rival_of_every_dictionary(probing, tables):
    cells = probes("cells", 0.9, 0.75).assign(model="cells")
    probing = pd.concat([cells[cells["measure"] != "purity"], probing])
    table = rivals(sae=fits("topk", *BASES), probing=probing, bases=BASES)
    beside = table[table["rival"] == "cells"]
    assert set(beside["task"]) == {"direction", "all gratings"}
    assert set(beside["measure"]) == set(MEASURES) - {"purity"}
    np.testing.assert_allclose(beside["difference"], 0.05)
    assert set(table.loc[table["task"] == "scene", "rival"]) == {"axes"}
    *_, last = dictionaries(**tables | {"probing": probing}).itertuples()
    assert (last.model, last.sae, last.auroc_1) == ("cells", "cells", pytest.approx(0.75))
    assert np.isnan([last.l0, last.kept, last.purity]).all()


def test_where_there_are_no_bases_there_is_no_rival(probing):
    table = rivals(sae=fits("topk"), probing=probing, bases=())
    assert table.empty
    assert table.columns.tolist() == RIVALS

"""Claims follow the tables, whichever way these point."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.claims import claims
from glasscortex.analysis.claims.decoding import RIVALS
from glasscortex.config import SelectivityConfig
from glasscortex.intervals import student_reach

OWN_TASK = "ablating direction units costs direction more than "


def score(model, task, value, low, high, chance=0.125, sessions=40):
    """The mean over sessions, and every session's own."""
    names = ["all", *(f"s{i}" for i in range(sessions))]
    return pd.DataFrame(
        {
            "model": model, "seed": 0, "session_id": names, "task": task, "split": "test",
            "metric": "accuracy", "value": value, "ci_low": low, "ci_high": high, "chance": chance,
        }
    )  # fmt: skip


def spliced(condition, task, delta, margin=0.03):
    low, high = delta - 0.01, delta + 0.01
    return {
        "model": "trained", "seed": 0, "sae": "topk", "task": task, "condition": condition,
        "delta": delta, "delta_low": low, "delta_high": high, "margin": margin,
        "equivalent": -margin < low and high < margin, "n_mice": 40,
    }  # fmt: skip


def units(model, variable, stimulus, significant, alive, error=0.02, explained=0.1):
    return pd.DataFrame(
        {
            "model": model, "seed": 0, "sae": "topk", "unit": np.arange(alive),
            "variable": variable, "stimulus": stimulus, "replicate": "presentation",
            "significant": np.arange(alive) < significant, "fraction_error": error,
            "explained_mean": explained, "explained_error": error, "n_mice": 21,
            "p_min": 0.001, "p_together": 0.001,
        }
    )  # fmt: skip


def recognised(model="trained", sae="topk", accuracy=0.75, p=0.001, variable="cre_line", mice=8):
    """Mice of two lines, of which the first are recognised; and the same made equal in running."""
    label = ["a", "b"] * (mice // 2)
    right = np.arange(mice) < round(accuracy * mice)
    other = np.where(np.array(label) == "a", "b", "a")
    shared = {"model": model, "seed": 0, "sae": sae, "variable": variable, "measure": "accuracy"}
    of_mice = {"mouse": [f"m{i}" for i in range(mice)], "kind": "all", "adjusted": "nothing"}
    rows = pd.DataFrame(
        {
            "mouse": "all", "kind": ["all", "mean", "tuning", "all"],
            "adjusted": ["nothing", "nothing", "nothing", "running"], "value": accuracy,
            "ci_low": accuracy - 0.1, "ci_high": accuracy + 0.1, "chance": 0.5,
            "p": [p, 0.5, 0.01, p], "p_min": 0.0002, "n_permutations": 5000, "n_mice": mice,
            "n_significant": 7, "n_units": 100,
        }
    )  # fmt: skip
    said = pd.DataFrame(of_mice | {"label": label, "recognised_as": np.where(right, label, other)})
    return pd.concat([rows, said]).assign(**shared)


def ablated(
    variable, task, excess, specificity=np.nan, n_units=8, condition="selective", chosen=True
):
    return {
        "model": "trained", "seed": 0, "sae": "topk", "variable": variable, "task": task,
        "n_units": n_units, "method": "resample", "condition": condition, "chosen": chosen,
        "intact": 0.5, "n_matched": 200, "delta": excess, "p": 0.05, "n_sessions": 24,
        "excess": excess, "excess_low": excess - 0.01,
        "excess_high": excess + 0.01, "specificity": specificity,
        "specificity_low": specificity - 0.01, "specificity_high": specificity + 0.01,
        "overlap": 0.25,
    }  # fmt: skip


def tables():
    saes = [{"model": m, "seed": 0, "sae": "topk"} for m in ("trained", "untrained", "shuffled")]
    return {
        "decoding": pd.concat(
            [
                score("trained", "direction", 0.4, 0.35, 0.45),
                score("trained", "phase", 0.25, 0.2, 0.3, 0.25),
                score("untrained", "direction", 0.13, 0.11, 0.15),
                score("shuffled", "direction", 0.14, 0.13, 0.15),
            ]
        ),
        "comparison": pd.DataFrame(
            [{"task": task, "against": against, "difference": 0.05, "ci_low": 0.01,
              "ci_high": 0.09, "n_sessions": 24, "n_mice": 20}
             for against in [*RIVALS, "start"] for task in ("all classification", "direction")]
        ),
        "sae": pd.DataFrame(saes),
        "splice": pd.DataFrame(
            [
                spliced("spliced", "direction", -0.01),
                spliced("spliced", "phase", 0.0),
                spliced("random_sae", "direction", -0.2),
                spliced("random_sae", "phase", 0.0),
                spliced("mean", "direction", -0.25),
            ]
        ),
        "selectivity": pd.concat(
            [
                units("trained", "direction", "drifting_gratings", 30, 100),
                units("untrained", "direction", "drifting_gratings", 1, 50, 0.01, 0.01),
                units("shuffled", "direction", "drifting_gratings", 1, 50, 0.01, 0.01),
                units("trained", "running_speed", "all", 5, 100, 0.01),
                units("untrained", "running_speed", "all", 0, 100, 0.01, 0.0),
                units("shuffled", "running_speed", "all", 0, 100, 0.01, 0.0),
            ]
        ),
        "recognition": pd.concat(
            [
                recognised(accuracy=1.0, mice=24),
                recognised("untrained", accuracy=0.5, mice=24),
                recognised("cells", "cells", accuracy=0.5, mice=24),
            ]
        ),
        "ablation": pd.DataFrame(
            [
                ablated("direction", "direction", 0.2, 0.15),
                ablated("direction", "direction", 0.02, -0.1, n_units=4, chosen=False),
                ablated("direction", "phase", -0.5),
                ablated("direction", "direction", np.nan, condition="probe", chosen=False),
            ]
        ),
        "recovery": pd.DataFrame(
            {"model": "trained", "seed": 0, "sae": "topk", "score": [0.5, 0.4, 0.3, 0.1],
             "null": 0.2}
        ),
        "consensus": None,
    }  # fmt: skip


def told(**changed):
    return claims(**tables() | changed, config=SelectivityConfig()).set_index("claim")


def test_a_world_in_which_all_claims_hold():
    table = told()
    assert (table["verdict"] == "holds").all()
    assert list(table.columns) == [
        "estimate", "ci_low", "ci_high", "threshold", "measure", "n", "of", "method", "rival",
        "verdict", "reason", "seed", "sae",
    ]  # fmt: skip
    assert len(table) == (len(RIVALS) + 1 + 2) + 2 + 3 + 2 * 3 + 4 + 2 + 1
    assert (table[["measure", "of", "method", "rival", "reason"]] != "").all(axis=None)


def test_nothing_is_claimed_of_a_dictionary_that_was_not_spliced():
    found = tables()
    added = {
        name: pd.concat([found[name], found[name].assign(sae="pca")])
        for name in ("sae", "recovery")
    }
    pd.testing.assert_frame_equal(told(**added), told())


def test_estimates():
    table = told()
    share = table.loc["units are selective for direction (drifting_gratings)"]
    reach = student_reach(21) * 0.02
    assert (share["estimate"], share["ci_low"]) == pytest.approx((0.3, 0.3 - reach))
    assert (share["n"], share["of"]) == (21, "mice")
    more = table.loc["units tell more of direction (drifting_gratings) than those of untrained"]
    assert more["estimate"] == pytest.approx(0.09)
    freedom = 20 * 0.0005**2 / (0.0004**2 + 0.0001**2)
    assert more["ci_high"] - 0.09 == pytest.approx(student_reach(freedom + 1) * np.sqrt(0.0005))
    assert more["measure"].endswith("0.1 against 0.01")
    own = table.loc["ablating direction units costs direction more than matched random units"]
    assert own["estimate"] == 0.2


def test_all_variables_have_their_controls():
    for variable in ("direction (drifting_gratings)", "running_speed (all)"):
        for control in ("untrained", "shuffled"):
            assert f"units tell more of {variable} than those of {control}" in told().index


def test_only_what_exceeds_the_start_is_learnt():
    found = told()
    assert found.loc["training improves direction", "rival"] == "what training starts from"
    comparison = tables()["comparison"]
    is_start = comparison["against"] == "start"
    worse = comparison.assign(ci_low=comparison["ci_low"].where(~is_start, -0.01))
    found = told(comparison=worse)
    assert (found.index[found["verdict"] == "fails"].str.startswith("training improves")).all()


def changed(name, **columns):
    return {name: tables()[name].assign(**columns)}


@pytest.mark.parametrize(
    ("change", "fails"),
    [
        (changed("comparison", ci_low=-0.01), "the transformer decodes better"),
        (changed("splice", equivalent=False), "decoding is unchanged"),
        (changed("splice", equivalent=True), "decoding changes with mean"),
        (changed("selectivity", significant=False), "units are selective for direction"),
        (changed("selectivity", p_together=0.2), "units are selective for running"),
        (changed("selectivity", explained_mean=0.1), "units tell more of direction"),
        (changed("recognition", p=0.2), "units tell the cre_line of a mouse"),
        (changed("ablation", excess_low=-0.1), OWN_TASK + "matched"),
        (changed("ablation", p=0.2), OWN_TASK + "matched"),
        (changed("ablation", specificity_low=-0.1), OWN_TASK + "the other"),
        (changed("decoding", value=0.3, ci_low=0.28, ci_high=0.4), "the untrained decoder is at"),
        (changed("recovery", score=0.0), "units follow the factors"),
    ],
)  # fmt: skip
def test_claims_fail_with_their_evidence(change, fails):
    table = told(**change)
    found = table[table.index.str.startswith(fails)]
    assert len(found)
    assert (found["verdict"] == "fails").any()
    assert not (table["verdict"] == "not testable").any()
    if "selectivity" not in change:
        others = table[~table.index.str.startswith(fails)]
        assert (others["verdict"] == "holds").mean() > 0.6


@pytest.mark.parametrize(
    ("change", "blind", "reason"),
    [
        (changed("comparison", n_mice=3), "the transformer decodes better", "3 mice"),
        (changed("splice", n_mice=3), "decoding is unchanged", "3 mice"),
        (changed("selectivity", n_mice=3), "units are selective for running", "3 mice"),
        (changed("selectivity", n_mice=3), "units tell more of running", "3 mice"),
        (changed("selectivity", p_min=1 / 6), "units are selective", "no p below 0.17"),
        (changed("recognition", n_mice=3), "units tell the cre_line of a mouse beyond", "3 mice"),
        (changed("recognition", p_min=0.1), "units tell the cre_line of a mouse beyond", "no p"),
        (changed("decoding", ci_high=0.3), "the untrained decoder is at", "uncertain in direction"),
    ],
)  # fmt: skip
def test_with_too_few_nothing_is_said(change, blind, reason):
    table = told(**change)
    found = table[table.index.str.startswith(blind)]
    assert len(found)
    assert (found["verdict"] == "not testable").all()
    assert found["reason"].str.contains(reason).all()


def test_tasks_of_few_mice_do_not_decide_of_a_splice():
    splice = tables()["splice"]
    few = splice["task"] == "phase"
    splice = splice.assign(
        n_mice=splice["n_mice"].where(~few, 2), equivalent=splice["equivalent"] & ~few
    )
    decoding = tables()["decoding"]
    decoding.loc[decoding["task"] == "phase", "ci_low"] = 0.26
    row = told(splice=splice, decoding=decoding).loc[
        "decoding is unchanged with the SAE spliced in"
    ]
    assert (row["verdict"], row["n"]) == ("holds", 40)
    assert row["reason"] == "within the margin in 1 of 1 tasks; too few mice in phase"


def test_tasks_at_chance_tell_nothing_about_a_random_sae():
    """Phase is not decoded, and cannot get worse."""
    row = told().loc["decoding changes with random_sae spliced in"]
    assert "direction, the smallest of 1 tasks" in row["measure"]


def test_mice_are_recognised_by_all_units_and_better_than_by_rivals():
    table = told()
    own = table.loc["units tell the cre_line of a mouse"]
    assert (own["estimate"], own["threshold"], own["n"], own["of"]) == (1.0, 0.5, 24, "mice")
    assert "tuning 1 (p 0.01), mean 1 (p 0.5); 7 of 100 units" in own["measure"]
    for rival in ("those of untrained", "summaries of the cells"):
        better = table.loc[f"units tell the cre_line of a mouse better than {rival}"]
        assert (better["n"], better["verdict"]) == (24, "holds")
        assert better["estimate"] == pytest.approx(0.5)
    alike = pd.concat([recognised(), recognised("untrained", accuracy=0.75)])
    better = told(recognition=alike).filter(like="better than those of untrained", axis=0).iloc[0]
    assert (better["estimate"], better["verdict"]) == (0.0, "fails")


def test_what_mice_differ_in_is_not_counted_unit_by_unit():
    line = units("trained", "cre_line", "drifting_gratings", 30, 100)
    table = told(selectivity=pd.concat([tables()["selectivity"], line]))
    pd.testing.assert_frame_equal(table, told())


def test_without_truth_there_is_no_claim_about_it():
    assert told().index.str.contains("simulated").any()
    assert not told(recovery=None).index.str.contains("simulated").any()


def test_nothing_selected_gives_no_claim_about_ablation():
    table = told(ablation=tables()["ablation"].iloc[:0])
    assert not table.index.str.startswith("ablating").any()


def consensus(trained, untrained=1):
    """The first units of each model; each stands there once for each of two other seeds."""
    parts = [
        pd.DataFrame({"unit": np.repeat(np.arange(100), 2), "other_seed": np.tile([1, 2], 100)})
        .assign(model=model, seed=seed, sae="topk")
        .assign(consensus=lambda rows, n=n: rows["unit"] < n * (rows["seed"] == 0))
        for model, n in (("trained", trained), ("untrained", untrained))
        for seed in range(3)
    ]
    return pd.concat(parts)


def test_of_several_seeds_only_consensus_units_count():
    """Of 100 living units 30 are selective, and 20 are what most other seeds have, too."""
    table = told(consensus=consensus(20))
    assert not table.index.str.startswith("units are selective").any()
    share = table.loc["consensus units are selective for direction (drifting_gratings)"]
    assert share["estimate"] == 0.2
    assert share["measure"].endswith("20 of 20 consensus units")
    assert (share["n"], share["of"]) == (100, "units")
    assert (table["verdict"] == "holds").all()


def test_without_a_consensus_unit_none_is_selective():
    none = told(consensus=consensus(0))
    share = none.loc["consensus units are selective for direction (drifting_gratings)"]
    assert (share["estimate"], share["ci_low"], share["verdict"]) == (0, 0, "fails")


def test_what_is_not_said_of_single_units_is_as_with_one_seed():
    alone, several = told(), told(consensus=consensus(20))
    same = ~alone.index.str.contains("are selective")
    assert (~same).sum() == 2
    pd.testing.assert_frame_equal(alone[same], several.loc[alone.index[same]])

"""Claims follow the tables, whichever way these point."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.claims import RIVALS, claims
from glasscortex.config import SelectivityConfig

OWN_TASK = "ablating direction units costs direction more than "


def score(model, task, value, low, high, chance=0.125):
    return {
        "model": model, "seed": 0, "session_id": "all", "task": task, "split": "test",
        "metric": "accuracy", "value": value, "ci_low": low, "ci_high": high, "chance": chance,
    }  # fmt: skip


def spliced(condition, task, delta, margin=0.03):
    low, high = delta - 0.01, delta + 0.01
    return {
        "model": "trained", "seed": 0, "sae": "topk", "task": task, "condition": condition,
        "delta": delta, "delta_low": low, "delta_high": high, "margin": margin,
        "equivalent": -margin < low and high < margin,
    }  # fmt: skip


def units(model, variable, stimulus, significant, alive, error=0.02):
    return pd.DataFrame(
        {
            "model": model, "seed": 0, "sae": "topk", "unit": np.arange(alive),
            "variable": variable, "stimulus": stimulus,
            "significant": np.arange(alive) < significant, "fraction_error": error,
        }
    )  # fmt: skip


def ablated(variable, task, excess, specificity=np.nan, n_units=8, condition="selective"):
    return {
        "model": "trained", "seed": 0, "sae": "topk", "variable": variable, "task": task,
        "n_units": n_units, "method": "zero", "condition": condition, "intact": 0.5,
        "delta": excess, "p": 0.05, "excess": excess, "excess_low": excess - 0.01,
        "excess_high": excess + 0.01, "specificity": specificity,
        "specificity_low": specificity - 0.01, "specificity_high": specificity + 0.01,
        "overlap": 0.25,
    }  # fmt: skip


def tables():
    saes = [{"model": m, "seed": 0, "sae": "topk"} for m in ("trained", "untrained", "shuffled")]
    return {
        "decoding": pd.DataFrame(
            [
                score("trained", "direction", 0.4, 0.35, 0.45),
                score("trained", "phase", 0.25, 0.2, 0.3, 0.25),
                score("untrained", "direction", 0.13, 0.11, 0.15),
                score("shuffled", "direction", 0.14, 0.13, 0.15),
            ]
        ),
        "comparison": pd.DataFrame(
            [{"task": "all classification", "against": against, "difference": 0.05,
              "ci_low": 0.01, "ci_high": 0.09, "n_sessions": 24} for against in RIVALS]
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
                units("untrained", "direction", "drifting_gratings", 1, 50, 0.01),
                units("trained", "cre_line", "drifting_gratings", 5, 100),
            ]
        ),
        "ablation": pd.DataFrame(
            [
                ablated("direction", "direction", 0.2, 0.15),
                ablated("direction", "direction", 0.02, -0.1, n_units=4),
                ablated("direction", "phase", -0.5),
                ablated("direction", "direction", np.nan, condition="matched_random"),
            ]
        ),
        "recovery": pd.DataFrame(
            {"model": "trained", "seed": 0, "sae": "topk", "score": [0.5, 0.4, 0.1], "null": 0.2}
        ),
        "consensus": None,
        "sessions": pd.DataFrame({"mouse": list("aabbcde"), "held_out": [*6 * [False], True]}),
    }  # fmt: skip


def told(**changed):
    return claims(**tables() | changed, config=SelectivityConfig()).set_index("claim")


def test_a_world_in_which_all_claims_hold():
    table = told()
    assert table["holds"].all()
    assert list(table.columns) == [
        "estimate", "ci_low", "ci_high", "threshold", "holds", "detail", "seed", "sae",
    ]  # fmt: skip
    assert len(table) == len(RIVALS) + 2 + 3 + 4 + 2 + 1


def test_nothing_is_claimed_of_a_dictionary_that_was_not_spliced():
    found = tables()
    added = {
        name: pd.concat([found[name], found[name].assign(sae="pca")])
        for name in ("sae", "recovery")
    }
    pd.testing.assert_frame_equal(told(**added), told())


def test_estimates():
    table = told()
    fraction = table.loc["units are selective for direction (drifting_gratings)"]
    assert (fraction["estimate"], fraction["ci_low"]) == pytest.approx(
        (0.3, 0.3 - 1.96 * 0.02), abs=1e-4
    )
    more = table.loc["more units are selective for direction (drifting_gratings) than untrained"]
    assert more["estimate"] == pytest.approx(0.28)
    assert more["ci_high"] - more["estimate"] == pytest.approx(
        1.96 * np.hypot(0.02, 0.01), abs=1e-4
    )
    assert "30 of 100 against 1 of 50" in more["detail"]
    own = table.loc["ablating direction units costs direction more than matched random units"]
    assert own["estimate"] == 0.2
    assert "over 4 mice" in table.loc["units are selective for the Cre line", "detail"]


def changed(name, **columns):
    return {name: tables()[name].assign(**columns)}


@pytest.mark.parametrize(
    ("change", "fails"),
    [
        (changed("comparison", ci_low=-0.01), "the transformer decodes better"),
        (changed("splice", equivalent=False), "decoding is unchanged"),
        (changed("splice", equivalent=True), "mean spliced in is not equivalent"),
        (changed("selectivity", significant=False), "units are selective for the Cre line"),
        (changed("selectivity", fraction_error=0.5), "more units are selective for direction"),
        (changed("ablation", excess_low=-0.1), OWN_TASK + "matched"),
        (changed("ablation", specificity_low=-0.1), OWN_TASK + "the other"),
        (changed("decoding", value=0.3, ci_low=0.28), "the untrained decoder is at chance"),
        (changed("recovery", score=0.0), "units follow the factors"),
    ],
)  # fmt: skip
def test_claims_fail_with_their_evidence(change, fails):
    table = told(**change)
    found = table[table.index.str.startswith(fails)]
    assert len(found)
    assert not found["holds"].all()
    if "significant" not in str(change):
        others = table[~table.index.str.startswith(fails)]
        assert others["holds"].mean() > 0.6


def test_tasks_at_chance_tell_nothing_about_a_random_sae():
    """Phase is not decoded, and cannot get worse."""
    assert (
        "direction, the smallest of 1 tasks"
        in told().loc["random_sae spliced in is not equivalent to intact", "detail"]
    )


def test_without_truth_there_is_no_claim_about_it():
    assert told().index.str.contains("simulated").any()
    assert not told(recovery=None).index.str.contains("simulated").any()


def test_nothing_selected_gives_no_claim_about_ablation():
    table = told(ablation=tables()["ablation"].iloc[:0])
    assert not table.index.str.startswith("ablating").any()


MORE = "more consensus units are selective for direction (drifting_gratings) than untrained"


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
    assert "100 living units" in share["detail"]
    assert "20 of 20 consensus units (binomial" in share["detail"]
    more = table.loc[MORE]
    assert more["holds"]
    assert "20 of 100 (20 in consensus) against 1 of 50 (1 in consensus)" in more["detail"]
    assert (
        "5 of 20 consensus" in table.loc["consensus units are selective for the Cre line", "detail"]
    )
    assert table["holds"].all()


def test_too_few_consensus_units_are_told():
    table = told(consensus=consensus(3))
    assert table.loc[MORE, "detail"].endswith("too few consensus units to tell")
    assert not table.loc[MORE, "holds"]
    share = table.loc["consensus units are selective for direction (drifting_gratings)"]
    assert share["holds"]
    assert "too few" not in share["detail"]
    none = told(consensus=consensus(0))
    share = none.loc["consensus units are selective for direction (drifting_gratings)"]
    assert (share["estimate"], share["ci_low"], share["holds"]) == (0, 0, False)
    assert share["detail"].endswith("too few consensus units to tell")


def test_what_is_not_said_of_units_is_as_with_one_seed():
    alone, several = told(), told(consensus=consensus(20))
    same = ~alone.index.str.contains("selective")
    assert same.sum() == len(RIVALS) + 2 + 3 + 2 + 1
    pd.testing.assert_frame_equal(alone[same], several.loc[alone.index[same]])

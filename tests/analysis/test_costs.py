"""The table of ablation from scores that are known."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.costs import Condition, related, summarised

MICE = pd.Series({f"s{i}": f"m{i // 2}" for i in range(8)})


def conditions(draws=3):
    return [
        Condition(variable, "zero", (i, 10 + i), draw)
        for i, variable in enumerate(("direction", "temporal_frequency"))
        for draw in range(-1, draws)
    ]


def table(mice):
    """The own task loses .2, the other .05, matched sets cost .02, .03 and .04 of both."""
    planned = conditions()
    rng = np.random.default_rng(0)
    scores = []
    for session in mice.index:
        for task in ("direction", "temporal_frequency"):
            intact = 0.5 + rng.normal(scale=0.05)
            row = {"session_id": session, "task": task, "intact": intact}
            for number, c in enumerate(planned):
                selective = 0.2 if c.variable == task else 0.05
                row[number] = intact - (selective if c.draw < 0 else 0.02 + 0.01 * c.draw)
            scores.append(row)
    tasks = ["direction", "temporal_frequency"]
    return summarised(planned, tasks, pd.DataFrame(scores), mice, 200, rng)


@pytest.fixture
def rows():
    return table(MICE)


def selective(rows, variable, task):
    found = rows[(rows["variable"] == variable) & (rows["task"] == task) & (rows["draw"] < 0)]
    return found.iloc[0]


def test_every_condition_has_a_row_for_every_task(rows):
    assert len(rows) == 2 * len(conditions())
    assert set(rows.loc[rows["draw"] >= 0, "condition"]) == {"matched_random"}


def test_delta_is_what_is_lost(rows):
    own, other = (selective(rows, "direction", t) for t in ("direction", "temporal_frequency"))
    assert own["delta"] == pytest.approx(0.2)
    assert own["ablated"] == pytest.approx(own["intact"] - 0.2)
    assert other["delta"] == pytest.approx(0.05)
    assert (own["ci_low"], own["ci_high"]) == pytest.approx((0.2, 0.2))
    assert own["n_sessions"] == 8


def test_excess_is_over_the_mean_of_the_matched_sets(rows):
    own = selective(rows, "direction", "direction")
    assert own["excess"] == pytest.approx(0.2 - 0.03)
    assert (own["excess_low"], own["excess_high"]) == pytest.approx((0.17, 0.17))
    assert rows.loc[rows["draw"] >= 0, "excess"].isna().all()


def test_p_is_the_rank_among_the_matched_sets(rows):
    assert selective(rows, "direction", "direction")["p"] == 1 / 4
    assert rows.loc[rows["draw"] >= 0, "p"].isna().all()


def test_specificity_is_the_own_loss_beyond_that_of_the_others(rows):
    own = selective(rows, "direction", "direction")
    assert own["specificity"] == pytest.approx(0.2 - 0.05)
    assert own["specificity_low"] == pytest.approx(0.15)
    assert np.isnan(selective(rows, "direction", "temporal_frequency")["specificity"])


def test_one_mouse_has_no_intervals():
    own = selective(table(pd.Series({"s0": "m0", "s1": "m0"})), "direction", "direction")
    assert own["specificity"] == pytest.approx(0.15)
    intervals = ["ci_low", "ci_high", "excess_low", "excess_high"]
    assert own[[*intervals, "specificity_low", "specificity_high"]].isna().all()


def test_orientation_and_direction_are_no_controls_of_each_other():
    orientation = {"direction", "orientation", "static_orientation"}
    assert all(related(task) == orientation for task in orientation)
    assert related("phase") == {"phase"}


def test_sessions_of_one_mouse_do_not_narrow_an_interval():
    rng, planned, loss = np.random.default_rng(0), conditions(), [0.1, 0.2, 0.3, 0.4]

    def width(copies):
        rows = [
            {"session_id": f"{mouse}-{i}", "task": "direction", "intact": 0.5}
            | {n: 0.5 - loss[mouse] * (c.draw < 0) for n, c in enumerate(planned)}
            for mouse in range(4)
            for i in range(copies)
        ]
        scores = pd.DataFrame(rows)
        mice = pd.Series({s: s.split("-")[0] for s in scores["session_id"]})
        table = summarised(planned, ["direction"], scores, mice, 2000, rng)
        row = table[(table["condition"] == "selective") & (table["method"] == "zero")].iloc[0]
        return row["ci_high"] - row["ci_low"]

    assert width(1) > 0.1
    assert width(9) == pytest.approx(width(1), rel=0.1)


def test_without_an_unrelated_task_there_is_no_specificity():
    planned = conditions()
    scores = pd.DataFrame(
        [
            {"session_id": str(mouse), "task": "direction", "intact": 0.5}
            | dict.fromkeys(range(len(planned)), 0.4)
            for mouse in range(3)
        ]
    )
    mice = pd.Series({s: s for s in scores["session_id"]})
    table = summarised(planned, ["direction"], scores, mice, 50, np.random.default_rng(0))
    assert table["specificity"].isna().all()

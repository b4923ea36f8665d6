"""The table of ablation from scores that are known."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.bench import Condition
from glasscortex.analysis.costs import beyond, summarised
from glasscortex.tasks import ALLEN

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
    return summarised(planned, tasks, pd.DataFrame(scores), mice)


@pytest.fixture
def rows():
    return table(MICE)


def selective(rows, variable, task):
    return rows[(rows["variable"] == variable) & (rows["task"] == task)].iloc[0]


def test_what_is_no_random_set_has_a_row_for_every_task(rows):
    assert len(rows) == 2 * sum(c.draw < 0 for c in conditions())
    assert set(rows["condition"]) == {"selective"}
    assert rows["matched_numbers"].map(len).tolist() == [3, 0, 0, 3]


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
    assert (own["matched"], own["n_matched"]) == (pytest.approx(0.03), 3)
    # All mice alike: what is left is the distance of a random set from the mean of three.
    spread = 0.01 * np.sqrt((3 + 1) / (3 - 1))
    assert own["excess_low"] == pytest.approx(0.17 - spread)
    assert own["excess_high"] == pytest.approx(0.17 + spread)


def test_only_the_own_task_is_held_against_random_sets(rows):
    other = selective(rows, "direction", "temporal_frequency")
    assert other["n_matched"] == 0
    assert other[["matched", "p", "excess", "excess_low", "excess_high"]].isna().all()


def test_p_is_the_rank_among_the_matched_sets(rows):
    assert selective(rows, "direction", "direction")["p"] == 1 / 4


@pytest.mark.parametrize("mice", [4, 24])
@pytest.mark.parametrize("heavy", [False, True])
def test_random_sets_do_not_exceed_random_sets(mice, heavy):
    """Sets differ, a few of them much; mice differ, and sets differ in how they hit mice."""
    rng, worlds = np.random.default_rng(mice), 300
    exceeding = ranks = 0
    for _ in range(worlds):
        of_set = rng.normal(size=61) * (0.03 if not heavy else 0.01)
        of_set += heavy * 0.1 * (rng.random(61) < 0.1)
        loss = of_set + rng.normal(size=(mice, 1)) * 0.05 + rng.normal(size=(mice, 61)) * 0.02
        found = beyond(loss[:, 0], loss[:, 1:], np.arange(mice))
        exceeding += found["excess_low"] > 0
        ranks += found["p"] <= 0.05
    assert exceeding / worlds <= 0.05
    assert ranks / worlds <= 0.08


def test_a_set_that_costs_more_exceeds_them():
    rng = np.random.default_rng(0)
    loss = rng.normal(size=101) * 0.01 + rng.normal(size=(12, 101)) * 0.02
    loss[:, 0] += 0.08
    found = beyond(loss[:, 0], loss[:, 1:], np.arange(12))
    assert found["excess_low"] > 0.03 and found["p"] == 1 / 101


def test_one_random_set_has_no_spread():
    found = beyond(np.array([0.1, 0.2]), np.zeros((2, 1)), np.arange(2))
    assert found["excess"] == pytest.approx(0.15) and np.isnan(found["excess_low"])


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
    assert all(ALLEN.related(task) == orientation for task in orientation)
    assert ALLEN.related("phase") == {"phase"}


def test_sessions_of_one_mouse_do_not_narrow_an_interval():
    planned, loss = conditions(), [0.1, 0.2, 0.3, 0.4]

    def width(copies):
        rows = [
            {"session_id": f"{mouse}-{i}", "task": "direction", "intact": 0.5}
            | {n: 0.5 - loss[mouse] * (c.draw < 0) for n, c in enumerate(planned)}
            for mouse in range(4)
            for i in range(copies)
        ]
        scores = pd.DataFrame(rows)
        mice = pd.Series({s: s.split("-")[0] for s in scores["session_id"]})
        table = summarised(planned, ["direction"], scores, mice)
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
    table = summarised(planned, ["direction"], scores, mice)
    assert table["specificity"].isna().all()

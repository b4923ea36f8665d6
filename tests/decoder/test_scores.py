import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as peer

from glasscortex.decoder.compare import compare
from glasscortex.decoder.predictions import predictions, unpredicted
from glasscortex.decoder.scores import (
    accuracy,
    balanced_accuracy,
    chance,
    decoding_scores,
    r2,
    score_table,
    within_one_bin,
)

LABELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=50)


@given(LABELS)
def test_balanced_accuracy_is_scikit_learns(pairs):
    label, guess = np.array(pairs, float).T
    expected = peer.recall_score(label, guess, labels=np.unique(label), average="macro")
    assert balanced_accuracy(label, guess) == pytest.approx(expected)


@given(LABELS)
def test_r2_is_scikit_learns(pairs):
    label, guess = np.array(pairs, float).T
    if np.ptp(label) == 0:
        assert np.isnan(r2(label, guess))
    else:
        assert r2(label, guess) == pytest.approx(peer.r2_score(label, guess))


def test_scores_of_many_draws_are_those_of_each():
    rng = np.random.default_rng(0)
    label, guess = rng.integers(5, size=(2, 7, 30)).astype(float)
    for score in (accuracy, balanced_accuracy, within_one_bin, r2):
        np.testing.assert_allclose(
            score(label, guess), [score(*pair) for pair in zip(label, guess)]
        )


def test_neighbouring_movie_bins_count_within_one():
    assert within_one_bin(np.array([3.0, 3, 3, 3]), np.array([2.0, 3, 4, 5])) == 0.75
    assert chance("within_1_bin", np.arange(10.0)) == pytest.approx((8 * 3 + 2 * 2) / 100)


def test_scores_pool_sessions_not_presentations(world):
    trials = world[0]
    prediction = np.where(trials["session_id"] == "a", trials["direction"], 400.0)
    table = score_table("direction", trials, predictions(prediction), "test", seed=0)
    accuracy = table[table["metric"] == "accuracy"].set_index("session_id")
    assert accuracy["value"].to_dict() == {"a": 1.0, "b": 0.0, "all": 0.5}
    assert accuracy["n"].to_dict() == {"a": 40, "b": 40, "all": 80}


def test_scores_are_numbers_beside_a_task_that_nothing_shows(world):
    trials = world[0]
    trials = trials.assign(label_phase=np.nan)
    said = {"direction": predictions(trials["direction"].to_numpy(float))}
    nothing = {"phase": unpredicted(len(trials))}
    alone, beside = (decoding_scores(trials, p, seed=0) for p in (said, nothing | said))
    pd.testing.assert_frame_equal(alone, beside)


def compared(values: dict[tuple, list[float]]) -> pd.DataFrame:
    """The comparison of scores by (model, seed, task, split), a value a session."""
    rows = [
        (model, seed, session, task, split, "r2" if task == "running_speed" else "accuracy", value)
        for (model, seed, task, split), scores in values.items()
        for session, value in zip("abc", scores)
    ]
    columns = ["model", "seed", "session_id", "task", "split", "metric", "value"]
    mice = pd.Series({session: f"m{session}" for session in "abc"})
    return compare(pd.DataFrame(rows, columns=columns), mice).set_index(["task", "against"])


BASE = np.array([0.3, 0.5, 0.4])


def test_comparison_pairs_sessions():
    table = compared(
        {
            (model, 0, task, split): BASE + gain * (model == "trained")
            for task, gain in [("direction", 0.1), ("running_speed", -0.2)]
            for model in ("trained", "linear", "start", "untrained")
            for split in ("validation", "test")
        },
    )
    assert table.loc[("all classification", "linear"), "difference"] == pytest.approx(0.1)
    assert table.loc[("all classification", "linear"), "ci_low"] == pytest.approx(0.1)
    assert table.loc[("running_speed", "linear"), "difference"] == pytest.approx(-0.2)
    assert (table["n_sessions"] == 3).all()
    assert set(table.index.unique("against")) == {"best_linear", "linear", "start"}


def test_seeds_are_averaged_within_a_session_first():
    values = {("linear", 0, "direction", "test"): BASE}
    values |= {
        ("trained", seed, "direction", "test"): BASE + [0.1, 0.3, -0.1][seed] for seed in range(3)
    }
    row = compared(values).loc[("direction", "linear")]
    assert row["n_sessions"] == 3
    assert (row["difference"], row["ci_low"]) == pytest.approx((0.1, 0.1))


def test_the_best_linear_baseline_is_chosen_on_validation_and_by_task():
    values = {}
    for task, better in (("direction", "lda"), ("phase", "linear")):
        for model in ("linear", "lda"):
            values[model, 0, task, "validation"] = BASE + 0.1 * (model == better)
            values[model, 0, task, "test"] = BASE - 0.1 * (model == better)
        values["trained", 0, task, "test"] = BASE
    table = compared(values)
    assert table.loc[("direction", "best_linear"), "difference"] == pytest.approx(0.1)
    assert table.loc[("phase", "best_linear"), "difference"] == pytest.approx(0.1)
    assert table.loc[("direction", "linear"), "difference"] == pytest.approx(0)
    row = table.loc[("all classification", "best_linear")]
    assert row["difference"] == pytest.approx(0.1)


def test_sessions_that_one_of_the_two_lacks_do_not_count():
    values = {
        ("trained", 0, "direction", "test"): BASE + 0.1,
        ("template", 0, "direction", "test"): BASE[:2],
    }
    row = compared(values).loc[("direction", "template")]
    assert (row["n_sessions"], row["transformer"]) == (2, pytest.approx(0.5))

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as peer

from glasscortex.decoder.compare import compare
from glasscortex.decoder.scores import (
    accuracy,
    balanced_accuracy,
    bootstrap_mean,
    chance,
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


def test_bootstrap_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        low, high = bootstrap_mean(rng.normal(size=40), rng)
        covered += low <= 0 <= high
    assert 175 <= covered <= 199


def test_scores_pool_sessions_not_presentations(world):
    trials = world[0]
    prediction = np.where(trials["session_id"] == "a", trials["direction"], 400.0)
    table = score_table("direction", trials, prediction, "test", seed=0)
    accuracy = table[table["metric"] == "accuracy"].set_index("session_id")
    assert accuracy["value"].to_dict() == {"a": 1.0, "b": 0.0, "all": 0.5}
    assert accuracy["n"].to_dict() == {"a": 40, "b": 40, "all": 80}


def test_comparison_pairs_sessions(tmp_path):
    rows = [
        (model, 0, session, task, "test", metric, value)
        for task, metric, gain in [("direction", "accuracy", 0.1), ("running_speed", "r2", -0.2)]
        for session, base in [("a", 0.3), ("b", 0.5), ("c", 0.4)]
        for model, value in [("trained", base + gain), ("linear", base), ("untrained", 0.0)]
    ]
    columns = ["model", "seed", "session_id", "task", "split", "metric", "value"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "decoding.csv", index=False)
    compare(decoding=tmp_path / "decoding.csv", out=tmp_path / "comparison.csv")
    table = pd.read_csv(tmp_path / "comparison.csv").set_index("task")
    assert table.loc["all classification", "difference"] == pytest.approx(0.1)
    assert table.loc["all classification", "ci_low"] == pytest.approx(0.1)
    assert table.loc["running_speed", "difference"] == pytest.approx(-0.2)
    assert table["n_sessions"].tolist() == [3, 3, 3]

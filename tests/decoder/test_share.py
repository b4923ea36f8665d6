"""Shares of the limit: known answers, and intervals over sessions."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.decoder.share import COLUMNS, share

ACCURACY = {"a": 0.4, "b": 0.6, "c": 0.5}


def observer(**limit):
    rows = [(session, "orientation", value, 0.25) for session, value in limit.items()]
    return pd.DataFrame(rows, columns=["session_id", "task", "limit", "chance"])


def decoding(**models):
    """Accuracies by model, in seeds, which the best linear baseline has on validation, too."""
    rows = [
        (model, seed, session, task, split, metric, value + 0.1 * seed, 0.25)
        for model, accuracy in models.items()
        for seed in range(2 if model == "trained" else 1)
        for split in ("validation", "test")
        for task, metric in (("orientation", "accuracy"), ("running_speed", "r2"))
        for session, value in {**accuracy, "all": 9.0}.items()
    ]
    names = ["model", "seed", "session_id", "task", "split", "metric", "value", "chance"]
    return pd.DataFrame(rows, columns=names)


def test_a_share_is_of_the_way_from_chance_to_the_limit():
    table = share(
        decoding(trained=ACCURACY, linear=ACCURACY), observer(a=0.75, b=0.75, c=0.75, d=1.0)
    )
    assert list(table.columns) == COLUMNS
    assert set(table["task"]) == {"orientation"}
    rows = table.set_index(["model", "seed"])
    assert rows.loc[("linear", 0), "share"] == pytest.approx(0.5)
    assert rows.loc[("trained", 0), "share"] == pytest.approx(0.5)
    assert rows.loc[("trained", 1), "share"] == pytest.approx(0.7)
    assert (rows["n_sessions"] == 3).all()
    assert (rows["ci_low"] < rows["share"]).all() and (rows["share"] < rows["ci_high"]).all()


def test_the_best_linear_baseline_is_validations():
    better = {session: value + 0.1 for session, value in ACCURACY.items()}
    table = share(decoding(linear=ACCURACY, lda=better), observer(a=0.75, b=0.75, c=0.75))
    rows = table.set_index("model")
    assert rows.loc["best_linear", "accuracy"] == rows.loc["lda", "accuracy"]
    assert rows.loc["best_linear", "share"] == pytest.approx(0.7)


def test_an_interval_keeps_a_session_s_accuracy_and_limit_together():
    """Every session is read by half, so that no draw of sessions gives another share."""
    limit = {session: 0.25 + 2 * (value - 0.25) for session, value in ACCURACY.items()}
    row = share(decoding(trained=ACCURACY), observer(**limit)).iloc[0]
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((0.5, 0.5))


def test_one_session_has_no_interval_and_a_limit_at_chance_no_share():
    row = share(decoding(trained=ACCURACY), observer(a=0.75)).iloc[0]
    assert row["share"] == pytest.approx(0.3)
    assert np.isnan(row["ci_low"]) and np.isnan(row["ci_high"])
    assert np.isnan(share(decoding(trained=ACCURACY), observer(a=0.25))["share"]).all()


def test_without_a_common_task_the_table_is_empty():
    table = share(decoding(trained=ACCURACY), observer())
    assert table.empty and list(table.columns) == COLUMNS

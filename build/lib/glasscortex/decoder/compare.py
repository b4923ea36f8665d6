"""The transformer against the linear baseline, session by session."""

from pathlib import Path

import numpy as np
import pandas as pd

from glasscortex.decoder.scores import bootstrap_mean, headline
from glasscortex.files import whole
from glasscortex.words import TASKS


def compare(*, decoding: Path, out: Path) -> None:
    """Write `comparison.csv`: how much better the trained transformer is than the baseline.

    Scores are the headline metrics on the test split, the mean over seeds; sessions are paired,
    and intervals are 95 % bootstraps over sessions. The row "all classification" averages each
    session's classification tasks first.
    """
    scores = pd.read_csv(decoding, dtype={"session_id": str})
    scores = scores[(scores["split"] == "test") & (scores["session_id"] != "all")]
    scores = scores[scores["metric"] == scores["task"].map(headline)]
    scores = scores[scores["model"].isin(["trained", "linear"])]
    paired = scores.pivot_table(index=["session_id", "task"], columns="model", values="value")
    paired = paired.dropna().reset_index()
    is_class = ~paired["task"].map(lambda name: TASKS[name].is_regression)
    averaged = paired[is_class].groupby("session_id")[["trained", "linear"]].mean()
    rows = [_row("all classification", averaged)] if len(averaged) else []
    rows += [_row(task, group) for task, group in paired.groupby("task", sort=False)]
    columns = ["task", "transformer", "linear", "difference", "ci_low", "ci_high", "n_sessions"]
    with whole(out) as temporary:
        table = pd.DataFrame(rows, columns=columns)
        table.to_csv(temporary, index=False, float_format="%.9g")


def _row(task: str, sessions: pd.DataFrame):
    difference = (sessions["trained"] - sessions["linear"]).to_numpy()
    interval = bootstrap_mean(difference, np.random.default_rng(0))
    means = sessions["trained"].mean(), sessions["linear"].mean(), difference.mean()
    return (task, *means, *interval, len(sessions))

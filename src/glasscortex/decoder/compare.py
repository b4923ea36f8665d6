"""The transformer against every baseline, session by session."""

from pathlib import Path

import numpy as np
import pandas as pd

from glasscortex.decoder.scores import bootstrap_mean, headline
from glasscortex.files import atomic_write
from glasscortex.tasks import TASKS
from glasscortex.words import BASELINES, LINEAR_BASELINES

BEST_LINEAR = "best_linear"

COLUMNS = [
    "task",
    "against",
    "transformer",
    "baseline",
    "difference",
    "ci_low",
    "ci_high",
    "n_sessions",
]


def compare(*, decoding: Path, out: Path) -> None:
    """Write `comparison.csv`: how much better the trained transformer is than each baseline.

    Scores are the headline metrics on the test split, the mean over seeds; sessions are paired,
    and intervals are 95 % bootstraps over sessions. "best_linear" is, task by task, the linear
    baseline whose mean over sessions is larger on the validation split. The rows "all
    classification" average each session's classification tasks first.
    """
    scores = pd.read_csv(decoding, dtype={"session_id": str})
    scores = scores[scores["session_id"] != "all"]
    scores = scores[scores["metric"] == scores["task"].map(headline)]
    keys = ["split", "task", "model", "session_id"]
    values = scores.groupby(keys, sort=False)["value"].mean()
    test = values["test"].unstack("model")
    test[BEST_LINEAR] = _best_linear(values, test)
    rows = []
    for against in (BEST_LINEAR, *BASELINES):
        if {"trained", against} <= set(test.columns):
            paired = test[["trained", against]].dropna()
            rows += _rows(against, paired.set_axis(["transformer", "baseline"], axis=1))
    with atomic_write(out) as temporary:
        table = pd.DataFrame(rows, columns=COLUMNS)
        table.to_csv(temporary, index=False, float_format="%.9g")


def _best_linear(values: pd.Series, test: pd.DataFrame) -> pd.Series:
    """Test scores, by task and session, of the linear baseline that validation prefers."""
    linear = [model for model in LINEAR_BASELINES if model in test.columns]
    if not linear or "validation" not in values.index.levels[0]:
        return pd.Series(np.nan, test.index)
    judged = values["validation"].unstack("model").reindex(columns=linear)
    chosen = judged.groupby("task").mean().dropna(how="all").idxmax(axis=1)
    parts = [test.loc[[task], model] for task, model in chosen.items() if task in test.index]
    return pd.concat(parts).reindex(test.index)


def _rows(against: str, paired: pd.DataFrame) -> list[tuple]:
    """One row a task, and one for all classification tasks."""
    task = paired.index.get_level_values("task")
    is_class = ~task.map(lambda name: TASKS[name].is_regression).to_numpy(bool)
    averaged = paired[is_class].groupby("session_id").mean()
    rows = [_row("all classification", against, averaged)] if len(averaged) else []
    groups = paired.groupby("task", sort=False)
    return rows + [_row(name, against, group) for name, group in groups]


def _row(task: str, against: str, sessions: pd.DataFrame) -> tuple:
    difference = (sessions["transformer"] - sessions["baseline"]).to_numpy()
    interval = bootstrap_mean(difference, np.random.default_rng(0))
    return (task, against, *sessions.mean(), difference.mean(), *interval, len(sessions))

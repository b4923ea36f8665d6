"""The transformer against every baseline, session by session."""

import numpy as np
import pandas as pd

from glasscortex.decoder.scores import HEADLINES, regressions
from glasscortex.intervals import mean_interval
from glasscortex.words import BASELINES

BEST_LINEAR = "best_linear"

START = "start"
"""What training begins with: what exceeds it is learnt."""

COLUMNS = [
    "task",
    "against",
    "transformer",
    "baseline",
    "difference",
    "ci_low",
    "ci_high",
    "n_sessions",
    "n_mice",
]


def compare(decoding: pd.DataFrame, mice: pd.Series) -> pd.DataFrame:
    """How much better the trained transformer is than each baseline, and than its own start.

    Scores are the headline metrics on the test split, the mean over seeds; sessions are paired,
    and intervals are of 95 % by Student's t over mice, with all their sessions. "best_linear" is,
    task by task, the linear baseline whose mean over sessions is larger on the validation split.
    The rows "all classification" average each session's classification tasks first.

    Parameters
    ----------
    decoding : pandas.DataFrame
        model, seed, session_id, task, split, metric, value of all decoders.
    mice : pandas.Series
        Mouse by session_id.

    Returns
    -------
    pandas.DataFrame
        task, against, transformer, baseline, difference, ci_low, ci_high, n_sessions, n_mice.
    """
    test, values = test_scores(decoding), regressions(decoding)
    rows = []
    for against in (BEST_LINEAR, *BASELINES, START):
        if {"trained", against} <= set(test.columns):
            paired = test[["trained", against]].dropna()
            rows += _rows(
                against, paired.set_axis(["transformer", "baseline"], axis=1), mice, values
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def test_scores(decoding: pd.DataFrame) -> pd.DataFrame:
    """Each decoder's headline score on the test split of each session, the mean over seeds.

    Parameters
    ----------
    decoding : pandas.DataFrame
        As for `compare`.

    Returns
    -------
    pandas.DataFrame
        A row a task and session_id, a column a model, and one of the best linear baseline.
    """
    scores = of_sessions(decoding)
    keys = ["split", "task", "model", "session_id"]
    values = scores.groupby(keys, sort=False)["value"].mean()
    test = values["test"].unstack("model")
    test[BEST_LINEAR] = _best_linear(values, test)
    return test


def of_sessions(decoding: pd.DataFrame) -> pd.DataFrame:
    """The rows of single sessions that hold a task's headline metric."""
    scores = decoding[decoding["session_id"] != "all"]
    return scores[scores["metric"].isin(HEADLINES)]


def _best_linear(values: pd.Series, test: pd.DataFrame) -> pd.Series:
    """Test scores, by task and session, of the linear baseline that validation prefers."""
    linear = [name for name, baseline in BASELINES.items() if baseline.is_linear and name in test]
    if not linear or "validation" not in values.index.levels[0]:
        return pd.Series(np.nan, test.index)
    judged = values["validation"].unstack("model").reindex(columns=linear)
    chosen = judged.groupby("task").mean().dropna(how="all").idxmax(axis=1)
    parts = [test.loc[[task], model] for task, model in chosen.items() if task in test.index]
    return pd.concat(parts).reindex(test.index)


def _rows(
    against: str, paired: pd.DataFrame, mice: pd.Series, regressions: set[str]
) -> list[tuple]:
    """One row a task, and one for all classification tasks."""
    is_value = paired.index.get_level_values("task").isin(list(regressions))
    averaged = paired[~is_value].groupby("session_id").mean()
    rows = [_row("all classification", against, averaged, mice)] if len(averaged) else []
    groups = paired.groupby("task", sort=False)
    return rows + [_row(name, against, group, mice) for name, group in groups]


def _row(task: str, against: str, sessions: pd.DataFrame, mice: pd.Series) -> tuple:
    difference = (sessions["transformer"] - sessions["baseline"]).to_numpy()
    of_mouse, names = sessions.index.get_level_values("session_id").map(mice).factorize()
    interval = mean_interval(difference, of_mouse)
    numbers = len(sessions), len(names)
    return (task, against, *sessions.mean(), difference.mean(), *interval, *numbers)

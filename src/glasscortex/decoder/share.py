"""How much each decoder reads of what can be read: its share of the ideal observer's accuracy."""

import numpy as np
import pandas as pd

from glasscortex.decoder.compare import BEST_LINEAR, of_sessions, test_scores
from glasscortex.intervals import mean_interval

COLUMNS = [
    *("task", "model", "seed", "accuracy", "limit", "chance"),
    *("share", "ci_low", "ci_high", "n_sessions"),
]


def share(decoding: pd.DataFrame, observer: pd.DataFrame) -> pd.DataFrame:
    """The share of the way from chance to the limit that each decoder goes, task by task.

    (accuracy − chance) / (limit − chance) of means over sessions, with a 95 % interval over
    sessions: Student's of the ratio's linearisation, which keeps the accuracy and the limit of a
    session together.

    Parameters
    ----------
    decoding : pandas.DataFrame
        model, seed, session_id, task, split, metric, value of all decoders; accuracies on the
        test split are taken.
    observer : pandas.DataFrame
        session_id, task, limit, chance; see `glasscortex.data.synthetic.observer`.

    Returns
    -------
    pandas.DataFrame
        One row a task, model and seed; "best_linear" is that of `glasscortex.decoder.compare`.

    References
    ----------
    Cochran 1977, Sampling Techniques, ch. 6 (the linearisation of a ratio).
    """
    scores = of_sessions(decoding)
    best = test_scores(decoding)[BEST_LINEAR].rename("accuracy").dropna().reset_index()
    every = scores[scores["split"] == "test"].rename(columns={"value": "accuracy"})
    every = pd.concat([best.assign(model=BEST_LINEAR, seed=0), every])
    every = every.drop(columns="chance").merge(observer, on=["task", "session_id"])
    rows = [
        (task, model, seed, *_row(sessions[["accuracy", "limit", "chance"]].to_numpy()))
        for task, of_task in every.groupby("task", sort=False)
        for (model, seed), sessions in of_task.groupby(["model", "seed"], sort=False)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(sessions: np.ndarray) -> tuple:
    """From `sessions` (sessions, 3) to the columns from accuracy on."""
    accuracy, limit, chance = sessions.T
    mean = sessions.mean(axis=0)
    share = float(_share(mean))
    reached = accuracy - chance - share * (limit - chance)
    interval = share + np.array(mean_interval(reached)) / np.mean(limit - chance)
    return (*mean, share, *interval, len(sessions))


def _share(means: np.ndarray) -> np.ndarray:
    """Of accuracy, limit and chance along the last axis; NaN where the limit is chance."""
    accuracy, limit, chance = np.moveaxis(means, -1, 0)
    unknown = np.full(np.shape(limit), np.nan)
    return np.divide(accuracy - chance, limit - chance, out=unknown, where=limit > chance)

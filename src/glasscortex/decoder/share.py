"""How much each decoder reads of what can be read: its share of the ideal observer's accuracy."""

import numpy as np
import pandas as pd

from glasscortex.decoder.compare import BEST_LINEAR, of_sessions, test_scores
from glasscortex.decoder.scores import BOOTSTRAPS

COLUMNS = [
    *("task", "model", "seed", "accuracy", "limit", "chance"),
    *("share", "ci_low", "ci_high", "n_sessions"),
]


def share(decoding: pd.DataFrame, observer: pd.DataFrame) -> pd.DataFrame:
    """The share of the way from chance to the limit that each decoder goes, task by task.

    (accuracy − chance) / (limit − chance) of means over sessions, with a 95 % bootstrap interval
    over sessions, which keep their accuracy and limit together.

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
    n = len(sessions)
    drawn = np.random.default_rng(0).integers(n, size=(BOOTSTRAPS, n))
    interval = np.quantile(_share(sessions[drawn].mean(axis=1)), [0.025, 0.975])
    mean = sessions.mean(axis=0)
    return (*mean, float(_share(mean)), *(interval if n > 1 else (np.nan, np.nan)), n)


def _share(means: np.ndarray) -> np.ndarray:
    """Of accuracy, limit and chance along the last axis; NaN where the limit is chance."""
    accuracy, limit, chance = np.moveaxis(means, -1, 0)
    unknown = np.full(np.shape(limit), np.nan)
    return np.divide(accuracy - chance, limit - chance, out=unknown, where=limit > chance)

"""How well predictions agree with labels: per session, with chance and intervals."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from glasscortex.decoder.predictions import unpredicted
from glasscortex.decoder.reliability import root, squared_error
from glasscortex.intervals import mean_interval
from glasscortex.tasks import ALLEN, Definitions, Task, label_column

BOOTSTRAPS = 1000

HELD_OUT = ("validation", "test")
"""Splits that decoders are scored on."""

HEADLINES = ("accuracy", "r2")
"""The metrics by which tasks are judged: of classes, and of values."""

ECE = "ece"
"""The metric of calibration."""

SCORES = [
    "session_id",
    "metric",
    "value",
    "ci_low",
    "ci_high",
    "chance",
    "constant",
    "n",
    "n_classes",
]


def regressions(scores: pd.DataFrame) -> set[str]:
    """Names of the tasks that a table of scores holds an r² of."""
    return set(scores.loc[scores["metric"] == "r2", "task"])


def accuracy(label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Share of presentations, along the last axis, named right."""
    return np.mean(label == prediction, axis=-1)


def balanced_accuracy(label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Mean over the classes present of the share named right."""
    total, present = np.zeros(label.shape[:-1]), np.zeros(label.shape[:-1])
    for value in np.unique(label):
        count = (label == value).sum(axis=-1)
        right = ((label == value) & (prediction == value)).sum(axis=-1)
        total += right / np.maximum(count, 1)
        present += count > 0
    return total / present


def within_one_bin(label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Share of movie bins named right or next to right (± 1 s with bins of 1 s)."""
    return np.mean(np.abs(label - prediction) <= 1, axis=-1)


def r2(label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Share of variance explained; 0 for a constant guess of the mean, NaN without variance."""
    total = np.sum((label - label.mean(axis=-1, keepdims=True)) ** 2, axis=-1)
    residual = np.sum((label - prediction) ** 2, axis=-1)
    return 1 - residual / np.where(total > 0, total, np.nan)


def metrics(task: Task) -> dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
    """The metrics of a task by name, the headline first."""
    if task.is_regression:
        return {"r2": r2}
    chosen = {"accuracy": accuracy, "balanced_accuracy": balanced_accuracy}
    return chosen | ({"within_1_bin": within_one_bin} if task.is_movie else {})


def chance(metric: str, labels: np.ndarray) -> float:
    """What guessing scores, all classes alike likely; the classes are those among the labels."""
    if metric == "r2":
        return 0.0
    classes = np.unique(labels)
    if metric == "within_1_bin":
        return float(np.mean([np.sum(np.abs(classes - c) <= 1) for c in classes]) / len(classes))
    return 1 / len(classes)


def session_scores(
    task: str, trials: pd.DataFrame, prediction: np.ndarray, definitions: Definitions = ALLEN
) -> pd.DataFrame:
    """Headline metric of each session that has one (an r² needs a label that varies).

    Parameters
    ----------
    task : str
        Its name.
    trials : pandas.DataFrame
        Presentations, with label columns.
    prediction : numpy.ndarray
        (presentations,) of `PREDICTION`.
    definitions : Definitions
        What the task is.

    Returns
    -------
    pandas.DataFrame
        session_id, metric, value, chance, n (presentations).
    """
    name, metric = next(iter(metrics(definitions.tasks[task]).items()))
    seen = _seen(task, trials)
    scores = [
        (session, name, float(metric(label, said["value"])), chance(name, seen[session]), len(said))
        for session, label, said in _by_session(task, trials, prediction)
    ]
    table = pd.DataFrame(scores, columns=["session_id", "metric", "value", "chance", "n"])
    return table.dropna(subset="value", ignore_index=True)


def score_table(
    task: str,
    trials: pd.DataFrame,
    prediction: np.ndarray,
    split: str,
    seed: int,
    definitions: Definitions = ALLEN,
) -> pd.DataFrame:
    """All metrics of one task on one split, per session and over sessions.

    Intervals are of 95 %: percentile bootstraps over presentations within a session, and Student's
    over sessions for the row session_id = "all", whose value is the mean of the sessions'. A
    session without a score (a regression whose label never varies there) has no row.

    Beside the `metrics` of a classification stands "ece", the calibration error; see
    `glasscortex.decoder.reliability`. It is pooled as a square. Presentations that are drawn twice
    count as calibrated worse, so the draws within a session are moved to have the value as mean.

    Parameters
    ----------
    task : str
        Its name.
    trials : pandas.DataFrame
        Presentations, with label columns.
    prediction : numpy.ndarray
        (presentations,) of `PREDICTION`.
    split : str
        Of `HELD_OUT`.
    seed : int
        Of the bootstraps.
    definitions : Definitions
        What the task is.

    Returns
    -------
    pandas.DataFrame
        session_id, task, split, metric, value, ci_low, ci_high, chance, constant (what the most
        frequent class of the session's training split, or its mean, scores as the only guess:
        above chance where classes are out of balance), n, n_classes.
    """
    rng = np.random.default_rng([seed, list(definitions.tasks).index(task)])
    is_regression = definitions.tasks[task].is_regression
    seen = _seen(task, trials)
    rows = []
    in_split = np.where(trials["split"] == split, prediction, unpredicted(len(trials)))
    for session, label, said in _by_session(task, trials, in_split):
        guess = said["value"]
        draws = rng.integers(len(label), size=(BOOTSTRAPS, len(label)))
        constant = np.full_like(label, _best_guess(seen[session], is_regression))
        n_classes = 0 if is_regression else len(np.unique(seen[session]))
        for metric, score in metrics(definitions.tasks[task]).items():
            value, guessing = score(label, guess), chance(metric, seen[session])
            if np.isnan(value):
                continue
            interval = np.nanpercentile(score(label[draws], guess[draws]), [2.5, 97.5])
            same = score(label, constant)
            rows.append((session, metric, value, *interval, guessing, same, len(label), n_classes))
        if n_classes:
            right, sure = label == guess, said["confidence"]
            value, drawn = squared_error(right, sure), squared_error(right[draws], sure[draws])
            interval = value + np.percentile(drawn - drawn.mean(), [2.5, 97.5])
            rows.append((session, ECE, value, *interval, np.nan, np.nan, len(label), n_classes))
    table = pd.DataFrame(rows, columns=SCORES).dropna(subset="value")
    pooled = [_pool(metric, group) for metric, group in table.groupby("metric", sort=False)]
    table = pd.concat([table, pd.DataFrame(pooled, columns=SCORES)], ignore_index=True)
    squares = table["metric"] == ECE, ["value", "ci_low", "ci_high"]
    table.loc[squares] = root(table.loc[squares])
    table.insert(1, "task", task)
    table.insert(2, "split", split)
    return table


def decoding_scores(
    trials: pd.DataFrame,
    predictions: dict[str, np.ndarray],
    seed: int,
    definitions: Definitions = ALLEN,
) -> pd.DataFrame:
    """Score predictions of all tasks on the validation and test splits.

    Parameters
    ----------
    trials : pandas.DataFrame
        Presentations, with label columns.
    predictions : dict of str to numpy.ndarray
        By task, (presentations,) of `PREDICTION`.
    seed : int
        Of the bootstraps.
    definitions : Definitions
        What the tasks are.

    Returns
    -------
    pandas.DataFrame
        The rows of `score_table`, split by split and task by task.
    """
    tables = (
        score_table(task, trials, prediction, split, seed, definitions)
        for split in HELD_OUT
        for task, prediction in predictions.items()
    )
    # a table without rows has columns of objects, and would make all others' such
    return pd.concat(tables, ignore_index=True).infer_objects()


def _seen(task: str, trials: pd.DataFrame) -> dict[str, np.ndarray]:
    """Labels of each session's training split."""
    labels = trials[label_column(task)].to_numpy()
    seen = np.isfinite(labels) & (trials["split"] == "train").to_numpy()
    sessions = pd.Series(labels[seen]).groupby(trials["session_id"].to_numpy()[seen])
    return {session: own.to_numpy() for session, own in sessions}


def _best_guess(seen: np.ndarray, is_regression: bool) -> float:
    if is_regression:
        return seen.mean()
    classes, counts = np.unique(seen, return_counts=True)
    return classes[counts.argmax()]


def _pool(metric: str, sessions: pd.DataFrame) -> tuple:
    low, high = mean_interval(sessions["value"].to_numpy())
    means = sessions["value"].mean(), low, high, *sessions[["chance", "constant"]].mean()
    return ("all", metric, *means, sessions["n"].sum(), sessions["n_classes"].max())


def _by_session(
    task: str, trials: pd.DataFrame, prediction: np.ndarray
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    labels = trials[label_column(task)].to_numpy()
    known = np.isfinite(labels) & np.isfinite(prediction["value"])
    for session, rows in trials[known].groupby("session_id", sort=False).groups.items():
        yield session, labels[rows], prediction[rows]

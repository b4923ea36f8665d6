"""How well predictions agree with labels: per session, with chance and intervals."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from glasscortex.data.vocabulary import task_labels
from glasscortex.words import TASKS

BOOTSTRAPS = 1000


def headline(task: str) -> str:
    """The metric by which a task is judged: "accuracy", or "r2" for a regression."""
    return next(iter(metrics(task)))


def accuracy(label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Share of presentations, along the last axis, named right."""
    return np.mean(label == prediction, axis=-1)


def balanced_accuracy(label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Mean over the classes present of the share named right."""
    total, present = np.zeros(label.shape[:-1]), np.zeros(label.shape[:-1])
    for value in np.unique(label):
        shown = (label == value).sum(axis=-1)
        right = ((label == value) & (prediction == value)).sum(axis=-1)
        total += right / np.maximum(shown, 1)
        present += shown > 0
    return total / present


def within_one_bin(label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Share of movie bins named right or next to right (± 1 s with bins of 1 s)."""
    return np.mean(np.abs(label - prediction) <= 1, axis=-1)


def r2(label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Share of variance explained; 0 for a constant guess of the mean, NaN without variance."""
    spread = np.sum((label - label.mean(axis=-1, keepdims=True)) ** 2, axis=-1)
    error = np.sum((label - prediction) ** 2, axis=-1)
    return 1 - error / np.where(spread > 0, spread, np.nan)


def metrics(task: str) -> dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
    """The metrics of a task by name, the headline first."""
    if TASKS[task].is_regression:
        return {"r2": r2}
    chosen = {"accuracy": accuracy, "balanced_accuracy": balanced_accuracy}
    return chosen | ({"within_1_bin": within_one_bin} if TASKS[task].is_movie else {})


def chance(metric: str, classes: np.ndarray) -> float:
    """What guessing scores, all classes alike likely; the classes are those of one session."""
    if metric == "r2":
        return 0.0
    if metric == "within_1_bin":
        return float(np.mean([np.sum(np.abs(classes - c) <= 1) for c in classes]) / len(classes))
    return 1 / len(classes)


def session_scores(task: str, trials: pd.DataFrame, prediction: np.ndarray) -> pd.DataFrame:
    """Headline metric of each session that has one (an r² needs a label that varies).

    Parameters
    ----------
    task : its name
    trials : table of presentations
    prediction : one value a row of `trials` in the label's unit, NaN where none was made

    Returns
    -------
    DataFrame with columns session_id, metric, value, chance, n (presentations)
    """
    name = headline(task)
    metric = metrics(task)[name]
    classes = _classes(task, trials)
    scores = [
        (session, name, float(metric(label, guess)), chance(name, classes[session]), len(label))
        for session, label, guess in _by_session(task, trials, prediction)
    ]
    table = pd.DataFrame(scores, columns=["session_id", "metric", "value", "chance", "n"])
    return table.dropna(subset="value", ignore_index=True)


def score_table(task: str, trials: pd.DataFrame, prediction: np.ndarray, split: str, seed: int):
    """All metrics of one task on one split, per session and over sessions.

    Intervals are 95 % percentile bootstraps: over presentations within a session, and over
    sessions for the row session_id = "all", whose value is the mean of the sessions'. A session
    without a score (a regression whose label never varies there) has no row.

    Returns
    -------
    DataFrame with columns session_id, task, split, metric, value, ci_low, ci_high, chance, n,
    n_classes
    """
    rng = np.random.default_rng([seed, list(TASKS).index(task)])
    classes = _classes(task, trials)
    rows = []
    in_split = np.where(trials["split"] == split, prediction, np.nan)
    for session, label, guess in _by_session(task, trials, in_split):
        draws = rng.integers(len(label), size=(BOOTSTRAPS, len(label)))
        for metric, score in metrics(task).items():
            value, guessing = score(label, guess), chance(metric, classes[session])
            if np.isnan(value):
                continue
            spread = np.nanpercentile(score(label[draws], guess[draws]), [2.5, 97.5])
            n_classes = 0 if TASKS[task].is_regression else len(classes[session])
            rows.append((session, metric, value, *spread, guessing, len(label), n_classes))
    columns = ["session_id", "metric", "value", "ci_low", "ci_high", "chance", "n", "n_classes"]
    table = pd.DataFrame(rows, columns=columns)
    pooled = [_pool(metric, group, rng) for metric, group in table.groupby("metric", sort=False)]
    table = pd.concat([table, pd.DataFrame(pooled, columns=columns)], ignore_index=True)
    return table.assign(task=task, split=split)


def bootstrap_mean(
    values: np.ndarray, rng: np.random.Generator, coverage: float = 0.95
) -> tuple[float, float]:
    """Percentile interval of the mean of `values` (sessions, say), drawn with replacement.

    NaN with fewer than two: one session tells nothing of others.
    """
    if len(values) < 2:
        return np.nan, np.nan
    means = values[rng.integers(len(values), size=(BOOTSTRAPS, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - coverage) / 2, (1 + coverage) / 2])
    return float(low), float(high)


def _classes(task: str, trials: pd.DataFrame) -> dict[str, np.ndarray]:
    """Labels of each session's training split, every one once."""
    labels = task_labels(trials, TASKS[task])
    seen = np.isfinite(labels) & (trials["split"] == "train").to_numpy()
    sessions = pd.Series(labels[seen]).groupby(trials["session_id"].to_numpy()[seen])
    return {session: np.unique(shown) for session, shown in sessions}


def _pool(metric: str, sessions: pd.DataFrame, rng: np.random.Generator):
    low, high = bootstrap_mean(sessions["value"].to_numpy(), rng)
    means = sessions["value"].mean(), low, high, sessions["chance"].mean()
    return ("all", metric, *means, sessions["n"].sum(), sessions["n_classes"].max())


def _by_session(task: str, trials: pd.DataFrame, prediction: np.ndarray):
    labels = task_labels(trials, TASKS[task])
    known = np.isfinite(labels) & np.isfinite(prediction)
    for session, rows in trials[known].groupby("session_id", sort=False).groups.items():
        yield session, labels[rows], prediction[rows]

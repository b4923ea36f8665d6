"""The linear decoder that the transformer must beat: one a session and task."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from glasscortex.config import BaselineConfig
from glasscortex.data.vocabulary import task_labels
from glasscortex.data.windows import SessionWindows
from glasscortex.decoder.evaluate import write_scores
from glasscortex.decoder.scores import headline, metrics, score_table
from glasscortex.words import TASKS, Task


def baselines(
    *, trials: Path, windows: Path, out: Path, config: BaselineConfig, tasks: tuple[str, ...] | str
) -> None:
    """Score logistic (ridge, for regressions) regression on the same windows as the transformer.

    Features are every cell's ΔF/F, as the mean of the window or sample by sample: which of the
    two, and the regularisation, is chosen on the validation split. Fits see the training split
    alone. Memory is that of one session; time grows with sessions × tasks.
    """
    table = pd.read_parquet(trials)
    predictions = {}
    with threadpool_limits(1):
        for name in TASKS if tasks == "all" else tasks:
            labels = task_labels(table, TASKS[name])
            known = np.isfinite(labels)
            if not known.any():
                continue
            prediction = np.full(len(table), np.nan, np.float32)
            for _, rows in table[known].groupby("session_id", sort=False).groups.items():
                prediction[rows] = _predict(
                    TASKS[name], table.loc[rows], labels[rows], windows, config
                )
            predictions[name] = prediction
    parts = [
        score_table(task, table, prediction, split, seed=0)
        for split in ("validation", "test")
        for task, prediction in predictions.items()
    ]
    write_scores(pd.concat(parts), out, model="linear", seed=0)


def _predict(
    task: Task, trials: pd.DataFrame, labels: np.ndarray, windows: Path, config: BaselineConfig
) -> np.ndarray:
    """Predictions for all presentations of one session, by the best candidate on validation."""
    split = trials["split"].to_numpy()
    score = metrics(task.name)[headline(task.name)]
    validation = split == "validation"
    best, best_score = np.full(len(labels), np.nan), -np.inf
    reader = SessionWindows(windows / f"{trials['session_id'].iloc[0]}.h5")
    for features in _features(task, trials, reader):
        train = split == "train"
        features = StandardScaler().fit(features[train]).transform(features)
        for strength in config.inverse_regularisation:
            if task.is_regression:
                fitted = Ridge(alpha=1 / strength).fit(features[train], labels[train])
                prediction = fitted.predict(features)
            else:
                classes, index = np.unique(labels, return_inverse=True)
                fitted = LogisticRegression(C=strength, max_iter=300)
                prediction = classes[fitted.fit(features[train], index[train]).predict(features)]
            achieved = score(labels[validation], prediction[validation])
            if achieved > best_score or np.isnan(best).all():
                best, best_score = prediction, np.nan_to_num(achieved, nan=-np.inf)
    return best


def _features(task: Task, trials: pd.DataFrame, reader: SessionWindows) -> Iterator[np.ndarray]:
    """The window's mean; then all its samples, where the task's windows are equally long."""
    means = np.empty((len(trials), len(reader.cells)), np.float32)
    for stimulus, rows in trials.groupby("stimulus", sort=False).indices.items():
        window = reader.read(stimulus, trials["presentation"].to_numpy()[rows])
        means[rows] = window.mean(axis=2)
    yield means
    if task.stimulus is not None:
        yield window.reshape(len(trials), -1)

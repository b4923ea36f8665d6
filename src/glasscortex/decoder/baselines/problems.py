"""What every baseline learns from: one task of one session, as numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from glasscortex.data.windows import WindowsReader
from glasscortex.tasks import Task, label_column


@dataclass(frozen=True)
class Problem:
    """One task of one session, with one kind of features.

    Attributes
    ----------
    features : numpy.ndarray
        (presentations, features) float64; over the training split each has mean 0 and variance 1,
        or 0 where it never varies.
    labels : numpy.ndarray
        (presentations,) number of the class, or the value in standard deviations from the mean of
        the training split.
    classes : numpy.ndarray or None
        Values that a classification chooses from; None for a regression.
    train, validation : numpy.ndarray
        (presentations,) bool; validation holds only classes that are in training.
    mean, sd : float
        Of a regression's values in the training split.
    """

    features: np.ndarray
    labels: np.ndarray
    classes: np.ndarray | None
    train: np.ndarray
    validation: np.ndarray
    mean: float = 0.0
    sd: float = 1.0

    @property
    def members(self) -> np.ndarray:
        """Which class each training presentation is of, (training presentations, classes)."""
        return np.eye(self.labels[self.train].max() + 1)[self.labels[self.train]]

    def values(self, prediction: np.ndarray) -> np.ndarray:
        """Numbers as in `labels` (presentations,) in the unit of the task."""
        if self.classes is None:
            return prediction * self.sd + self.mean
        return self.classes[prediction]

    @cached_property
    def compact(self) -> np.ndarray:
        """The features in a basis of what the training split spans (presentations, dimensions).

        A fit that penalises the length of its weights gives the same predictions, in less time
        where there are more features than training presentations.
        """
        train = self.features[self.train]
        if train.shape[0] >= train.shape[1]:
            return self.features
        gram, basis = np.linalg.eigh(train @ train.T)
        kept = gram > 1e-9 * gram[-1]
        return self.features @ (train.T @ (basis[:, kept] / np.sqrt(gram[kept])))


def problems(task: Task, trials: pd.DataFrame, windows: WindowsReader) -> Iterator[Problem]:
    """The problem of one task, with poor features and then with rich ones.

    The first features are every cell's mean over the window; the second, where the task's windows
    are equally long, all samples of every cell.

    Parameters
    ----------
    task : Task
        What is decoded.
    trials : pandas.DataFrame
        Presentations of one session that have a label.
    windows : WindowsReader
        Reader of the session's windows.

    Yields
    ------
    Problem
        With one kind of features.
    """
    labels = trials[label_column(task.name)].to_numpy()
    train = (trials["split"] == "train").to_numpy()
    validation = (trials["split"] == "validation").to_numpy()
    if task.is_regression:
        mean, sd = float(labels[train].mean()), float(labels[train].std())
        scale = {"labels": (labels - mean) / sd, "classes": None, "mean": mean, "sd": sd}
    else:
        classes = np.unique(labels[train])
        numbers = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
        validation = validation & (classes[numbers] == labels)
        scale = {"labels": numbers, "classes": classes}
    for features in _features(task, trials, windows):
        yield Problem(
            features=_standardised(features, train), train=train, validation=validation, **scale
        )


def _features(task: Task, trials: pd.DataFrame, windows: WindowsReader) -> Iterator[np.ndarray]:
    means = np.empty((len(trials), len(windows.cells)), np.float32)
    for stimulus, rows in trials.groupby("stimulus", sort=False).indices.items():
        values = windows.read(stimulus, trials["presentation"].to_numpy()[rows])
        means[rows] = values.mean(axis=2)
    yield means
    if task.stimulus is not None:
        yield values.reshape(len(trials), -1)


def _standardised(features: np.ndarray, train: np.ndarray) -> np.ndarray:
    features = features.astype(np.float64)
    sd = features[train].std(axis=0)
    return (features - features[train].mean(axis=0)) / np.where(sd > 0, sd, 1)

"""Template matching: the class whose mean response resembles a window most."""

from collections.abc import Iterator

import numpy as np

from glasscortex.config import BaselineConfig
from glasscortex.decoder.baselines.problems import Problem


def template(problem: Problem, config: BaselineConfig) -> Iterator[np.ndarray]:
    """Correlate each window with the mean window of every class in the training split.

    There is nothing to regularise.

    Yields
    ------
    Predictions (presentations,), once.
    """
    x, y, train = problem.features, problem.labels, problem.train
    shown = np.eye(len(problem.classes))[y[train]]
    means = shown.T @ x[train] / shown.sum(axis=0)[:, None]
    yield (_normalised(x) @ _normalised(means).T).argmax(axis=1)


def _normalised(rows: np.ndarray) -> np.ndarray:
    centred = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return centred / np.where(length > 0, length, 1)

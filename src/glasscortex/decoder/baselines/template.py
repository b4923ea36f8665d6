"""Template matching: the class whose mean response resembles a window most."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from glasscortex.config import BaselineConfig
from glasscortex.decoder.baselines.candidates import best_predictions
from glasscortex.decoder.baselines.problems import Problem


def template(problem: Problem, config: BaselineConfig) -> Iterator[np.ndarray]:
    """Correlate each window with the mean window of every class in the training split.

    There is nothing to regularise. Correlations are given in standard deviations of those of
    independent noise: log-probabilities up to the temperature, if the directions of a class's
    windows have a von Mises–Fisher distribution about its template.

    Parameters
    ----------
    problem : Problem
        One classification of one session.
    config : BaselineConfig
        Without effect.

    Yields
    ------
    numpy.ndarray
        Log-probabilities (presentations, classes), once.
    """
    x, members, train = problem.features, problem.members, problem.train
    means = members.T @ x[train] / members.sum(axis=0)[:, None]
    yield _normalised(x) @ _normalised(means).T * np.sqrt(x.shape[1])


def _normalised(rows: np.ndarray) -> np.ndarray:
    centred = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return centred / np.where(length > 0, length, 1)


predict = partial(best_predictions, template)

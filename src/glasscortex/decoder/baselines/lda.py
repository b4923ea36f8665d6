"""The linear discriminant of the classes of a task."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from glasscortex.config import BaselineConfig
from glasscortex.decoder.baselines.candidates import best_predictions
from glasscortex.decoder.baselines.problems import Problem


def discriminant(problem: Problem, config: BaselineConfig) -> Iterator[np.ndarray]:
    """Linear discriminant; the classes share a covariance, shrunk towards a multiple of one.

    One eigendecomposition serves all strengths.

    Parameters
    ----------
    problem : Problem
        One classification of one session.
    config : BaselineConfig
        Candidates of the shrinkage.

    Yields
    ------
    numpy.ndarray
        Log-probabilities (presentations, classes), of one shrinkage after the other.

    References
    ----------
    Hastie, Tibshirani & Friedman 2009, The Elements of Statistical Learning, 4.3.
    """
    x, members, train = problem.compact, problem.members, problem.train
    counts = members.sum(axis=0)
    means = members.T @ x[train] / counts[:, None]
    within = x[train] - means[problem.labels[train]]
    variances, axes = np.linalg.eigh(within.T @ within / train.sum())
    x, means = x @ axes, means @ axes
    for shrinkage in config.shrinkage:
        shrunk = (1 - shrinkage) * variances + shrinkage * variances.mean()
        weights = means / shrunk
        offset = np.log(counts / counts.sum()) - 0.5 * (weights * means).sum(axis=1)
        yield x @ weights.T + offset


predict = partial(best_predictions, discriminant)

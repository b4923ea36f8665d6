"""Linear baselines: logistic and ridge regression, and the linear discriminant."""

from collections.abc import Iterator

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

from glasscortex.config import BaselineConfig
from glasscortex.decoder.baselines.problems import Problem


def regression(problem: Problem, config: BaselineConfig) -> Iterator[np.ndarray]:
    """Logistic regression of a class, ridge regression of a value.

    Yields
    ------
    Predictions (presentations,) of one strength of regularisation after the other.
    """
    x, y, train = problem.turned, problem.labels, problem.train
    if problem.classes is None:
        for strength in config.inverse_regularisation:
            yield Ridge(alpha=1 / strength).fit(x[train], y[train]).predict(x)
        return
    fitted = LogisticRegression(max_iter=300, warm_start=True)
    for strength in sorted(config.inverse_regularisation):
        yield fitted.set_params(C=strength).fit(x[train], y[train]).predict(x)


def discriminant(problem: Problem, config: BaselineConfig) -> Iterator[np.ndarray]:
    """Linear discriminant; the classes share a covariance, shrunk towards a multiple of one.

    One eigendecomposition serves all strengths.

    Yields
    ------
    Predictions (presentations,) of one shrinkage after the other.

    References
    ----------
    Hastie, Tibshirani & Friedman 2009, The Elements of Statistical Learning, 4.3.
    """
    x, y, train = problem.turned, problem.labels, problem.train
    shown = np.eye(len(problem.classes))[y[train]]
    counts = shown.sum(axis=0)
    means = shown.T @ x[train] / counts[:, None]
    within = x[train] - means[y[train]]
    variances, axes = np.linalg.eigh(within.T @ within / train.sum())
    x, means = x @ axes, means @ axes
    for shrinkage in config.shrinkage:
        shrunk = (1 - shrinkage) * variances + shrinkage * variances.mean()
        weights = means / shrunk
        offset = np.log(counts / counts.sum()) - 0.5 * (weights * means).sum(axis=1)
        yield (x @ weights.T + offset).argmax(axis=1)

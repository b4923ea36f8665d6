"""Logistic regression of a class, ridge regression of a value."""

import warnings
from collections.abc import Iterator
from functools import partial

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

from glasscortex.config import BaselineConfig
from glasscortex.decoder.baselines.candidates import best_predictions
from glasscortex.decoder.baselines.problems import Problem


def regression(problem: Problem, config: BaselineConfig) -> Iterator[np.ndarray]:
    """Logistic regression of a class, ridge regression of a value.

    Parameters
    ----------
    problem : Problem
        One task of one session.
    config : BaselineConfig
        Candidates of the inverse strength of regularisation.

    Yields
    ------
    numpy.ndarray
        Values, or log-probabilities of the classes, of one strength after the other.
    """
    x, y, train = problem.compact, problem.labels, problem.train
    if problem.classes is None:
        for strength in config.inverse_regularisation:
            yield Ridge(alpha=1 / strength).fit(x[train], y[train]).predict(x)
        return
    fitted = LogisticRegression(max_iter=300, warm_start=True)
    for strength in sorted(config.inverse_regularisation):
        with warnings.catch_warnings():  # a repeat or two of many classes is no regression
            warnings.filterwarnings("ignore", "The number of unique classes is greater than")
            fitted.set_params(C=strength).fit(x[train], y[train])
        yield fitted.predict_log_proba(x)


predict = partial(best_predictions, regression)

"""The choice among the candidates of a baseline, on the validation split."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from glasscortex.config import BaselineConfig
from glasscortex.data.windows import WindowsReader
from glasscortex.decoder.baselines.problems import Problem, problems
from glasscortex.decoder.scores import headline, metrics
from glasscortex.tasks import TASKS

Fit = Callable[[Problem, BaselineConfig], Iterator[np.ndarray]]
"""Predictions (presentations,) of one candidate of the configuration after the other."""


def best_predictions(
    fit: Fit,
    trials: pd.DataFrame,
    windows: WindowsReader,
    config: BaselineConfig,
    tasks: tuple[str, ...],
    seed: int,
) -> dict[str, np.ndarray]:
    """What the best candidate of a baseline predicts in one session, task by task.

    Features are every cell's ΔF/F, as the mean of the window or sample by sample: which of the
    two, and the candidate of the configuration, is chosen by the headline metric on the
    validation split.

    Parameters
    ----------
    fit : callable
        The baseline.
    trials : pandas.DataFrame
        Presentations of the session, with label columns.
    windows : WindowsReader
        Reader of the session's windows.
    config : BaselineConfig
        Candidates.
    tasks : tuple of str
        Their names.
    seed : int
        Without effect: nothing that is fitted so is random.

    Returns
    -------
    dict of str to numpy.ndarray
        By task, (presentations,) float32, NaN where it does not apply; without the tasks that
        never do.
    """
    predictions = {}
    for name in tasks:
        known = trials[TASKS[name].column].notna().to_numpy()
        if known.any():
            predictions[name] = np.full(len(trials), np.nan, np.float32)
            candidates = problems(TASKS[name], trials[known], windows)
            predictions[name][known] = _best(fit, name, candidates, config)
    return predictions


def _best(fit: Fit, task: str, candidates: Iterator[Problem], config: BaselineConfig) -> np.ndarray:
    """Predictions (presentations,) of the candidate that scores best on validation."""
    score = metrics(task)[headline(task)]
    best, best_score = np.empty(0), -np.inf
    for problem in candidates:
        label = problem.values(problem.labels)[problem.validation]
        for fitted in fit(problem, config):
            prediction = problem.values(fitted)
            achieved = score(label, prediction[problem.validation])
            if not len(best) or achieved > best_score:
                best, best_score = prediction, np.nan_to_num(achieved, nan=-np.inf)
    return best

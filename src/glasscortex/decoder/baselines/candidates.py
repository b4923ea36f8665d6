"""The choice among the candidates of a baseline, on the validation split."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from glasscortex.config import BaselineConfig
from glasscortex.data.windows import WindowsReader
from glasscortex.decoder.baselines.problems import Problem, problems
from glasscortex.decoder.predictions import predictions, unpredicted
from glasscortex.decoder.scores import metrics
from glasscortex.decoder.temperature import confidence, fitted_gain
from glasscortex.tasks import ALLEN, Definitions, Task, label_column

Fit = Callable[[Problem, BaselineConfig], Iterator[np.ndarray]]
"""Of one candidate of the configuration after the other the values (presentations,), or, where
there are classes, their log-probabilities (presentations, classes), which may be too sure or not
sure enough: a temperature is fitted to them."""


def best_predictions(
    fit: Fit,
    trials: pd.DataFrame,
    windows: WindowsReader,
    config: BaselineConfig,
    tasks: tuple[str, ...],
    seed: int,
    definitions: Definitions = ALLEN,
) -> dict[str, np.ndarray]:
    """What the best candidate of a baseline predicts in one session, task by task.

    Features are every cell's ΔF/F, as the mean of the window or sample by sample: which of the
    two, and the candidate of the configuration, is chosen by the headline metric on the
    validation split, which gives the temperature, too. Where that has no labels, the first stand.

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
    definitions : Definitions
        What the tasks are.

    Returns
    -------
    dict of str to numpy.ndarray
        By task, (presentations,) of `PREDICTION`; without the tasks that never apply.
    """
    predicted = {}
    for name in tasks:
        known = trials[label_column(name)].notna().to_numpy()
        if known.any():
            predicted[name] = unpredicted(len(trials))
            task = definitions.tasks[name]
            candidates = problems(task, trials[known], windows)
            predicted[name][known] = _best(fit, task, candidates, config)
    return predicted


def _best(
    fit: Fit, task: Task, candidates: Iterator[Problem], config: BaselineConfig
) -> np.ndarray:
    """Predictions (presentations,) of the candidate that scores best on validation."""
    score = next(iter(metrics(task).values()))
    best, best_score = unpredicted(0), -np.inf
    for problem in candidates:
        label = problem.values(problem.labels)[problem.validation]
        for fitted in fit(problem, config):
            made = _predictions(problem, fitted)
            achieved = score(label, made["value"][problem.validation]) if len(label) else np.nan
            if not len(best) or achieved > best_score:
                best, best_score = made, np.nan_to_num(achieved, nan=-np.inf)
    return best


def _predictions(problem: Problem, fitted: np.ndarray) -> np.ndarray:
    """What a candidate predicts, from what `Fit` yields."""
    if problem.classes is None:
        return predictions(problem.values(fitted))
    held_out = problem.validation
    gain = fitted_gain(fitted[held_out], problem.labels[held_out])
    return predictions(problem.values(fitted.argmax(axis=1)), confidence(fitted, gain))

"""Simpler decoders that the transformer must beat: one a session and task."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from glasscortex.config import BaselineConfig
from glasscortex.data.windows import SessionWindows
from glasscortex.decoder.baselines.linear import discriminant, regression
from glasscortex.decoder.baselines.problems import Problem, problems
from glasscortex.decoder.baselines.side_by_side import side_by_side
from glasscortex.decoder.baselines.template import template
from glasscortex.decoder.scores import headline, metrics, write_scores
from glasscortex.tasks import TASKS
from glasscortex.words import CLASSIFIERS_ONLY

Baseline = Callable[[Problem, BaselineConfig], Iterator[np.ndarray]]


def baselines(
    *,
    trials: Path,
    windows: Path,
    out: Path,
    model: str,
    config: BaselineConfig,
    tasks: tuple[str, ...] | str,
    processes: int,
) -> None:
    """Score one baseline on the same windows as the transformer.

    Features are every cell's ΔF/F, as the mean of the window or sample by sample: which of the
    two, and the candidate of the configuration, is chosen by the headline metric on the
    validation split. Fits see the training split alone. Memory is that of one session a process;
    time grows with sessions × tasks.

    Parameters
    ----------
    trials : parquet table of presentations
    windows : folder of the sessions' windows
    out : rows of `decoding.csv`
    model : "linear" (logistic and ridge regression), "lda", "mlp" or "template"
    config : candidates
    tasks : names of the tasks, or "all"
    processes : sessions that are fitted side by side
    """
    table = pd.read_parquet(trials)
    names = TASKS if tasks == "all" else tasks
    if model in CLASSIFIERS_ONLY:
        names = [name for name in names if not TASKS[name].is_regression]
    predictions = {name: np.full(len(table), np.nan, np.float32) for name in names}
    labels = pd.DataFrame({name: table[TASKS[name].column].to_numpy() for name in names})
    fit = partial(_of_session, windows=windows, model=model, config=config)
    sessions = table.groupby("session_id", sort=False).groups.values()
    work = ((table.loc[rows], labels.loc[rows]) for rows in sessions)
    for rows, found in zip(sessions, side_by_side(fit, work, processes)):
        for name, prediction in found.items():
            predictions[name][rows] = prediction
    write_scores(table, predictions, out, model, seed=0)


def _of_session(
    presented: tuple[pd.DataFrame, pd.DataFrame],
    windows: Path,
    model: str,
    config: BaselineConfig,
) -> dict[str, np.ndarray]:
    """By task the predictions for all presentations of one session, NaN where it doesn't apply."""
    trials, labels = presented
    reader = SessionWindows(windows / f"{trials['session_id'].iloc[0]}.h5")
    predictions = {}
    for name, label in labels.items():
        known = np.isfinite(label.to_numpy())
        if known.any():
            predictions[name] = np.full(len(trials), np.nan, np.float32)
            task = problems(TASKS[name], trials[known], label[known].to_numpy(), reader)
            predictions[name][known] = _best(_baseline(model), name, task, config)
    return predictions


def _best(
    baseline: Baseline, task: str, candidates: Iterator[Problem], config: BaselineConfig
) -> np.ndarray:
    """Predictions (presentations,) of the candidate that scores best on validation."""
    score = metrics(task)[headline(task)]
    best, best_score = None, -np.inf
    for problem in candidates:
        for fitted in baseline(problem, config):
            prediction = problem.values(fitted)
            judged = problem.validation
            achieved = score(problem.values(problem.labels)[judged], prediction[judged])
            if best is None or achieved > best_score:
                best, best_score = prediction, np.nan_to_num(achieved, nan=-np.inf)
    return best


def _baseline(model: str) -> Baseline:
    if model == "mlp":
        from glasscortex.decoder.baselines.perceptron import (
            perceptron,  # torch, which the others don't need
        )

        return perceptron
    return {"linear": regression, "lda": discriminant, "template": template}[model]

"""What removing units costs, from the scores of the sessions: intervals, controls, specificity."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glasscortex.analysis.intervals import bootstrap_interval, resampled_means
from glasscortex.tasks import TASKS, related

ROUNDING = 1e-9
"""Difference of two losses that counts as none."""


@dataclass(frozen=True)
class Condition:
    """Units removed together, and why."""

    variable: str
    method: str
    units: tuple[int, ...]
    draw: int
    """Number of the matched set; −1 for the selective units themselves."""


def summarised(
    conditions: list[Condition],
    tasks: list[str],
    scores: pd.DataFrame,
    mice: pd.Series,
    bootstraps: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """The rows of the table, from the scores of the sessions.

    Parameters
    ----------
    conditions : list of Condition
    tasks : list of str
        Those of the decoder, in order.
    scores : pandas.DataFrame
        One row a session and task: session_id, task, intact, and a column a condition, named by
        its place.
    mice : pandas.Series
        Mouse by session_id.
    bootstraps : int
        Resamples of an interval.
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        `number`, the place in `conditions`, and the columns of the table but those that only the
        units tell.
    """
    numbers = list(range(len(conditions)))
    parts = []
    for task in tasks:
        of_task = scores[scores["task"] == task].dropna(subset=["intact"])
        if of_task.empty:
            continue
        clusters = of_task["session_id"].map(mice).factorize()[0]
        loss = of_task["intact"].to_numpy()[:, None] - of_task[numbers].to_numpy(np.float64)
        excess = loss - _mean_matched(conditions, loss)
        low, high = bootstrap_interval(np.stack([loss, excess], axis=-1), clusters, bootstraps, rng)
        part = pd.DataFrame(
            {
                "number": numbers,
                "task": task,
                "intact": of_task["intact"].mean(),
                "ablated": of_task[numbers].mean().to_numpy(),
                "delta": loss.mean(axis=0),
                "ci_low": low[:, 0],
                "ci_high": high[:, 0],
                "excess": excess.mean(axis=0),
                "excess_low": low[:, 1],
                "excess_high": high[:, 1],
                "n_sessions": len(of_task),
            }
        )
        parts.append(part)
    rows = pd.concat(parts, ignore_index=True)
    about = pd.DataFrame(
        [
            {
                "variable": c.variable,
                "n_units": len(c.units),
                "method": c.method,
                "condition": "selective" if c.draw < 0 else "matched_random",
                "draw": c.draw,
            }
            for c in conditions
        ]
    )
    rows = rows.join(about, on="number")
    rows["p"] = _rank_p(rows)
    rows.loc[rows["draw"] >= 0, ["excess", "excess_low", "excess_high"]] = np.nan
    rows = rows.join(specificity(conditions, scores, mice, bootstraps, rng), on=["number", "task"])
    order = ["number", "task"]
    rank = {task: i for i, task in enumerate(tasks)}
    return rows.sort_values(order, key=lambda c: c.map(rank) if c.name == "task" else c)


def _mean_matched(conditions: list[Condition], loss: np.ndarray) -> np.ndarray:
    """Mean loss over the matched sets of each condition's variable, method and dose."""
    groups = pd.Series([(c.variable, c.method, len(c.units)) for c in conditions])
    means = np.empty_like(loss)
    for columns in groups.groupby(groups).indices.values():
        matched = [i for i in columns if conditions[i].draw >= 0]
        means[:, columns] = loss[:, matched].mean(axis=1, keepdims=True)
    return means


def _rank_p(rows: pd.DataFrame) -> pd.Series:
    """p of a selective set: (1 + matched sets that cost as much) / (1 + matched sets)."""
    p = pd.Series(np.nan, rows.index)
    for _, group in rows.groupby(["variable", "method", "n_units", "task"]):
        own = group.index[group["draw"] < 0]
        matched = group.loc[group["draw"] >= 0, "delta"]
        reached = (matched >= group.loc[own[0], "delta"] - ROUNDING).sum()
        p[own] = (1 + reached) / (1 + len(matched))
    return p


def specificity(
    conditions: list[Condition],
    scores: pd.DataFrame,
    mice: pd.Series,
    bootstraps: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """How much more the own task loses than the other classification tasks, over mice.

    Only for classification tasks: an r² and an accuracy have no common scale.

    Parameters
    ----------
    conditions : list of Condition
    scores : pandas.DataFrame
        See `summarised`.
    mice : pandas.Series
        Mouse by session_id.
    bootstraps : int
        Resamples of an interval.
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        By (number, task) of the selective conditions: specificity and its interval.
    """
    of_mouse = scores["session_id"].map(mice).rename("mouse")
    numbers = [i for i, c in enumerate(conditions) if c.draw < 0]
    loss = -scores[numbers].sub(scores["intact"], axis=0)
    loss = loss.groupby([of_mouse, scores["task"]]).mean().unstack("task")
    contrasts: dict[tuple[int, str], tuple[float, float, float]] = {}
    for number in numbers:
        own = conditions[number].variable
        others = [
            task
            for task in loss[number].columns
            if task not in related(own) and not TASKS[task].is_regression
        ]
        if TASKS[own].is_regression or own not in loss[number] or not others:
            continue
        values = loss[number][[own, *others]].to_numpy()
        means = np.nanmean(values, axis=0)
        draws = resampled_means(values, np.arange(len(values)), bootstraps, rng)
        contrast = draws[:, 0] - draws[:, 1:].mean(axis=1)
        several = len(values) > 1
        low, high = np.nanquantile(contrast, [0.025, 0.975]) if several else (np.nan, np.nan)
        contrasts[number, own] = means[0] - means[1:].mean(), low, high
    columns = ["specificity", "specificity_low", "specificity_high"]
    index = pd.MultiIndex.from_tuples(list(contrasts), names=["number", "task"])
    return pd.DataFrame(list(contrasts.values()), index, columns, dtype=float)

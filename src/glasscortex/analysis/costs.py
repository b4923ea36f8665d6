"""What removing units costs, from the scores of the sessions: intervals, controls, specificity."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64
from scipy.stats import t

from glasscortex.analysis.bench import Condition
from glasscortex.intervals import jackknife_error, mean_interval, student_reach
from glasscortex.tasks import ALLEN, Definitions

ROUNDING = 1e-9
"""Difference of two losses that counts as none."""

QUANTILES = (np.arange(200) + 0.5) / 200
"""Of Student's t, where it is added to what random sets are apart."""

BEYOND = (
    *("matched", "matched_low", "matched_high", "n_matched", "p"),
    *("excess", "excess_low", "excess_high"),
)
"""Columns that hold a set's loss against that of random sets."""


def summarised(
    conditions: list[Condition],
    tasks: list[str],
    scores: pd.DataFrame,
    mice: pd.Series,
    definitions: Definitions = ALLEN,
) -> pd.DataFrame:
    """The rows of the table, from the scores of the sessions: random sets are columns of theirs.

    Parameters
    ----------
    conditions : list of Condition
    tasks : list of str
        Those of the decoder, in order.
    scores : pandas.DataFrame
        One row a session and task: session_id, task, intact, and a column a condition, named by
        its place; of random sets at least those of the task.
    mice : pandas.Series
        Mouse by session_id.
    definitions : Definitions
        What the tasks are.

    Returns
    -------
    pandas.DataFrame
        `number`, the place in `conditions`, `matched_numbers`, those of its random sets, and the
        columns of the table but those that only the units tell.
    """
    shown = [i for i, c in enumerate(conditions) if c.draw < 0]
    drawn: dict[tuple, list[int]] = {}
    for number, c in enumerate(conditions):
        if c.draw >= 0:
            drawn.setdefault(_kind(c), []).append(number)
    sets = [drawn.get(_kind(conditions[number]), []) for number in shown]
    parts = []
    for task in tasks:
        of_task = scores[scores["task"] == task].dropna(subset=["intact"])
        if of_task.empty:
            continue
        clusters = of_task["session_id"].map(mice).factorize()[0]
        scored = of_task[list(range(len(conditions)))].to_numpy(np.float64)
        loss = of_task["intact"].to_numpy()[:, None] - scored
        low, high = mean_interval(loss[:, shown], clusters)
        for place, (number, random) in enumerate(zip(shown, sets, strict=True)):
            c = conditions[number]
            row = {
                "number": number,
                "task": task,
                "variable": c.variable,
                "n_units": len(c.units),
                "method": c.method,
                "condition": c.kind,
                "intact": of_task["intact"].mean(),
                "ablated": of_task[number].mean(),
                "delta": loss[:, number].mean(),
                "ci_low": low[place],
                "ci_high": high[place],
                "n_sessions": len(of_task),
                "matched_numbers": random if task == c.variable else [],
            }
            if task == c.variable and random:
                row |= beyond(loss[:, number], loss[:, random], clusters)
            parts.append(row)
    rows = pd.DataFrame(parts)
    rows = rows.reindex(columns=list(dict.fromkeys([*rows, *BEYOND])))
    rows["n_matched"] = rows["n_matched"].fillna(0).astype(int)
    rows = rows.join(specificity(conditions, scores, mice, definitions), on=["number", "task"])
    order = ["number", "task"]
    rank = {task: i for i, task in enumerate(tasks)}
    return rows.sort_values(
        order, key=lambda c: c.map(rank) if c.name == "task" else c, ignore_index=True
    )


def _kind(c: Condition) -> tuple[str, str, int, str]:
    """What a set and its random sets have in common."""
    return c.variable, c.method, len(c.units), c.kind


def beyond(
    loss: Float[np.ndarray, " sessions"],
    matched: Float[np.ndarray, "sessions sets"],
    clusters: Int64[np.ndarray, " sessions"],
) -> dict[str, float]:
    """What a set loses beyond random sets, for other mice and against other random sets.

    The error of the excess is that over mice, by the jackknife and Student's t, plus the distance
    of a random set from their mean, as it was found: a random set in the given one's place has an
    interval that excludes no excess in 95 % of cases, however the sets' losses are distributed.

    Parameters
    ----------
    loss : ndarray, shape (sessions,)
        What removing the set costs each session.
    matched : ndarray, shape (sessions, sets)
        What random sets cost.
    clusters : ndarray of int, shape (sessions,)
        Mouse of each session, from 0.

    Returns
    -------
    dict of float
        The columns `BEYOND`. No interval with one mouse or one random set.
    """
    means, n = matched.mean(axis=0), matched.shape[1]
    low, high = np.quantile(means, [0.025, 0.975])
    difference = loss - matched.mean(axis=1)
    excess, mice = difference.mean(), clusters.max() + 1
    reach = np.nan, np.nan
    if mice > 1 and n > 1:
        without = [difference[clusters != mouse].mean() for mouse in range(mice)]
        over_mice = t.ppf(QUANTILES, mice - 1) * jackknife_error(np.array(without))
        over_sets = (means - means.mean()) * np.sqrt((n + 1) / (n - 1))
        reach = np.quantile(excess + over_mice[:, None] - over_sets, [0.025, 0.975])
    values = means.mean(), low, high, n, (1 + (means >= loss.mean() - ROUNDING).sum()) / (1 + n)
    return dict(zip(BEYOND, (*values, excess, *reach), strict=True))


def specificity(
    conditions: list[Condition],
    scores: pd.DataFrame,
    mice: pd.Series,
    definitions: Definitions = ALLEN,
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
    definitions : Definitions
        What the tasks are.

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
            if task not in definitions.related(own) and not definitions.tasks[task].is_regression
        ]
        if definitions.tasks[own].is_regression or own not in loss[number] or not others:
            continue
        values = loss[number][[own, *others]].to_numpy()
        without = [_contrast(np.delete(values, mouse, axis=0)) for mouse in range(len(values))]
        of_own = np.isfinite(values[:, 0]).sum()
        reach = student_reach(of_own) * float(jackknife_error(np.array(without)))
        contrast = _contrast(values)
        contrasts[number, own] = contrast, contrast - reach, contrast + reach
    columns = ["specificity", "specificity_low", "specificity_high"]
    index = pd.MultiIndex.from_tuples(list(contrasts), names=["number", "task"])
    return pd.DataFrame(list(contrasts.values()), index, columns, dtype=float)


def _contrast(values: Float[np.ndarray, "mice tasks"]) -> float:
    """The mean of the first task less that of the others; NaN where a task is left without mice."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(known, values, 0).sum(axis=0) / known.sum(axis=0)
    return means[0] - means[1:].mean()

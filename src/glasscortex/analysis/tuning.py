"""What the most selective units respond to, label by label, and what chance gives."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64, Shaped

from glasscortex.analysis import nulls
from glasscortex.analysis.background import UNKNOWN
from glasscortex.analysis.presentations import Presentations
from glasscortex.tasks import Variable

UNITS = 4
"""Most units of one variable that the table describes."""

DRAWS = 500
"""Permutations behind the columns `low` and `high`."""

COLUMNS = [
    *("unit", "variable", "stimulus", "label", "mouse"),
    *("mean", "error", "low", "high", "n"),
]


@dataclass(frozen=True)
class TuningCurves:
    """Mean responses by label, and what chance gives.

    Attributes
    ----------
    labels : ndarray, shape (classes,)
    n : ndarray of int, shape (classes,)
        Observations of each.
    mean, error : ndarray, shape (classes, units)
        Response and its standard error.
    low, high : ndarray, shape (classes, units)
        Middle 95 % of the means when labels are permuted.
    """

    labels: Shaped[np.ndarray, " classes"]
    n: Int64[np.ndarray, " classes"]
    mean: Float[np.ndarray, "classes units"]
    error: Float[np.ndarray, "classes units"]
    low: Float[np.ndarray, "classes units"]
    high: Float[np.ndarray, "classes units"]


def tuning_curves(
    responses: Float[np.ndarray, "observations units"],
    labels: Shaped[np.ndarray, " observations"],
    groups: Int64[np.ndarray, " observations"],
) -> TuningCurves:
    """Measure tuning curves.

    Parameters
    ----------
    responses : ndarray, shape (observations, units)
    labels : ndarray, shape (observations,)
    groups : ndarray of int, shape (observations,)
        Labels are permuted within these.
    """
    values, classes = np.unique(labels, return_inverse=True)
    n = np.bincount(classes)

    def means(classes: np.ndarray) -> np.ndarray:
        return np.stack([np.bincount(classes, unit) / n for unit in responses.T], axis=1)

    mean = means(classes)
    squares = (responses - mean[classes]) ** 2
    squares = np.stack([np.bincount(classes, unit) for unit in squares.T], axis=1)
    rng = np.random.default_rng(0)
    null = [means(classes[order]) for order in nulls.permutations(groups, DRAWS, rng)]
    low, high = np.percentile(null, [2.5, 97.5], axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(squares / (n - 1)[:, None] / n[:, None])
    return TuningCurves(values, n, mean, error, low, high)


def tuning(
    test: Presentations, sessions: pd.DataFrame, selectivity: pd.DataFrame, most: int = UNITS
) -> pd.DataFrame:
    """Describe the most selective units of every variable of presentations and of mice.

    Units are chosen on the validation split, the selected first, then by their effect.
    Presentations are the observations of stimuli, and labels are permuted within session and
    block (of what an animal does on a trial they are not: `low` and `high` are missing); of what is
    constant in a mouse, it is mice, among whom labels are permuted.

    Parameters
    ----------
    test : Presentations
        Responses of all units.
    sessions : pandas.DataFrame
        With mouse and the variables of mice.
    selectivity : pandas.DataFrame
        What `selectivity` found in these units.
    most : int
        Units of one variable that are described, at most.

    Returns
    -------
    pandas.DataFrame
        One row a unit and label, best units first: `mean` with its standard error, the middle
        95 % of permuted labels, and the number of observations; after these rows of variables of
        mice, one a mouse, with the mean over its `n` presentations.
    """
    parts, known = [], test.definitions
    for (variable, stimulus), rows in selectivity.groupby(["variable", "stimulus"], sort=False):
        best = rows.sort_values(["selected", "effect_selection"], ascending=False, kind="stable")
        units = best["unit"].to_numpy(np.int64)[:most]
        presentations = test.of_units(units).of(variable, stimulus)
        if variable in known.at("stimulus", "behaviour", classes=True):
            table = _by_label(presentations, known.variables[variable])
        elif variable in known.at("mouse"):
            table = _by_mouse(presentations, sessions.groupby("mouse")[variable].first())
        else:
            continue
        table["unit"] = units[table["unit"]]
        parts.append(table.assign(variable=variable, stimulus=stimulus))
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return table.reindex(columns=COLUMNS)


def _by_label(presentations: Presentations, variable: Variable) -> pd.DataFrame:
    curves = tuning_curves(
        presentations.responses,
        presentations.trials[variable.name].to_numpy(np.float64),
        presentations.numbered("session_id", "block"),
    )
    rows = _rows(curves, [variable.written(label, digits=9) for label in curves.labels])
    # what an animal does has its own course in time, which no permutation within a block keeps
    return rows if variable.level == "stimulus" else rows.assign(low=np.nan, high=np.nan)


def _by_mouse(presentations: Presentations, labels: pd.Series) -> pd.DataFrame:
    """Rows of the labels, then of the mice.

    Parameters
    ----------
    presentations : Presentations
    labels : pandas.Series
        By mouse; unknown ones are left out.
    """
    labels = labels[labels.notna() & ~labels.isin(UNKNOWN)]
    of_mouse = pd.DataFrame(presentations.responses).groupby(presentations.trials["mouse"])
    means, n = of_mouse.mean(), of_mouse.size()
    means, n = means[means.index.isin(labels.index)], n[n.index.isin(labels.index)]
    label = labels.loc[means.index].to_numpy(str)
    curves = tuning_curves(means.to_numpy(), label, np.zeros(len(label), np.int64))
    mice = [
        pd.DataFrame(
            {"unit": unit, "label": label, "mouse": means.index, "mean": means[unit], "n": n}
        )
        for unit in means
    ]
    rows = pd.concat([_rows(curves, list(curves.labels)), *mice], ignore_index=True)
    return rows.sort_values("unit", kind="stable")


def _rows(curves: TuningCurves, labels: list[str]) -> pd.DataFrame:
    """One row a unit, by its place, and label."""
    return pd.concat(
        pd.DataFrame(
            {
                "unit": unit,
                "label": labels,
                "mean": curves.mean[:, unit],
                "error": curves.error[:, unit],
                "low": curves.low[:, unit],
                "high": curves.high[:, unit],
                "n": curves.n,
            }
        )
        for unit in range(curves.mean.shape[1])
    )

"""What units do on presentations: rates, and means by behaviour, session and mouse."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from glasscortex.analysis import effects
from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.probing import FEWEST, TOP, top_share

BINS = 8
"""Bins of equally many presentations that a continuous variable is cut into."""


def activity(test: Presentations) -> pd.DataFrame:
    """Tell how often and how strongly each unit fires.

    Parameters
    ----------
    test : Presentations
        Responses of all units.

    Returns
    -------
    pandas.DataFrame
        One row a unit: `rate`, the share of presentations on which it is active; `l0_share`, its
        rate over the sum of all units'; `mean`, its mean response.
    """
    rate = test.active() / len(test.trials)
    total = rate.sum()
    return pd.DataFrame(
        {
            "unit": np.arange(len(rate)),
            "rate": rate,
            "l0_share": rate / total if total else rate,
            "mean": test.responses.mean(axis=0, dtype=np.float64),
        }
    )


def purities(test: Presentations, selectivity: pd.DataFrame) -> pd.Series:
    """Share of the preferred label among a unit's strongest responses on test.

    As many responses count as in probing's purity (`TOP` of the presentations, `FEWEST` at least,
    no more than show the label), and equal ones alike; the label was preferred on validation.

    Parameters
    ----------
    test : Presentations
        Responses of all units.
    selectivity : pandas.DataFrame
        What `selectivity` found in them.

    Returns
    -------
    pandas.Series
        By the rows of `selectivity`; NaN for variables that are no classes of presentations.
    """
    purity = pd.Series(np.nan, selectivity.index)
    known = test.definitions
    names = known.at("stimulus", "behaviour", classes=True)
    names = [name for name in names if not known.variables[name].is_ranked]
    rows = selectivity[selectivity["variable"].isin(names)]
    for (variable, stimulus), part in rows.groupby(["variable", "stimulus"], sort=False):
        shown = test.of(variable, stimulus)
        labels = shown.trials[variable].to_numpy(np.float64)
        preferred = part["preferred"].map(known.variables[variable].label)
        for row, unit, label in zip(part.index, part["unit"], preferred, strict=True):
            is_class = np.isclose(labels, label)
            number = min(max(FEWEST, round(TOP * len(labels))), is_class.sum())
            if number:
                purity[row] = top_share(shown.responses[:, unit], number) @ is_class
    return purity


def by_behaviour(test: Presentations, units: Int64[np.ndarray, " units"]) -> pd.DataFrame:
    """Mean responses in bins of running speed, pupil and other continuous variables.

    Parameters
    ----------
    test : Presentations
        Responses of all units.
    units : ndarray of int, shape (units,)
        Those that are described.

    Returns
    -------
    pandas.DataFrame
        One row a unit, variable and bin (`BINS`, with equally many presentations): the mean `value`
        of the variable in the bin, the `mean` response with its standard `error`, and `n`.
    """
    parts = []
    for variable in test.definitions.at("stimulus", "behaviour", classes=False):
        if not test.knows(variable):
            continue
        shown = test.of_units(units).of(variable, None)
        values = shown.trials[variable].to_numpy(np.float64)
        bins = np.argsort(np.argsort(values, kind="stable"), kind="stable") * BINS // len(values)
        bins = np.unique(bins, return_inverse=True)[1]
        n = np.bincount(bins)
        mean, error = means_and_errors(shown.responses, bins)
        parts.append(
            pd.DataFrame(
                {
                    "unit": np.repeat(units, len(n)),
                    "variable": variable,
                    "value": np.tile(np.bincount(bins, values) / n, len(units)),
                    "mean": mean.T.ravel(),
                    "error": error.T.ravel(),
                    "n": np.tile(n, len(units)),
                }
            )
        )
    columns = ["unit", "variable", "value", "mean", "error", "n"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def by_group(test: Presentations, column: str) -> tuple[pd.Series, Float[np.ndarray, "g units"]]:
    """Mean responses by session or by mouse.

    Parameters
    ----------
    test : Presentations
        Responses of all units.
    column : str
        Of the trials: session_id or mouse.

    Returns
    -------
    n : pandas.Series
        Presentations of each, by its name, sorted.
    means : ndarray, shape (groups, units)
    """
    groups, names = pd.factorize(test.trials[column], sort=True)
    n = pd.Series(np.bincount(groups, minlength=len(names)), index=names)
    return n, effects.group_means(test.responses, groups)


def means_and_errors(
    responses: Float[np.ndarray, "observations units"], groups: Int64[np.ndarray, " observations"]
) -> tuple[Float[np.ndarray, "groups units"], Float[np.ndarray, "groups units"]]:
    """Mean response of each group and its standard error (NaN in a group of one).

    Examples
    --------
    >>> mean, error = means_and_errors(np.array([[1.0], [3.0], [5.0]]), np.array([0, 0, 1]))
    >>> mean.ravel().tolist(), error.ravel().tolist()
    ([2.0, 5.0], [1.0, nan])
    """
    mean = effects.group_means(responses, groups)
    squares = effects.group_means((responses - mean[groups]) ** 2, groups)
    n = np.bincount(groups)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return mean, np.where(n > 1, np.sqrt(squares / (n - 1)), np.nan)

"""Which units a session drives, and which are more active in it than elsewhere."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

UNITS = 16
"""Units of a session."""

FEWEST = 3
"""Sessions without which none is told from the others."""


def driven(part: pd.DataFrame) -> pd.DataFrame:
    """The units that the cells of one session drive most, on one stimulus.

    Parameters
    ----------
    part : pandas.DataFrame
        Attributions by cell, of one session and stimulus: session_id, stimulus, unit, cell,
        attribution.

    Returns
    -------
    pandas.DataFrame
        The `UNITS` whose absolute attributions sum to most, from there down: session_id,
        stimulus, unit, the `attribution` of all cells together, the `cell` with the largest, and
        its `share` of the absolute ones.
    """
    size = part["attribution"].abs()
    totals = size.groupby(part["unit"]).sum()
    most = totals[totals > 0].sort_values(ascending=False, kind="stable").index[:UNITS]
    kept = part[part["unit"].isin(most)]
    largest = kept.loc[size[kept.index].groupby(kept["unit"]).idxmax()].set_index("unit")
    rows = largest.assign(
        attribution=kept.groupby("unit")["attribution"].sum(),
        share=largest["attribution"].abs() / totals,
    )
    columns = ["session_id", "stimulus", "unit", "attribution", "cell", "share"]
    return rows.loc[most].reset_index()[columns]


def above_others(
    sessions: list[str],
    means: Float[np.ndarray, "sessions units"],
    units: Int64[np.ndarray, " units"],
) -> pd.DataFrame:
    """The units that are more active in a session than in the others.

    Parameters
    ----------
    sessions : list of str
        Their names.
    means : ndarray, shape (sessions, units)
        Mean response in each session.
    units : ndarray of int, shape (units,)
        Names of the units.

    Returns
    -------
    pandas.DataFrame
        One row a session and unit, at most `UNITS` a session: session_id, unit, the `mean` there,
        that of the other sessions' means (`others`), and by how many of their standard
        deviations it lies above (`deviations`). Empty with fewer than `FEWEST` sessions.
    """
    columns = ["session_id", "unit", "mean", "others", "deviations"]
    n = len(sessions)
    if n < FEWEST:
        return pd.DataFrame(columns=columns)
    others = (means.sum(axis=0) - means) / (n - 1)
    variance = ((means**2).sum(axis=0) - means**2 - (n - 1) * others**2) / (n - 2)
    spread = np.sqrt(np.maximum(variance, 0))
    deviations = np.zeros_like(spread)
    np.divide(means - others, spread, out=deviations, where=spread > 1e-6 * np.abs(means))
    parts = []
    for row, session in enumerate(sessions):
        order = np.argsort(-deviations[row], kind="stable")[:UNITS]
        order = order[deviations[row, order] > 0]
        part = {"unit": units[order], "mean": means[row, order], "others": others[row, order]}
        part |= {"deviations": deviations[row, order], "session_id": session}
        parts.append(pd.DataFrame(part)[columns])
    return pd.concat(parts, ignore_index=True)

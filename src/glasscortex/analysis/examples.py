"""Presentations that show what a unit does, and what its cells did meanwhile."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float, Float32, Int64

from glasscortex.data.windows import WindowsReader

NUMBER = 8
"""Presentations of each kind."""


def examples(
    responses: Float32[np.ndarray, "presentations units"],
    units: Int64[np.ndarray, " units"],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Choose presentations on which a unit is active: strongest, around its median, and at random.

    Parameters
    ----------
    responses : ndarray, shape (presentations, units)
        Of all units.
    units : ndarray of int, shape (units,)
        Those that are described.
    rng : numpy.random.Generator
        Draws the random ones.

    Returns
    -------
    pandas.DataFrame
        One row a unit, `kind` (top, middle, random) and presentation: its `row` in `responses`, and
        the `response`.
    """
    parts = [pd.DataFrame(columns=["unit", "kind", "row", "response"])] * (not len(units))
    for unit in units:
        response = responses[:, unit]
        active = np.flatnonzero(response)
        ranked = active[np.argsort(-np.abs(response[active]), kind="stable")]
        middle = max(0, len(ranked) // 2 - NUMBER // 2)
        drawn = rng.permutation(active)[:NUMBER]
        chosen = {"top": ranked[:NUMBER], "middle": ranked[middle:][:NUMBER], "random": drawn}
        for kind, rows in chosen.items():
            values = {"unit": unit, "kind": kind, "row": rows, "response": response[rows]}
            parts.append(pd.DataFrame(values))
    return pd.concat(parts, ignore_index=True)


def cell_traces(
    windows: Mapping[str, WindowsReader], trials: pd.DataFrame, wanted: pd.DataFrame
) -> list[Float[np.ndarray, " samples"]]:
    """What cells did in windows.

    Parameters
    ----------
    windows : mapping of str to WindowsReader
        Reader of each session's windows.
    trials : pandas.DataFrame
        All presentations.
    wanted : pandas.DataFrame
        The `trial` and `cell` (its name) of each trace.

    Returns
    -------
    list of ndarray, shape (samples,)
        One a row of `wanted`, in their order: what the decoder read.
    """
    shown = trials.iloc[wanted["trial"]].reset_index(drop=True)
    traces: list[np.ndarray] = [np.empty(0)] * len(wanted)
    cells = wanted["cell"].to_numpy()
    for (session, stimulus), part in shown.groupby(["session_id", "stimulus"], sort=False):
        reader = windows[session]
        place = {cell: i for i, cell in enumerate(reader.cells)}
        presentation, row = np.unique(part["presentation"], return_inverse=True)
        values = reader.read(stimulus, presentation)
        for i, own in zip(part.index, row, strict=True):
            traces[i] = values[own, place[cells[i]]]
    return traces

"""Which cells drive a unit most, over all sessions, from attributions session by session."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glasscortex.analysis.by_session import driven

CELLS = 16
"""Cells of a unit, over all sessions."""

OF_EXAMPLE = 4
"""Cells of a unit in the session of one example."""


@dataclass(frozen=True)
class Driving:
    """The cells that drive units.

    Attributes
    ----------
    cells : pandas.DataFrame
        One row a unit and cell, the strongest of all sessions: session_id, stimulus, cell,
        `attribution`, and its `share` of the unit's absolute attributions there.
    examples : pandas.DataFrame
        The same, for the sessions of examples.
    maps : pandas.DataFrame
        The same for all cells of one session and stimulus a unit: those that drive it most.
    sessions : pandas.DataFrame
        The units that each session drives most, see `driven`.
    """

    cells: pd.DataFrame
    examples: pd.DataFrame
    maps: pd.DataFrame
    sessions: pd.DataFrame


def driving(parts: Iterable[pd.DataFrame], examples: pd.DataFrame) -> Driving:
    """Find the cells that drive units.

    Memory holds one part, and what is kept of each unit.

    Parameters
    ----------
    parts : iterable of pandas.DataFrame
        Attributions by cell, of one session and stimulus each: session_id, stimulus, unit, cell,
        attribution.
    examples : pandas.DataFrame
        The session_id, stimulus and unit of presentations whose cells are asked for.

    Returns
    -------
    Driving
        The strongest cells first.
    """
    asked = {
        place: rows["unit"].unique() for place, rows in examples.groupby(["session_id", "stimulus"])
    }
    best: list[pd.DataFrame] = []
    of_examples: list[pd.DataFrame] = []
    of_sessions: list[pd.DataFrame] = []
    maps: dict[int, pd.DataFrame] = {}
    most = pd.Series(dtype=np.float64)
    for part in parts:
        size = part["attribution"].abs()
        totals = size.groupby(part["unit"]).sum()
        total = part["unit"].map(totals)
        part = part.assign(share=part["attribution"] / total.where(total > 0), size=size)
        ranked = part.sort_values("size", ascending=False, kind="stable")
        best = [_strongest(pd.concat([*best, ranked]), CELLS)]
        units = asked.get((part["session_id"].iloc[0], part["stimulus"].iloc[0]), [])
        of_sessions.append(driven(part))
        of_examples.append(_strongest(ranked[ranked["unit"].isin(units)], OF_EXAMPLE))
        more = totals[totals > most.reindex(totals.index, fill_value=-np.inf)]
        most = pd.concat([most.drop(more.index, errors="ignore"), more])
        maps.update(dict(iter(part[part["unit"].isin(more.index)].groupby("unit"))))
    columns = ["unit", "session_id", "stimulus", "cell", "attribution", "share"]

    def joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
        rows = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
        return rows[columns]

    kept = best, of_examples, list(maps.values()), of_sessions
    return Driving(*map(joined, kept))


def by_time(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """When in the window cells drive a unit: attributions by time, mean over sessions.

    Parameters
    ----------
    parts : iterable of pandas.DataFrame
        Attributions by time, of one session and stimulus each: stimulus, unit, time_s,
        attribution.

    Returns
    -------
    pandas.DataFrame
        One row a unit, stimulus and time: `attribution`, and the sessions `n` behind it.
    """
    keys = ["unit", "stimulus", "time_s"]
    held: pd.DataFrame | None = None
    for part in parts:
        sums = part.groupby(keys)["attribution"].agg(["sum", "size"])
        held = sums if held is None else held.add(sums, fill_value=0)
    if held is None:
        return pd.DataFrame(columns=[*keys, "attribution", "n"])
    rows = held.assign(attribution=held["sum"] / held["size"], n=held["size"].astype(int))
    return rows[["attribution", "n"]].reset_index()


def _strongest(ranked: pd.DataFrame, most: int) -> pd.DataFrame:
    """The first rows of each unit, strongest first."""
    ranked = ranked.sort_values("size", ascending=False, kind="stable")
    return ranked.groupby("unit", sort=False).head(most)

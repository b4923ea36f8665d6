"""Tables that a user writes beside traces: what was shown, what the animal did, frame times."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float64

from glasscortex.data.nwb2.contents import Measured
from glasscortex.data.nwb2.stimuli import EPOCHS, INVALID
from glasscortex.errors import InputError

EDGES = {"start_time": "stop_time", "start_frame": "stop_frame"}
"""Columns that tell when a row begins and ends: seconds, or imaging frames from 0, half-open."""

TAKEN = {"id", "tags", "timeseries", "start_time", "stop_time"}
"""Columns that NWB gives a meaning of its own."""

NO_NAME = re.compile(r"[/:]|_index$|^\s*$|^Unnamed: ")
"""What no column or stimulus can be called; pandas calls a column without a name Unnamed."""

BEHAVIOUR = ("running_speed", "pupil")


def read_stimuli(path: Path, time: np.ndarray) -> dict[str, pd.DataFrame]:
    """What was shown when, a table a stimulus, in seconds and in order of time.

    Parameters
    ----------
    path : Path
        CSV with `start_time` and `stop_time` in seconds or `start_frame` and `stop_frame`, and any
        columns of numbers, truth values or text. Where it has a column `stimulus`, that names the
        table of each row, which keeps the columns that any of its rows fills; else all are of
        one, named as the file.
    time : numpy.ndarray
        Seconds of the imaging frames, (frames,).

    Returns
    -------
    dict of str to pandas.DataFrame
        `start_time`, `stop_time`, then others.

    Raises
    ------
    InputError
        It cannot be read, a row is not within imaging, or two rows say the same.
    """
    table = _read(path)
    first = next((name for name in EDGES if name in table), None)
    if first is None or EDGES[first] not in table:
        raise InputError(
            f"{path} has the columns {', '.join(table)}: name two of them start_time and stop_time "
            "(seconds), or start_frame and stop_frame"
        )
    start, stop = (_numbers(path, table, name) for name in (first, EDGES[first]))
    step = float(np.median(np.diff(time)))
    edges = np.append(time, time[-1] + step)
    if first == "start_frame":
        start = _seconds(path, first, start, edges)
        stop = _seconds(path, EDGES[first], stop, edges)
    _check_rows(path, start, stop, edges, step)
    if table.duplicated().any():
        row = np.flatnonzero(table.duplicated())[0]
        raise InputError(f"{path}, line {_line(row)}: it says what a line before it says: keep one")
    own = table.drop(columns=[first, EDGES[first]])
    shown = own.pop("stimulus") if "stimulus" in own else pd.Series(path.stem, own.index)
    if shown.isna().any():
        row = np.flatnonzero(shown.isna())[0]
        raise InputError(f"{path}, line {_line(row)}: it names no stimulus: fill it in")
    taken = TAKEN.intersection(own) | {EPOCHS, INVALID}.intersection(shown)
    if wrong := [*taken, *(name for name in [*own, *shown.unique()] if NO_NAME.search(name))]:
        raise InputError(f"{path}: nothing can be named {wrong[0]!r} in NWB: rename it")
    own.insert(0, "start_time", start)
    own.insert(1, "stop_time", stop)
    tables = {}
    for name, rows in own.groupby(shown.to_numpy()):
        rows = rows.dropna(axis="columns", how="all").sort_values("start_time", kind="stable")
        tables[str(name)] = rows.reset_index(drop=True).infer_objects()
    return tables


def read_behaviour(paths: Sequence[Path]) -> dict[str, Measured]:
    """Running speed (cm/s) and size of the pupil as they were sampled.

    Parameters
    ----------
    paths : sequence of Path
        CSV files, each with `time` in seconds and `running_speed`, `pupil` or both.

    Raises
    ------
    InputError
        One has other columns, times that do not rise, or what another has.
    """
    found: dict[str, Measured] = {}
    for path in paths:
        table = _read(path)
        names = [name for name in BEHAVIOUR if name in table]
        if "time" not in table or not names:
            raise InputError(
                f"{path} has the columns {', '.join(table)}: name one time (seconds), and others "
                f"{' or '.join(BEHAVIOUR)}"
            )
        time = _numbers(path, table, "time")
        if len(time) < 2 or not (np.diff(time) > 0).all():
            raise InputError(f"{path}: its times do not rise: sort it, and remove what is twice")
        for name in names:
            if name in found:
                raise InputError(f"{path} tells {name} again: give one table of it")
            found[name] = Measured(_numbers(path, table, name, missing=True), time)
    return found


def read_frame_times(path: Path, frames: int) -> np.ndarray:
    """Seconds of the imaging frames, (frames,).

    Parameters
    ----------
    path : Path
        CSV with a column `time`, a row a frame.
    frames : int
        How many there are.

    Raises
    ------
    InputError
        It has other rows, or they do not rise.
    """
    table = _read(path)
    if "time" not in table:
        raise InputError(f"{path} has the columns {', '.join(table)}: name one of them time")
    time = _numbers(path, table, "time")
    if len(time) != frames or not (np.diff(time) > 0).all():
        raise InputError(
            f"{path} has {len(time)} times for {frames} frames, or they do not rise: write the "
            "time of each frame"
        )
    return time


def _read(path: Path) -> pd.DataFrame:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            names = next(csv.reader(file, skipinitialspace=True), [])
        table = pd.read_csv(
            path,
            encoding="utf-8-sig",
            skipinitialspace=True,
            dtype={"stimulus": str},
            keep_default_na=False,
            na_values=["", "NaN", "nan"],
        )
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(f"{path} is no table that can be read ({said}): write it as CSV") from None
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{path} has two columns named {twice[0]!r}: rename one")
    if table.empty:
        raise InputError(f"{path} has no rows: fill it in")
    return table


def _numbers(
    path: Path, table: pd.DataFrame, name: str, *, missing: bool = False
) -> Float64[np.ndarray, " rows"]:
    """A column of numbers, none of them missing unless they may be."""
    values = pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64)
    wrong = ~np.isfinite(values) & ~(missing & table[name].isna().to_numpy())
    if wrong.any():
        row = np.flatnonzero(wrong)[0]
        raise InputError(
            f"{path}, line {_line(row)}: {name} is {table[name].iloc[row]}: write a number"
        )
    return values


def _seconds(path: Path, name: str, frames: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The times at which frames begin."""
    wrong = (frames % 1 != 0) | (frames < 0) | (frames >= len(edges))
    if wrong.any():
        row = np.flatnonzero(wrong)[0]
        raise InputError(
            f"{path}, line {_line(row)}: {name} is {frames[row]:g}, but the recording has "
            f"{len(edges) - 1} frames: write frames from 0, or times in seconds"
        )
    return edges[frames.astype(np.int64)]


def _check_rows(
    path: Path, start: np.ndarray, stop: np.ndarray, edges: np.ndarray, step: float
) -> None:
    if (stop < start).any():
        row = np.flatnonzero(stop < start)[0]
        raise InputError(f"{path}, line {_line(row)}: it stops before it starts: mend it")
    outside = (start < edges[0] - step / 2) | (stop > edges[-1] + step / 2)
    if outside.any():
        row = np.flatnonzero(outside)[0]
        raise InputError(
            f"{path}, line {_line(row)}: it is from {start[row]:g} to {stop[row]:g} s, but imaging "
            f"from {edges[0]:g} to {edges[-1]:g} s: remove it, or tell when imaging began "
            "(first_frame_s)"
        )


def _line(row: int) -> int:
    """The line of a row in the file, which begins with a header."""
    return row + 2

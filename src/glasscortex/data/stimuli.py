"""What was shown when: the stimulus tables of a recording, checked.

A table is read as it is meant or refused: frames are frames of the recording, one thing is shown
at a time, and labels repeat as those of a design do.
"""

from pathlib import Path
from typing import get_args

import numpy as np

from glasscortex.errors import InputError
from glasscortex.words import MOVIES, StimulusName

DIRECTION_PERIOD, ORIENTATION_PERIOD, PHASE_PERIOD = 360.0, 180.0, 1.0

LABELS: dict[str, dict[str, float | None]] = {
    "drifting_gratings": {"orientation": DIRECTION_PERIOD, "temporal_frequency": None},
    "static_gratings": {
        "orientation": ORIENTATION_PERIOD,
        "spatial_frequency": None,
        "phase": PHASE_PERIOD,
    },
}
"""Columns that hold labels, with their period where they have one."""

ROUNDED_TO = 1 / 36000
"""Share of a period that angles and phases are rounded to: a hundredth of a degree."""

SAME = 1 / 400
"""Share of a period, or of a frequency four times as much, that two classes cannot differ by."""

BRIEF_S = 0.2
"""Gratings, scenes and noise are shown for longer."""

MEND = "remove the file or mend its table"


def checked(
    path: Path, tables: dict[str, dict[str, np.ndarray]], time: np.ndarray
) -> dict[str, dict[str, np.ndarray]]:
    """The tables of the stimuli in order of time, once they fit themselves and the recording.

    Parameters
    ----------
    path : Path
        The file, for messages.
    tables : dict of str to dict of str to numpy.ndarray
        Columns of each table, (presentations,) each: `start` and `end`, imaging frames,
        half-open, and others.
    time : numpy.ndarray
        Seconds of the imaging frames, (frames,).

    Raises
    ------
    InputError
        A presentation leaves the recording; or one of Allen's stimuli lasts no frame, or begins
        before another ends. Tables of other things, such as trials, may lie over them.
    """
    found = {}
    for name, columns in tables.items():
        _check_frames(path, name, columns["start"], columns["end"], time)
        found[name] = in_order(columns)
    allen = {name: columns for name, columns in found.items() if name in get_args(StimulusName)}
    _check_that_one_is_shown_at_a_time(path, allen)
    return found


def in_order(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The columns of a table, (presentations,) each, in order of `start`."""
    order = np.argsort(columns["start"], kind="stable")
    return {column: values[order] for column, values in columns.items()}


def classes(values: np.ndarray, period: float | None) -> np.ndarray:
    """Labels as the classes that they stand for.

    Angles and phases are folded into their period and rounded to a hundredth of a degree or its
    like.

    Parameters
    ----------
    values : numpy.ndarray
        float64 (presentations,), NaN where there is none.
    period : float or None
        Of angles and phases.

    Returns
    -------
    numpy.ndarray
        The same shape.

    Raises
    ------
    ValueError
        They are infinite, more than a period away from the first, or two are nearly one class.

    Examples
    --------
    >>> classes(np.array([360.0, -45.0, 90.001, np.nan]), 360.0).tolist()
    [0.0, 315.0, 90.0, nan]
    """
    known = values[~np.isnan(values)]
    if np.isinf(known).any():
        raise ValueError("is infinite")
    if period is None:
        shown = np.unique(known)
        near = np.diff(shown) < 4 * SAME * np.abs(shown[1:])
        after = shown[1:]
    else:
        if len(known) and (known.min() < -period or known.max() >= 2 * period):
            raise ValueError(
                f"runs from {known.min():g} to {known.max():g}, but repeats after {period:g}"
            )
        step = period * ROUNDED_TO
        values = np.round(np.round(values / step) % round(period / step) * step, 6)
        shown = np.unique(values[~np.isnan(values)])
        after = np.append(shown[1:], shown[:1] + period)
        near = (after - shown < period * SAME) & (len(shown) > 1)
    if near.any():
        first = np.flatnonzero(near)[0]
        raise ValueError(
            f"takes {len(shown)} values, of which {shown[first]:.7g} and {after[first]:.7g} seem "
            "to be one (round them to the design's)"
        )
    return values


def _check_frames(
    path: Path, name: str, start: np.ndarray, end: np.ndarray, time: np.ndarray
) -> None:
    """Presentations lie within the recording, last, and are counted in frames."""
    frames, seconds = len(time), time[-1] - time[0]
    wrong = np.flatnonzero((start < 0) | (end < start) | (end > frames))
    if len(wrong):
        row = wrong[0]
        raise InputError(
            f"{path}: {name} presentation {row} is on frames {start[row]} to {end[row]}, "
            f"but the recording has {frames}: {MEND}"
        )
    # a movie's frame may fall between two of imaging, and a reward lasts none
    if name in MOVIES or name not in get_args(StimulusName):
        return
    empty = np.flatnonzero(end == start)
    if len(empty):
        raise InputError(
            f"{path}: {name} presentation {empty[0]} lasts no frame: write imaging frames, "
            f"not seconds, or {MEND}"
        )
    brief = len(start) and (end - start).mean() * seconds < BRIEF_S * frames
    if brief and name != "spontaneous" and end.max() <= seconds:
        raise InputError(
            f"{path}: presentations of {name} last {(end - start).mean():.2g} frames and end "
            f"at frame {end.max()} of {frames}: they seem to be seconds, write imaging frames"
        )


def _check_that_one_is_shown_at_a_time(path: Path, shown: dict[str, dict[str, np.ndarray]]) -> None:
    if not shown:
        return
    start, end = (np.concatenate([c[k] for c in shown.values()]) for k in ("start", "end"))
    names = np.repeat(list(shown), [len(columns["start"]) for columns in shown.values()])
    order = np.argsort(start, kind="stable")
    until = np.maximum.accumulate(end[order])
    # ends are inclusive in some files: neighbours may share one frame
    over = np.flatnonzero(until[:-1] - start[order][1:] > 1)
    if len(over):
        first, second = order[over[0]], order[over[0] + 1]
        raise InputError(
            f"{path}: {names[second]} begins at frame {start[second]}, before what is shown "
            f"from frame {start[first]} on ({names[first]}) ends at frame {until[over[0]]}: one "
            f"is shown at a time, {MEND}"
        )

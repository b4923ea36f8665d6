"""What was shown when: the stimulus tables of a recording, checked.

A table is read as it is meant or refused: frames are frames of the recording, one thing is shown
at a time, and labels repeat as those of a design do.
"""

import logging
from typing import get_args

import numpy as np

from glasscortex.data.hdf5 import Hdf5File
from glasscortex.errors import InputError
from glasscortex.words import MOVIES, StimulusName

PRESENTATIONS = "stimulus/presentation"

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

OTHERS = {"drifting_gratings": {"blank_sweep"}}
"""Columns that may stand beside them."""

ROUNDED_TO = 1 / 36000
"""Share of a period that angles and phases are rounded to: a hundredth of a degree."""

SAME = 1 / 400
"""Share of a period, or of a frequency four times as much, that two classes cannot differ by."""

BRIEF_S = 0.2
"""Gratings, scenes and noise are shown for longer."""

MEND = "remove the file or mend its table"

logger = logging.getLogger(__name__)


def stimuli(file: Hdf5File, time: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """The tables of all stimuli that the project knows; others are named in a warning.

    Parameters
    ----------
    file : Hdf5File
        An open recording.
    time : numpy.ndarray
        Seconds of its imaging frames, (frames,).

    Returns
    -------
    dict of str to dict of str to numpy.ndarray
        Columns of each stimulus, (presentations,) each, in order of time: `start` and `end`,
        imaging frames, half-open; the labels of gratings, with angles and phases within their
        period, NaN where there is none; `index` of scenes, noise and movie frames.

    Raises
    ------
    InputError
        A table does not fit itself or the recording.
    """
    found = {}
    for key in file.names(PRESENTATIONS):
        name = key.removesuffix("_stimulus")
        if name not in get_args(StimulusName):
            logger.warning("%s: stimulus %s is unknown and not used", file.path, name)
            continue
        read = _spontaneous if name == "spontaneous" else _presentations
        columns = read(file, f"{PRESENTATIONS}/{key}", name)
        _check_frames(file, name, columns["start"], columns["end"], time)
        order = np.argsort(columns["start"], kind="stable")
        found[name] = {column: values[order] for column, values in columns.items()}
    _check_that_one_is_shown_at_a_time(file, found)
    return found


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


def _presentations(file: Hdf5File, key: str, name: str) -> dict[str, np.ndarray]:
    start, end = _frame_duration(file, key)
    if f"{key}/data" not in file:
        raise _broken(file, key, "data is missing")
    shape = file.shape(f"{key}/data")
    if shape[:1] != start.shape:
        raise _broken(file, key, "data and frame_duration differ in length")
    if f"{key}/features" in file:
        columns = _labels(file, key, name)
    elif name in LABELS:
        raise _broken(file, key, "features, the names of the columns of data, is missing")
    elif shape[1:] not in ((), (1,)):
        raise _broken(file, key, f"data has shape {shape} and no features that name its columns")
    else:
        index = file.whole(f"{key}/data", "numbers of images", ndim=len(shape))
        columns = {"index": index.reshape(len(start))}
    return {"start": start, "end": end, **columns}


def _labels(file: Hdf5File, key: str, name: str) -> dict[str, np.ndarray]:
    """The label columns of gratings, whatever the case and order that they are written in."""
    written = file.texts(f"{key}/features")
    there = [text.strip().lower().replace(" ", "_") for text in written]
    data = file.numbers(f"{key}/data", ndim=2).astype(np.float64)
    if data.shape[1] != len(there) or len(set(there)) < len(there):
        raise _broken(file, key, f"data has {data.shape[1]} columns, named {', '.join(written)}")
    labels = LABELS.get(name, {})
    missing = [column for column in labels if column not in there]
    unknown = set(there) - set(labels) - OTHERS.get(name, set())
    if missing and unknown:
        raise _broken(
            file,
            key,
            f"its columns are {', '.join(written)}, and {' and '.join(missing)} is not among "
            "them (rename it in features)",
        )
    if missing:
        logger.warning(
            "%s: %s has the columns %s and so no labels of %s",
            file.path,
            name,
            ", ".join(written),
            " and ".join(missing),
        )
    columns = dict(zip(there, data.T, strict=True))
    for column in labels.keys() & columns.keys():
        try:
            columns[column] = classes(columns[column], labels[column])
        except ValueError as error:
            raise _broken(file, key, f"{column} {error}") from None
    return columns


def _spontaneous(file: Hdf5File, key: str, name: str) -> dict[str, np.ndarray]:
    """Episodes: a row of +1 starts one and the next row, of -1, ends it."""
    start, end = _frame_duration(file, key)
    if f"{key}/data" not in file:
        raise _broken(file, key, "data is missing")
    sign = file.numbers(f"{key}/data", ndim=len(file.shape(f"{key}/data"))).ravel()
    if len(sign) != len(start) or (sign > 0).sum() != (sign < 0).sum():
        raise _broken(file, key, "an episode has no start or no end")
    return {"start": start[sign > 0], "end": end[sign < 0]}


def _frame_duration(file: Hdf5File, key: str) -> tuple[np.ndarray, np.ndarray]:
    key_of_frames = f"{key}/frame_duration"
    if key_of_frames not in file:
        raise _broken(file, key, "frame_duration is missing")
    frames = file.whole(key_of_frames, "imaging frames, not seconds", ndim=2)
    if frames.shape[1] != 2:
        raise _broken(file, key, f"frame_duration has {frames.shape[1]} columns in place of 2")
    start, end = frames.T
    return start, end


def _check_frames(
    file: Hdf5File, name: str, start: np.ndarray, end: np.ndarray, time: np.ndarray
) -> None:
    """Presentations lie within the recording, last, and are counted in frames."""
    frames, seconds = len(time), time[-1] - time[0]
    wrong = np.flatnonzero((start < 0) | (end < start) | (end > frames))
    if len(wrong):
        row = wrong[0]
        raise InputError(
            f"{file.path}: {name} presentation {row} is on frames {start[row]} to {end[row]}, "
            f"but the recording has {frames}: {MEND}"
        )
    if name in MOVIES:  # a movie's frame may fall between two of imaging
        return
    empty = np.flatnonzero(end == start)
    if len(empty):
        raise InputError(
            f"{file.path}: {name} presentation {empty[0]} lasts no frame: write imaging frames, "
            f"not seconds, or {MEND}"
        )
    brief = len(start) and (end - start).mean() * seconds < BRIEF_S * frames
    if brief and name != "spontaneous" and end.max() <= seconds:
        raise InputError(
            f"{file.path}: presentations of {name} last {(end - start).mean():.2g} frames and end "
            f"at frame {end.max()} of {frames}: they seem to be seconds, write imaging frames"
        )


def _check_that_one_is_shown_at_a_time(
    file: Hdf5File, shown: dict[str, dict[str, np.ndarray]]
) -> None:
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
            f"{file.path}: {names[second]} begins at frame {start[second]}, before what is shown "
            f"from frame {start[first]} on ({names[first]}) ends at frame {until[over[0]]}: one "
            f"is shown at a time, {MEND}"
        )


def _broken(file: Hdf5File, key: str, what: str) -> InputError:
    return file.error(key, f"is broken, {what}", MEND)

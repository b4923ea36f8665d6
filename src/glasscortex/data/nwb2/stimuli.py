"""What was shown when: the tables of a file of NWB 2 whose rows are intervals, and its images.

A stimulus that the Allen Brain Observatory shows is known by its name, with what the Visual Coding
set on DANDI (000728) adds to names and columns; every other table is kept under its own name, for
tasks of one's own. Times are seconds in the file and imaging frames here.
"""

import logging
from collections.abc import Mapping
from typing import get_args

import numpy as np

from glasscortex.data.nwb2.series import seconds_of, times
from glasscortex.data.nwb2.types import Typed
from glasscortex.data.stimuli import LABELS, MEND, checked, classes, in_order
from glasscortex.data.tree import TEXT, Tree
from glasscortex.errors import InputError
from glasscortex.words import StimulusName

SUFFIXES = ("_stimulus", "_presentations")
"""What names of the Allen's tables may end with."""

COLUMNS = {
    "orientation_in_degrees": "orientation",
    "temporal_frequency_in_hz": "temporal_frequency",
    "spatial_frequency_in_cycles_per_degree": "spatial_frequency",
    "is_blank_sweep": "blank_sweep",
    "frame": "index",
}
"""Columns of known stimuli by the names that files give them."""

UNUSED = {"start_time", "stop_time", "id", "tags", "timeseries"}
"""Columns that are no variables."""

INVALID = "invalid_times"
"""Table of NWB 2 that does not tell what was shown."""

EPOCHS = "epochs"
"""Table that does if it has numbers: two of the Allen's sets on DANDI (000039, 000049) have their
gratings in it, others the order of blocks, in words."""

BLANK = -1
"""Index of an image that stands for none."""

NO_IMAGE = 2**32 - 1
"""What becomes of -1 in the unsigned numbers of an IndexSeries."""

MORE_OFTEN = 1.5
"""Times as often as other scenes, from which scene 0 has blanks among it."""

LATER = 1.5
"""Usual steps, after which the next image no longer ends the one before."""

logger = logging.getLogger(__name__)

Columns = dict[str, np.ndarray]


def stimuli(tree: Tree, groups: list[Typed], time: np.ndarray) -> dict[str, Columns]:
    """The tables of all stimuli.

    Parameters
    ----------
    tree : Tree
        An open file.
    groups : list of Typed
        What it holds.
    time : numpy.ndarray
        Seconds of the imaging frames, (frames,).

    Returns
    -------
    dict of str to dict of str to numpy.ndarray
        Columns of each stimulus, (presentations,) each, in order of time: `start` and `end`,
        imaging frames, half-open; the labels of gratings, with angles and phases within their
        period, NaN where there is none; `index` of scenes, noise and movie frames. Of every other
        table that can be read all columns of numbers or text; its rows may overlap.

    Raises
    ------
    InputError
        The table of a known stimulus does not fit itself or the recording.
    """
    found: dict[str, Columns] = {}
    for group in groups:
        if group.type == "TimeIntervals" and group.name != INVALID:
            name, read = _name(group.name), _intervals
        elif group.type == "IndexSeries" and _name(group.name) in get_args(StimulusName):
            name, read = _name(group.name), _images
        else:
            continue
        if name in found:
            raise tree.error(group.key, f"is the second table of {name}", "keep one")
        try:
            columns = read(tree, group.key, name)
            if name == EPOCHS and not _has_numbers(columns):
                continue
            columns = _imaged(tree, group.key, columns, time)
        except InputError as error:
            if name in get_args(StimulusName):
                raise
            logger.warning("%s (until then the table is not used)", error)
            continue
        if len(columns["start"]):
            found[name] = columns
    known = {name: found.pop(name) for name in sorted(found) if name in get_args(StimulusName)}
    return checked(tree.path, known, time) | {name: in_order(found[name]) for name in sorted(found)}


def _has_numbers(columns: Columns) -> bool:
    values = (columns[name] for name in columns if name not in ("start", "end"))
    return any(column.dtype.kind in "iufb" for column in values)


def _name(written: str) -> str:
    """Our name of a table, if the stimulus is known, or its own."""
    for suffix in ("", *SUFFIXES):
        name = written.lower().removesuffix(suffix)
        if name in get_args(StimulusName):
            return name
    return written


def _intervals(tree: Tree, key: str, name: str) -> Columns:
    """The rows of a table, with their seconds as start and end."""
    start, end = (_seconds(tree, f"{key}/{edge}_time") for edge in ("start", "stop"))
    columns = {}
    for written in tree.names(key):
        column = f"{key}/{written}"
        ragged = f"{column}_index" in tree or written.endswith("_index")
        if written in UNUSED or ragged or tree.is_group(column):
            continue
        array = tree.array(column)
        if array.dtype.kind not in TEXT + "iufb" or len(array.shape) != 1:
            continue
        columns[written] = (
            np.array(tree.texts(column)) if array.dtype.kind in TEXT else tree.numbers(column)
        )
    for column, values in {"stop_time": end, **columns}.items():
        if len(values) != len(start):
            raise tree.error(key, f"has {len(start)} start_time, but {len(values)} {column}", MEND)
    if name == "spontaneous":
        columns = {}
    elif name in get_args(StimulusName):
        columns = _known(tree, key, name, columns)
    return {"start": start, "end": end, **columns}


def _seconds(tree: Tree, key: str) -> np.ndarray:
    values, factor = tree.numbers(key).astype(np.float64), seconds_of(tree, key)
    return values if factor == 1 else factor * values


def _known(tree: Tree, key: str, name: str, written: Mapping[str, np.ndarray]) -> Columns:
    """The columns of a stimulus of the Allen's, as its NWB 1.0 files have them.

    Others are kept if they vary: what is the same throughout tells nothing.
    """
    named = {COLUMNS.get(column.lower(), column.lower()): v for column, v in written.items()}
    if name not in LABELS:
        if "index" not in named:
            raise tree.error(key, f"has no column index, but {', '.join(written)}", "name it index")
        index = tree.whole(f"{key}/{_written(written, 'index')}", "numbers of images")
        return {"index": index, **_varied(named, {"index", "blank_sweep"})}
    labels = LABELS[name]
    blank = named.pop("blank_sweep", None)
    blank = np.zeros(len(next(iter(named.values()), [])), bool) if blank is None else blank == 1
    columns: Columns = {}
    for column, period in labels.items():
        if column not in named:
            logger.warning("%s: %s has no labels of %s", tree.path, name, column)
            continue
        values = np.where(blank, np.nan, _numbers(tree, key, column, named[column]))
        try:
            columns[column] = classes(values, period)
        except ValueError as error:
            raise tree.error(key, f"is broken, {column} {error}", MEND) from None
    if not columns:
        raise tree.error(
            key,
            f"has the columns {', '.join(written) or 'of times alone'}",
            f"name {' and '.join(labels)}",
        )
    if name == "drifting_gratings":
        columns["blank_sweep"] = blank.astype(np.float64)
    return columns | _varied(named, set(columns))


def _written(columns: Mapping[str, np.ndarray], wanted: str) -> str:
    """What a file calls one of our columns."""
    return next(c for c in columns if COLUMNS.get(c.lower(), c.lower()) == wanted)


def _numbers(tree: Tree, key: str, column: str, values: np.ndarray) -> np.ndarray:
    """A column of labels, float64; text that is none ("N/A", "") is NaN."""
    if values.dtype.kind not in TEXT:
        return values.astype(np.float64)
    missing = np.isin(np.char.lower(values), ("", "n/a", "na", "nan", "none", "null"))
    try:
        return np.where(missing, "nan", values).astype(np.float64)
    except ValueError:
        raise tree.error(key, f"is broken, {column} holds text", "write numbers") from None


def _varied(named: Mapping[str, np.ndarray], without: set[str]) -> Columns:
    return {
        column: values
        for column, values in named.items()
        if column not in without and (values[1:] != values[:-1]).any()
    }


def _images(tree: Tree, key: str, name: str) -> Columns:
    """What an IndexSeries shows; an image stays until the next one, or as long as is usual."""
    index = tree.whole(f"{key}/data", "numbers of images")
    start = times(tree, key, len(index))
    steps = np.diff(start)
    usual = float(np.median(steps)) if len(steps) else 0.0
    if not (steps > 0).all():
        raise tree.error(key, "has onsets that do not rise", MEND)
    following = np.append(start[1:], np.inf)
    end = np.where(following - start < LATER * usual, following, start + usual)
    index = np.where(index == NO_IMAGE, BLANK, index)
    if name == "natural_scenes":
        index = _without_hidden_blanks(tree, key, index)
    return {"start": start, "end": end, "index": index}


def _without_hidden_blanks(tree: Tree, key: str, index: np.ndarray) -> np.ndarray:
    """The indices of scenes, with scene 0 as blank if blanks were written as it.

    An IndexSeries has no negative numbers, and HDF5 turns -1 into 0 where such are asked for: so
    do the files on DANDI (000728), where scene 0 stands for itself and for all blanks.
    """
    _, counts = np.unique(index[index > 0], return_counts=True)
    usual, first = np.median(counts) if len(counts) else 0, int((index == 0).sum())
    if (index < 0).any() or not usual or first <= MORE_OFTEN * usual:
        return index
    logger.warning(
        "%s: /%s shows scene 0 %d times, others %g times: blanks seem to be written as scene 0, "
        "which is left out",
        tree.path,
        key,
        first,
        usual,
    )
    return np.where(index == 0, BLANK, index)


def _imaged(tree: Tree, key: str, columns: Columns, time: np.ndarray) -> Columns:
    """The presentations during imaging, with start and end as the nearest edges of its frames."""
    start, end = columns["start"], columns["end"]
    if (end < start).any():
        row = np.flatnonzero(end < start)[0]
        raise tree.error(key, f"row {row} ends at {end[row]:g} s, before {start[row]:g} s", MEND)
    step = float(np.median(np.diff(time)))
    edges = np.append(time, time[-1] + step)
    inside = (start >= edges[0] - step / 2) & (end <= edges[-1] + step / 2)
    if len(start) and not inside.any():
        raise InputError(
            f"{tree.path}: /{key} is from {np.nanmin(start):g} to {np.nanmax(end):g} s, but "
            f"imaging from {time[0]:g} to {time[-1]:g} s: write both in seconds of one clock"
        )
    if not inside.all():
        logger.warning(
            "%s: %d of %d rows of /%s are not within imaging, and left out",
            tree.path,
            (~inside).sum(),
            len(inside),
            key,
        )
    columns = {name: values[inside] for name, values in columns.items()}
    for name in ("start", "end"):
        columns[name] = _nearest(edges, columns[name])
    return columns


def _nearest(edges: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    after = np.searchsorted(edges, seconds).clip(1, len(edges) - 1)
    return after - (seconds - edges[after - 1] < edges[after] - seconds)

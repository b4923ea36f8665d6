"""What was shown when: the stimulus tables of a file of the Allen layout."""

import logging
from typing import get_args

import numpy as np

from glasscortex.data.nwb1.layout import PRESENTATIONS
from glasscortex.data.stimuli import LABELS, MEND, checked, classes
from glasscortex.data.tree import Tree
from glasscortex.errors import InputError
from glasscortex.words import StimulusName

OTHERS = {"drifting_gratings": {"blank_sweep"}}
"""Columns that may stand beside them."""

logger = logging.getLogger(__name__)


def stimuli(file: Tree, time: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """The tables of all stimuli; one that is not Allen's and can't be read is named in a warning.

    Parameters
    ----------
    file : Tree
        An open recording.
    time : numpy.ndarray
        Seconds of its imaging frames, (frames,).

    Returns
    -------
    dict of str to dict of str to numpy.ndarray
        Columns of each stimulus, (presentations,) each, in order of time: `start` and `end`,
        imaging frames, half-open; the labels of gratings, with angles and phases within their
        period, NaN where there is none; `index` of scenes, noise, movie frames and other tables
        whose columns have no names.

    Raises
    ------
    InputError
        A table does not fit itself or the recording.
    """
    found = {}
    for key in file.names(PRESENTATIONS):
        name = key.removesuffix("_stimulus")
        read = _spontaneous if name == "spontaneous" else _presentations
        try:
            found[name] = read(file, f"{PRESENTATIONS}/{key}", name)
        except InputError as error:
            if name in get_args(StimulusName):
                raise
            logger.warning("%s, so it can be the table of no variable", error)
    return checked(file.path, found, time)


def _presentations(file: Tree, key: str, name: str) -> dict[str, np.ndarray]:
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
        if index.size and index.min() < -1:  # the blank among scenes
            raise _broken(file, key, f"data holds an image of number {index.min()}")
        columns = {"index": index.reshape(len(start))}
    return {"start": start, "end": end, **columns}


def _labels(file: Tree, key: str, name: str) -> dict[str, np.ndarray]:
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


def _spontaneous(file: Tree, key: str, name: str) -> dict[str, np.ndarray]:
    """Episodes: a row of +1 starts one and the next row, of -1, ends it."""
    start, end = _frame_duration(file, key)
    if f"{key}/data" not in file:
        raise _broken(file, key, "data is missing")
    sign = file.numbers(f"{key}/data", ndim=len(file.shape(f"{key}/data"))).ravel()
    if len(sign) != len(start) or (sign > 0).sum() != (sign < 0).sum():
        raise _broken(file, key, "an episode has no start or no end")
    return {"start": start[sign > 0], "end": end[sign < 0]}


def _frame_duration(file: Tree, key: str) -> tuple[np.ndarray, np.ndarray]:
    key_of_frames = f"{key}/frame_duration"
    if key_of_frames not in file:
        raise _broken(file, key, "frame_duration is missing")
    frames = file.whole(key_of_frames, "imaging frames, not seconds", ndim=2)
    if frames.shape[1] != 2:
        raise _broken(file, key, f"frame_duration has {frames.shape[1]} columns in place of 2")
    start, end = frames.T
    return start, end


def _broken(file: Tree, key: str, what: str) -> InputError:
    return file.error(key, f"is broken, {what}", MEND)

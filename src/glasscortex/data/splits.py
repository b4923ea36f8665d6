"""Splits in time: blocks, train/validation/test within each, and gaps between them."""

import itertools

import numpy as np
import pandas as pd

from glasscortex.config import SplitConfig
from glasscortex.words import SPLITS

PAUSE_S = 10.0
"""A longer pause between presentations of one stimulus starts a new block."""

SHIFTS = (0.0, -0.01, 0.01, -0.02, 0.02, -0.03, 0.03, -0.04, 0.04, -0.05, 0.05)
"""Fractions of a block by which its cuts may move to have every class in every split."""

GAP = "gap"


def blocks(stimulus: pd.Series, start_s: pd.Series, end_s: pd.Series) -> pd.Series:
    """Number each stimulus's contiguous runs, from 0.

    A run ends where another stimulus is shown or where more than `PAUSE_S` pass.

    Parameters
    ----------
    stimulus, start_s, end_s : pandas.Series
        All presentations of one session, in any order.

    Returns
    -------
    pandas.Series
        int16, indexed as `stimulus`.
    """
    order = start_s.sort_values(kind="stable").index
    name, start, end = stimulus[order], start_s[order], end_s[order]
    begins = (name != name.shift()) | (start - end.shift() > PAUSE_S)
    run = begins.cumsum().groupby(name).rank(method="dense") - 1
    return run.astype(np.int16).reindex(stimulus.index)


def split_in_time(
    block: np.ndarray, unit: np.ndarray, labels: pd.DataFrame, config: SplitConfig
) -> np.ndarray:
    """Cut one stimulus in time into train, validation and test, whole units only.

    Every block is cut by itself, so that the splits see the same drifts and states. Where a
    block has fewer than three units, all blocks are cut as one. Where a split lacks a class, the
    cuts of one block after the other move, by one of `SHIFTS` each, to where fewest are
    lacking, twice round.

    Parameters
    ----------
    block : numpy.ndarray
        Block of each presentation, in time order (presentations,).
    unit : numpy.ndarray
        What must not be cut, numbered in time over all blocks: the repeat of a movie, or the
        presentation itself (presentations,).
    labels : pandas.DataFrame
        Variables of the stimulus (presentations, variables).
    config : SplitConfig
        Fractions.

    Returns
    -------
    numpy.ndarray
        Split of each presentation, str (presentations,); within a block train comes before
        validation and validation before test.
    """
    units_in = [len(np.unique(unit[block == b])) for b in np.unique(block)]
    if min(units_in) < len(SPLITS):
        block = np.zeros_like(block)
    rows_of = [np.flatnonzero(block == b) for b in np.unique(block)]
    classes = _class_codes(labels)
    complete = len(SPLITS) * len(np.unique(classes[classes >= 0]))
    split = np.empty(len(block), dtype=np.int64)
    for rows in rows_of:
        split[rows] = _cut(unit[rows], (0, 0), config)
    for rows in rows_of * 2:
        if _classes_shown(classes, split) == complete:
            break
        candidates = [split]
        for shifts in itertools.product(SHIFTS, SHIFTS):
            candidates.append(split.copy())
            candidates[-1][rows] = _cut(unit[rows], shifts, config)
        split = max(candidates, key=lambda candidate: _classes_shown(classes, candidate))
    return np.array(SPLITS, dtype=object)[split]


def _cut(unit: np.ndarray, shifts: tuple[float, float], config: SplitConfig) -> np.ndarray:
    """Cut a block at the fractions plus shifts: the number of each presentation's split.

    From 3 units on no split is empty.
    """
    units, position = np.unique(unit, return_inverse=True)
    n = len(units)
    train = max(1, min(round(n * (config.train + shifts[0])), n - 2))
    seen = min(max(round(n * (config.train + config.validation + shifts[1])), train + 1), n - 1)
    return (position >= train) * 1 + (position >= max(train, seen))


def _class_codes(labels: pd.DataFrame) -> np.ndarray:
    """Number the classes of all variables through; -1 where NaN (presentations, variables)."""
    codes, first = np.full(labels.shape, -1), 0
    for column, variable in enumerate(labels):
        code, values = pd.factorize(labels[variable])
        codes[:, column] = np.where(code >= 0, code + first, -1)
        first += len(values)
    return codes


def _classes_shown(classes: np.ndarray, split: np.ndarray) -> int:
    """Number of classes shown in each split, summed over splits."""
    present = np.zeros((len(SPLITS), classes.max(initial=-1) + 2), dtype=bool)
    present[split[:, None], classes] = True  # -1, no class, is the last column
    return int(present[:, :-1].sum())


def with_gaps(start: np.ndarray, stop: np.ndarray, split: np.ndarray) -> np.ndarray:
    """Mark as "gap" what shares a frame with an earlier window of another split.

    Parameters
    ----------
    start, stop : numpy.ndarray
        Frames of all windows of one session, half-open (windows,).
    split : numpy.ndarray
        (windows,)

    Returns
    -------
    numpy.ndarray
        The splits, in which windows of different splits share no frame (windows,).
    """
    result = split.copy()
    seen_until = dict.fromkeys(SPLITS, -1)
    for row in np.argsort(start, kind="stable"):
        own = split[row]
        if any(seen_until[other] > start[row] for other in SPLITS if other != own):
            result[row] = GAP
        else:
            seen_until[own] = max(seen_until[own], stop[row])
    return result

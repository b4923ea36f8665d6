"""Standardised responses to what is known of the classes of tasks, some sessions at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int64

from glasscortex.analysis import effects
from glasscortex.analysis.presentations import Presentations
from glasscortex.tasks import Task, label_column

AT_ONCE = 2**23
"""Responses that are in memory together, where no session alone has more."""


@dataclass(frozen=True)
class Labelled:
    """Presentations of one split on which the classes of some tasks are known.

    Attributes
    ----------
    responses : array, shape (all presentations, units)
        Of the whole split; may stay on disk.
    rows : ndarray of int, shape (presentations,)
        Their places among these; sessions are whole, one after another.
    session : ndarray of int, shape (presentations,)
    y : dict of str to ndarray of bool, shape (presentations, classes)
        By task, whether a presentation is of a class.
    means : ndarray, shape (sessions, units)
        On train.
    scale : ndarray, shape (units,)
        One over the deviation from these means on train; 0 of what does not vary.
    """

    responses: Any
    rows: Int64[np.ndarray, " presentations"]
    session: Int64[np.ndarray, " presentations"]
    y: dict[str, Bool[np.ndarray, "presentations classes"]]
    means: Float[np.ndarray, "sessions units"]
    scale: Float[np.ndarray, " units"]

    def blocks(self) -> Iterator[tuple[slice, Float[np.ndarray, "block units"]]]:
        """Presentations of some whole sessions at a time, and the responses to them.

        Responses are less the session's mean, over the deviation; there is a block at least.
        """
        for at, values in _read(self.responses, self.rows, self.session):
            yield at, (values - self.means[self.session[at]]) * self.scale


def labelled(
    tasks: Sequence[Task], splits: Sequence[Presentations]
) -> tuple[np.ndarray, list[Labelled]]:
    """What is known of some tasks in each split, in sessions that train has.

    Parameters
    ----------
    tasks : sequence of Task
        Known on the same presentations.
    splits : sequence of Presentations
        Train is the first.

    Returns
    -------
    names : ndarray of str
        Of the sessions, by number.
    parts : list of Labelled
        One a split.
    """
    known = [split.known(label_column(tasks[0].name), tasks[0].stimulus) for split in splits]
    names = np.unique(splits[0].trials.loc[known[0], "session_id"])
    columns = {task.name: label_column(task.name) for task in tasks}
    classes = {
        name: np.unique(splits[0].trials.loc[known[0], column]) for name, column in columns.items()
    }
    places = [
        _places(split.trials["session_id"], mask, names)
        for split, mask in zip(splits, known, strict=True)
    ]
    means, scale = _standard(splits[0].responses, *places[0])
    parts = []
    for split, (rows, session) in zip(splits, places, strict=True):
        y = {
            name: split.trials[columns[name]].iloc[rows].to_numpy()[:, None] == labels
            for name, labels in classes.items()
        }
        parts.append(Labelled(split.responses, rows, session, y, means, scale))
    return names, parts


def _places(
    session_id: pd.Series, known: np.ndarray, names: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rows that are known in the sessions of these names, whole sessions, and their numbers."""
    rows = np.flatnonzero(known & session_id.isin(names).to_numpy())
    session = np.searchsorted(names, session_id.iloc[rows])
    _, first, number = np.unique(session, return_index=True, return_inverse=True)
    order = np.argsort(first[number], kind="stable")
    return rows[order], session[order]


def _standard(
    responses: Any, rows: np.ndarray, session: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each session, and one over the deviation from it."""
    means = np.empty((session.max() + 1, responses.shape[1]), responses.dtype)
    squares = np.zeros(responses.shape[1], responses.dtype)
    for at, values in _read(responses, rows, session):
        own = session[at]
        means[own] = effects.group_means(values, own)[own]
        centred = values - means[own]
        squares += np.einsum("nu,nu->u", centred, centred)
    deviation = np.sqrt(squares / len(rows))
    return means, np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > 0)


def _read(
    responses: Any, rows: np.ndarray, session: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    for at in _blocks(session, AT_ONCE // max(1, responses.shape[1])):
        own = rows[at]
        first, stop = (own.min(), own.max() + 1) if len(own) else (0, 0)
        yield at, np.asarray(responses[first:stop])[own - first]


def _blocks(session: np.ndarray, most: int) -> Iterator[slice]:
    """Slices of whole sessions, of at most so many presentations if no session has more."""
    first, starts = 0, np.flatnonzero(np.diff(session, prepend=-1)).tolist()
    for start, end in pairwise([*starts, len(session)]):
        if end - first > most and start > first:
            yield slice(first, start)
            first = start
    yield slice(first, len(session))

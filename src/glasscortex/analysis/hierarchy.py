"""Does the unit of a class still stand for all of it where kinds of it have units of their own?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int64

from glasscortex.analysis import effects

Classes = Mapping[str, Bool[np.ndarray, "presentations classes"]]
"""By task, whether a presentation is of a class."""


class Child(NamedTuple):
    """A class of one task that is a part of a class of another, its parent."""

    parent: int
    task: str
    child: int


def families(
    parents: Bool[np.ndarray, "presentations parents"],
    children: Bool[np.ndarray, "presentations children"],
) -> list[tuple[int, np.ndarray]]:
    """The classes of a task that are made up of those of another, as orientations of directions.

    Parameters
    ----------
    parents, children : ndarray of bool
        Whether a presentation is of a class.

    Returns
    -------
    list of tuple
        Every parent, and its two children or more; nothing if some child has two parents.

    Examples
    --------
    >>> orientation, direction = np.array([0, 0, 1, 1]), np.array([0, 1, 2, 3])
    >>> found = families(orientation[:, None] == np.arange(2), direction[:, None] == np.arange(4))
    >>> [(parent, own.tolist()) for parent, own in found]
    [(0, [0, 1]), (1, [2, 3])]
    """
    together = children.T.astype(np.float32) @ parents > 0
    if (together.sum(axis=1) > 1).any():
        return []
    return [(parent, np.flatnonzero(own)) for parent, own in enumerate(together.T) if own.sum() > 1]


def weakest(
    scores: Float[np.ndarray, "presentations parents"],
    task: str,
    classes: Classes,
    sessions: Int64[np.ndarray, " presentations"],
) -> list[Child]:
    """Of every class of a task that is made up of others, the one that its score tells least.

    Parameters
    ----------
    scores : ndarray
        Large for each class of the task.
    task : str
        The task of the parents.
    classes : mapping of str to ndarray of bool
        By task, whether a presentation is of a class.
    sessions : ndarray of int
        Whose presentation it is.
    """
    found = []
    for other, y in classes.items():
        for parent, own in families(classes[task], y):
            children = [Child(parent, other, child) for child in own.tolist()]
            areas = [child_areas(scores, task, classes, sessions, [child]) for child in children]
            found.append(children[int(np.argmin([np.mean(list(a.values())) for a in areas]))])
    return found


def child_areas(
    scores: Float[np.ndarray, "presentations parents"],
    task: str,
    classes: Classes,
    sessions: Int64[np.ndarray, " presentations"],
    children: Sequence[Child],
) -> dict[int, float]:
    """How well the scores of parents tell these children from what is not of the parent.

    Parameters
    ----------
    scores, task, classes, sessions : ndarray, str, mapping, ndarray
        As of `weakest`.
    children : sequence of Child

    Returns
    -------
    dict of int to float
        By session, the area under the ROC curve, mean over the children that it shows.
    """
    of_sessions: dict[int, list[float]] = {}
    for child in children:
        own, parent = classes[child.task][:, child.child], classes[task][:, child.parent]
        asked = np.flatnonzero(own | ~parent)
        for session, rows in _grouped(asked, sessions):
            area = effects.auroc(scores[rows, child.parent, None], own[rows, None])[0]
            if np.isfinite(area):
                of_sessions.setdefault(session, []).append(area)
    return {session: float(np.mean(areas)) for session, areas in sorted(of_sessions.items())}


def _grouped(rows: np.ndarray, sessions: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    for session, own in enumerate(effects.rows_of_groups(sessions[rows])):
        if len(own):
            yield session, rows[own]

"""Which units one task needs and others do not, and how many of them."""

import numpy as np
from jaxtyping import Float, Int64

from glasscortex.tasks import ALLEN, Definitions

ENOUGH = 0.95
"""Share of the most that is lost with any number of units, which is enough."""


def specific(
    costs: Float[np.ndarray, "sets tasks"],
    tasks: list[str],
    task: str,
    definitions: Definitions = ALLEN,
) -> Float[np.ndarray, " sets"]:
    """What removing a set costs the task, less the mean size of what it does to unrelated ones.

    Parameters
    ----------
    costs : ndarray, shape (sets, tasks)
        In shares of what the decoder knows of each task; NaN where that is nothing.
    tasks : list of str
        Names of the columns.
    task : str
        One of them.
    definitions : Definitions
        What they are.

    Examples
    --------
    >>> costs = np.array([[0.3, 0.2, 0.1], [0.2, 0.0, -0.1]])
    >>> specific(costs, ["direction", "orientation", "phase"], "direction").round(2).tolist()
    [0.2, 0.1]
    """
    related = definitions.related(task)
    others = costs[:, [name not in related for name in tasks]]
    others = others[:, np.isfinite(others).all(axis=0)]
    side = np.abs(others).mean(axis=1) if others.shape[1] else 0.0
    return costs[:, tasks.index(task)] - side


def ranked(
    costs: Float[np.ndarray, "units tasks"],
    tasks: list[str],
    task: str,
    definitions: Definitions = ALLEN,
) -> Int64[np.ndarray, " own"]:
    """The units that cost the task more than they do to others, the most specific first."""
    worth = specific(costs, tasks, task, definitions)
    order = np.argsort(-worth, kind="stable")
    return order[worth[order] > 0]


def fewest(numbers: list[int], worth: Float[np.ndarray, " numbers"]) -> int:
    """The smallest number of units whose removal costs `ENOUGH` of what any number does.

    Examples
    --------
    >>> fewest([4, 8, 16, 32], np.array([0.5, 0.77, 0.8, 0.75]))
    8
    """
    return min(n for n, of_n in zip(numbers, worth, strict=True) if of_n >= ENOUGH * worth.max())

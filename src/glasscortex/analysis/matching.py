"""Random sets of units that are, as a whole, like a given one."""

import numpy as np
from jaxtyping import Float, Int64
from scipy.stats import hypergeom

TOLERANCE = 0.1
"""Distance of two sets, the root sum of squared log ratios of their traits, that counts as none."""

STEPS = 500
"""Exchanges that are tried at most."""


def matched_sets(
    units: Int64[np.ndarray, " n"],
    alive: Int64[np.ndarray, " alive"],
    traits: Float[np.ndarray, "units traits"],
    gram: Float[np.ndarray, "units units"],
    draws: int,
    rng: np.random.Generator,
) -> Int64[np.ndarray, "draws n"]:
    """Draw sets of as many living units whose totals are those of the given set.

    A set begins at random, and exchanges members at random for others where this brings it no
    farther from the given one, until it is within `TOLERANCE`. So sets differ as much as their
    totals let them. It may take as many of the given units as all but 2.5 % of random sets have:
    were they left out, a random set would be unlike all its matched sets, which lack its units,
    and exceed them far too often; and units without their like would be matched by themselves.

    Parameters
    ----------
    units : ndarray of int, shape (n,)
        To be matched.
    alive : ndarray of int, shape (alive,)
        What is drawn from; all of `units` among them.
    traits : ndarray, shape (units, traits)
        Of all units, zero or above: their sums over a set are matched.
    gram : ndarray, shape (units, units)
        Mean products of what any two units change: their sum over a set, the mean square of what it
        changes, is matched.
    draws : int
        Number of sets.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int, shape (draws, n)
        No unit twice in a row.

    Raises
    ------
    ValueError
        There are fewer other units than given ones.
    """
    n = len(units)
    if len(alive) - n < n:
        raise ValueError(f"{n} units can't be matched by {len(alive) - n} others")
    given = np.isin(np.arange(len(gram)), units).astype(np.int64)
    goal = _totals(traits[units].sum(axis=0)[None], gram[np.ix_(units, units)].sum()[None])

    order = rng.permuted(np.tile(alive, (draws, 1)), axis=1)  # the first n are the set
    sums = traits[order[:, :n]].sum(axis=1)
    shared = np.stack([gram[drawn[:n]].sum(axis=0) for drawn in order])
    square = np.take_along_axis(shared, order[:, :n], axis=1).sum(axis=1)
    common = given[order[:, :n]].sum(axis=1)
    most = np.maximum(common, hypergeom.ppf(0.975, len(alive), n, n))
    distance = np.linalg.norm(_totals(sums, square) - goal, axis=1)
    for _ in range(STEPS):
        rows = np.flatnonzero(distance > TOLERANCE)
        if not len(rows):
            break
        out, into = rng.integers(n, size=len(rows)), rng.integers(n, len(alive), size=len(rows))
        old, new = order[rows, out], order[rows, into]
        total = sums[rows] + traits[new] - traits[old]
        change = 2 * (shared[rows, new] - shared[rows, old] - gram[old, new])
        squared = square[rows] + change + gram[old, old] + gram[new, new]
        found = np.linalg.norm(_totals(total, squared) - goal, axis=1)
        left = common[rows] + given[new] - given[old]
        better = (found <= distance[rows]) & (left <= most[rows])
        rows, old, new, out, into = (part[better] for part in (rows, old, new, out, into))
        sums[rows], square[rows], distance[rows] = total[better], squared[better], found[better]
        common[rows] = left[better]
        shared[rows] += gram[new] - gram[old]
        order[rows, out], order[rows, into] = new, old
    return order[:, :n]


def _totals(
    sums: Float[np.ndarray, "sets traits"], square: Float[np.ndarray, " sets"]
) -> Float[np.ndarray, "sets traits+1"]:
    """Logs of what is matched; a change by its root mean square."""
    tiny = np.finfo(np.float64).tiny
    logs = np.log(np.maximum(sums, tiny)), np.log(np.maximum(square, tiny))[:, None] / 2
    return np.concatenate(logs, axis=1)

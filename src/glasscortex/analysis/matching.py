"""Random units like given ones."""

import logging

import numpy as np
from scipy.stats import rankdata

NEAREST = 10
"""Units that a match is drawn from."""

log = logging.getLogger(__name__)


def matched_sets(
    units: np.ndarray, alive: np.ndarray, traits: np.ndarray, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw sets of other alive units with similar traits.

    Every unit gets a partner, drawn from the `NEAREST` in the ranks of the traits among those
    that are not in `units` and not yet partners in this draw. Units are matched in random order.

    Parameters
    ----------
    units : ndarray of int, shape (n,)
        To be matched.
    alive : ndarray of int, shape (m,)
        That may be partners; those in `units` are left out.
    traits : ndarray, shape (units, traits)
        Of all units: firing rate and mean `|a|·‖d‖`, say.
    draws : int
        Number of sets.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int, shape (draws, n)
        Column i holds the partners of units[i], so that the first columns match the first units.

    Raises
    ------
    ValueError
        There are fewer others than units.
    """
    others = np.setdiff1d(alive, units)
    if len(others) < len(units):
        raise ValueError(f"{len(units)} units can't be matched by {len(others)}")
    among = np.concatenate([units, others])
    ranks = rankdata(traits[among], axis=0)
    distance = np.linalg.norm(ranks[: len(units), None] - ranks[None, len(units) :], axis=-1)
    sets = np.empty((draws, len(units)), np.int64)
    for drawn in sets:
        left = np.ones(len(others), bool)
        for i in rng.permutation(len(units)):
            nearest = np.argsort(np.where(left, distance[i], np.inf), kind="stable")
            chosen = nearest[rng.integers(min(NEAREST, left.sum()))]
            left[chosen] = False
            drawn[i] = others[chosen]
    return sets


def matchable(ranked: np.ndarray, alive: np.ndarray, most: int, what: str) -> np.ndarray:
    """The first of the ranked units, at most `most`, that leave two alive ones for each.

    Fewer others would make all matched sets alike. Logged if it shortens the set.
    """
    possible = len(alive) // 3
    wanted = min(most, len(ranked))
    if possible < wanted:
        log.warning(
            "%s: %d of %d units are removed, %d alive ones match no more",
            what,
            possible,
            wanted,
            len(alive),
        )
    return ranked[: min(wanted, possible)]

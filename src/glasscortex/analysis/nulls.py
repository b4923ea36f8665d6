"""What effects would be by chance: null distributions, p values and multiplicity.

Which null fits which label is the whole question: labels permuted among windows call 99 of 100
noise units selective for a label that is constant within a mouse. So presentations are permuted
within session and block, repeats of a movie change sign piece by piece, behaviour is exchanged
between mice, and labels of mice are permuted over mice.
"""

from collections.abc import Iterable, Iterator
from itertools import combinations, islice, product
from itertools import permutations as permute
from math import factorial, prod
from typing import Any

import numpy as np
from scipy import sparse
from scipy.stats import false_discovery_control, rankdata

from glasscortex.analysis.effects import share

TOLERANCE = 1e-6
"""Relative difference below which two effects are tied: sums in single precision."""

CHUNK = 2**22
"""Numbers that one step of a null distribution holds."""


def exceeding(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """How many draws of the null (draws, units) reach the observed effect (units,)."""
    return (null * (1 + TOLERANCE) >= observed).sum(axis=0)


def p_values(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """p = (1 + #{T_b ≥ T}) / (B + 1) of effects that are not negative.

    Parameters
    ----------
    observed : ndarray, shape (units,)
        Effects T; NaN gives p = NaN.
    null : ndarray, shape (B, units)
        Effects T_b under the null.

    References
    ----------
    Phipson & Smyth 2010, Stat Appl Genet Mol Biol 9:39.
    """
    p = (1 + exceeding(observed, null)) / (len(null) + 1)
    return np.where(np.isfinite(observed), p, np.nan)


def p_together(observed: np.ndarray, null: np.ndarray) -> float:
    """p of all units together: the harmonic mean of their p values, against that of every draw.

    Units may depend on each other in any way, since a draw is one for all of them. Few strong
    units suffice.

    Parameters
    ----------
    observed : ndarray, shape (units,)
        Effects; units of which it is NaN do not count.
    null : ndarray, shape (B, units)
        Effects under the null.

    Returns
    -------
    float
        NaN if no unit counts.

    References
    ----------
    Wilson 2019, PNAS 116:1195 (the harmonic mean); Pesarin & Salmaso 2010, Permutation Tests for
    Complex Data (combination by the same permutations).
    """
    units = np.flatnonzero(np.isfinite(observed) & np.isfinite(null).all(axis=0))
    draws = len(null) + 1
    combined = np.zeros(draws)
    for some in np.array_split(units, 1 + len(units) * draws // CHUNK):
        effects = np.vstack([observed[some], null[:, some]])
        combined += (draws / (draws + 1 - rankdata(effects, "min", axis=0))).sum(axis=1)
    reached = (combined[1:] * (1 + TOLERANCE) >= combined[0]).sum()
    return float((1 + reached) / draws) if len(units) else np.nan


def q_values(p: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg adjusted p values over the entries that are not NaN."""
    q = np.full(len(p), np.nan)
    known = np.isfinite(p)
    if known.any():
        q[known] = false_discovery_control(p[known])
    return q


def critical_effects(null: np.ndarray, p: np.ndarray, q: float) -> np.ndarray:
    """Effect that a unit must exceed to be significant at false discovery rate q (units,).

    The p value at stake is the largest that Benjamini-Hochberg accepts; if it accepts none, the
    q / m that the best of m units would need. Infinite where the null has too few draws for it.
    """
    accepted = p[q_values(p) <= q]
    alpha = accepted.max() if len(accepted) else q / max(1, np.isfinite(p).sum())
    allowed = int(np.floor(alpha * (len(null) + 1) * (1 + TOLERANCE))) - 1
    if allowed < 0:
        return np.full(null.shape[1], np.inf)
    if allowed >= len(null):
        return np.zeros(null.shape[1])
    return np.partition(null, len(null) - 1 - allowed, axis=0)[len(null) - 1 - allowed]


def permutations(groups: np.ndarray, draws: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Random permutations of the rows (rows,) that keep every row within its group."""
    by_group = np.argsort(groups, kind="stable")
    # numpy sorts numbers of 16 bits by their digits, in a tenth of the time
    narrow = groups.astype(np.min_scalar_type(groups.max(initial=0)))
    for _ in range(draws):
        order = np.argsort(rng.random(len(groups)))
        permuted = np.empty(len(groups), np.int64)
        permuted[by_group] = order[np.argsort(narrow[order], kind="stable")]
        yield permuted


def permuted_eta_squared(
    responses: np.ndarray,
    classes: np.ndarray,
    groups: np.ndarray,
    draws: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """η² with classes permuted within groups (draws, units).

    Parameters
    ----------
    responses : ndarray, shape (observations, units)
        Centred within groups.
    classes, groups : ndarray of int, shape (observations,)
        From 0.
    draws : int
    rng : numpy.random.Generator
    """
    by_class = np.argsort(classes, kind="stable")
    rows = (permuted[by_class] for permuted in permutations(groups, draws, rng))
    total = np.einsum("nu,nu->u", responses, responses)
    counts = np.bincount(classes)
    null = [share(sums, counts, total) for sums in _class_sums(responses, rows, counts)]
    return np.concatenate(null)


def signed_eta_squared(
    responses: np.ndarray,
    classes: np.ndarray,
    groups: np.ndarray,
    draws: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """η² with the responses of every group turned round, or not, at random (draws, units).

    What groups do not have in common is as likely with either sign, however it runs in time; what
    they have in common is lost.

    Parameters
    ----------
    responses : ndarray, shape (observations, units)
        Centred within groups.
    classes, groups : ndarray of int, shape (observations,)
        From 0.
    draws : int
    rng : numpy.random.Generator

    References
    ----------
    Chwialkowski, Sejdinovic & Gretton 2014, NeurIPS 27:3608 (the wild bootstrap of a degenerate
    statistic of time series).
    """
    by_class = np.argsort(classes, kind="stable")
    total = np.einsum("nu,nu->u", responses, responses)
    counts = np.bincount(classes)
    signs = rng.choice(np.array([-1, 1], responses.dtype), size=(draws, groups.max() + 1))
    rows = (by_class for _ in range(draws))
    signed = (drawn[groups[by_class]] for drawn in signs)
    null = [share(sums, counts, total) for sums in _class_sums(responses, rows, counts, signed)]
    return np.concatenate(null)


def _class_sums(
    responses: np.ndarray,
    rows: Iterator[np.ndarray],
    counts: np.ndarray,
    weights: Iterator[np.ndarray] | None = None,
) -> Iterator[np.ndarray]:
    """Sums over classes (some draws, classes, units), given each draw's rows class by class.

    Each row has the weight that its draw gives it, or 1.
    """
    n, n_units = responses.shape
    at_once = max(1, CHUNK // (len(counts) * n_units + n))
    while some := list(islice(rows, at_once)):
        starts = np.append(0, np.cumsum(np.tile(counts, len(some))))
        columns = np.concatenate(some)
        if weights is None:
            data = np.ones(len(columns), responses.dtype)
        else:
            data = np.concatenate(list(islice(weights, len(some))))
        indicator = sparse.csr_array((data, columns, starts), shape=(len(starts) - 1, n))
        yield (indicator @ responses).reshape(len(some), len(counts), n_units)


def partitions(sizes: tuple[int, ...]) -> int:
    """In how many ways labels of these group sizes can be dealt out, up to their names.

    Examples
    --------
    >>> partitions((4, 4)), partitions((3, 5))
    (35, 56)
    """
    same = [sizes.count(size) for size in set(sizes)]
    return factorial(sum(sizes)) // prod(map(factorial, (*sizes, *same)))


def arrangements(sizes: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Every way to deal out labels of these group sizes, once up to the groups' names.

    η² does not change when groups of one size swap names, so that 8 mice of 2 lines x 4 have 35
    arrangements, not 70, and no p below 1/35.

    Parameters
    ----------
    sizes : tuple of int

    Yields
    ------
    ndarray of int, shape (sum(sizes),)
        The group of each member.

    Examples
    --------
    >>> [groups.tolist() for groups in arrangements((1, 2))]
    [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    """

    def deal(free: tuple[int, ...], group: int, first: int, dealt: np.ndarray):
        if group == len(sizes):
            yield dealt.copy()
            return
        for members in combinations(free, sizes[group]):
            if group and sizes[group] == sizes[group - 1] and members[0] < first:
                continue
            dealt[list(members)] = group
            left = tuple(i for i in free if i not in members)
            yield from deal(left, group + 1, members[0], dealt)

    yield from deal(tuple(range(sum(sizes))), 0, -1, np.zeros(sum(sizes), np.int64))


def exchanges(
    owners: np.ndarray, kinds: np.ndarray, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Ways to exchange all items between owners who have the same kinds of them.

    Owners change places within those that are alike, and items go with them: what the items of an
    owner have in common stays together. All ways but the one that leaves everything where it is
    if there are at most `draws`, else random ones, of which it is one like any other.

    Parameters
    ----------
    owners : ndarray of int, shape (items,)
        The mouse of each session, from 0.
    kinds : ndarray of int, shape (items,)
        What was shown in it.
    draws : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int, shape (ways, items)
        The item that each gets.
    """
    items = [
        own[np.argsort(kinds[own], kind="stable")]
        for own in (np.flatnonzero(owners == owner) for owner in range(owners.max() + 1))
    ]
    alike = [np.flatnonzero(_alike(owners, kinds) == group) for group in range(len(items))]
    alike = [group for group in alike if len(group)]
    orders: Iterator[Iterable[Any]]
    if prod(factorial(len(group)) for group in alike) <= draws + 1:
        orders = islice(product(*map(permute, alike)), 1, None)
    else:
        orders = (map(rng.permutation, alike) for _ in range(draws))
    ways = []
    for order in orders:
        given = np.arange(len(owners))
        for group, places in zip(alike, order, strict=True):
            for owner, place in zip(group, places, strict=True):
                given[items[owner]] = items[place]
        ways.append(given)
    return np.array(ways, np.int64).reshape(-1, len(owners))


def exchangeable(owners: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Which items (items,) can be exchanged: another owner has the same kinds as theirs.

    Examples
    --------
    >>> exchangeable(np.array([0, 0, 1, 1, 2]), np.array([5, 6, 5, 6, 5])).tolist()
    [True, True, True, True, False]
    """
    alike = _alike(owners, kinds)
    return np.bincount(alike)[alike][owners] > 1


def _alike(owners: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Group (owners,) of each owner: the same for those that have as many items of every kind."""
    counts = np.zeros((owners.max() + 1, kinds.max() + 1), np.int64)
    np.add.at(counts, (owners, kinds), 1)
    return np.unique(counts, axis=0, return_inverse=True)[1].reshape(-1)

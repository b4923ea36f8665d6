"""Do dictionaries of several seeds find the same units? Matches, and units by consensus.

A seed makes a decoder and the dictionary on it, so that atoms of two seeds lie in different spaces
and only responses to the same presentations compare. Memory holds the correlations between two
dictionaries and the responses of one session; time grows with presentations × units² × pairs.
"""

import logging
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64, Int64
from scipy.optimize import linear_sum_assignment

from glasscortex.analysis import effects, nulls
from glasscortex.analysis.presentations import Presentations
from glasscortex.intervals import jackknife_error, student_reach

ALIKE = 0.7
"""Correlation above which two units count as one."""

DRAWS = 5
"""Draws that the null is the mean of."""

Read = Callable[[int, str], Iterator[Presentations]]
"""From seed and split to its units' responses, session by session: the same ones for all seeds."""

Units = Int64[np.ndarray, " units"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Matches:
    """Which units of two dictionaries were matched, and how alike they are.

    Attributes
    ----------
    first, second : ndarray of int, shape (matches,)
        Units of the one and of the other.
    selection, correlation : ndarray, shape (matches,)
        Correlation on validation, which they were matched by, and on test. Where that on
        validation is negative, both change sign: the sign of a basis is arbitrary.
    without : ndarray, shape (mice,)
        Mean correlation on test with each mouse left out.
    """

    first: Int64[np.ndarray, " matches"]
    second: Int64[np.ndarray, " matches"]
    selection: Float64[np.ndarray, " matches"]
    correlation: Float64[np.ndarray, " matches"]
    without: Float64[np.ndarray, " mice"]


def stability(
    read: Read, seeds: Sequence[int], min_active: int, name: str = ""
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Match the living units of every two seeds, and find the units that most seeds have.

    Responses are centred within session, stimulus and block, and scaled within session, so that
    every session weighs the same. Units are matched on validation, and their correlation is that
    on test.

    Parameters
    ----------
    read : callable
        Reads the responses of one seed on one split.
    seeds : sequence of int
        Two at least.
    min_active : int
        Fewest presentations of validation, and of test, on which a living unit is active.
    name : str
        Of the dictionary; other names draw other random numbers.

    Returns
    -------
    stability : pandas.DataFrame
        One row a pair of `seeds`, such as "0-1", and a last one for the mean of all pairs, "all":
        mean `correlation` of matched units with its 95 % interval over mice (jackknife; matches
        stay), the same with one seed's presentations permuted within session, stimulus and block
        (`null`, mean of `DRAWS`), and the `share` of matches above `ALIKE`.
    consensus : pandas.DataFrame
        One row a living unit of a seed and another seed: the unit's match there and their
        correlations; in how many other seeds it has a match above `ALIKE` (`n_alike`), and whether
        these are more than half (`consensus`).

    References
    ----------
    Song et al. 2025, arXiv 2505.20254: the mean over pairs is their PW-MCC, with correlations of
    responses for cosines of atoms.
    """
    living = {seed: _living(read, seed, min_active) for seed in seeds}
    pairs, null = {}, []
    for pair in combinations(seeds, 2):
        rng = np.random.default_rng([*pair, zlib.crc32(f"stability {name}".encode())])
        units = [living[seed] for seed in pair]
        pairs[pair] = match_units(read, pair, units)
        permuted = [match_units(read, pair, units, rng) for _ in range(DRAWS)]
        null.append(float(np.mean([_mean(matches.correlation) for matches in permuted])))
    table = _of_pairs(pairs, null, living)
    units = _of_units(pairs, living)
    _report(table, units)
    return table, units


def matched(similarity: Float[np.ndarray, "first second"]) -> tuple[np.ndarray, np.ndarray]:
    """Match rows with columns, one to one, so that the absolute similarities have the largest sum.

    Parameters
    ----------
    similarity : ndarray, shape (first, second)
        Correlations of responses; or cosines of atoms, where one decoder is behind both.

    Returns
    -------
    tuple of ndarray of int, shape (min(first, second),)
        Rows, ascending, and their columns.

    Examples
    --------
    >>> atoms = np.eye(3)
    >>> matched(atoms @ -atoms[[2, 0, 1]].T)[1].tolist()
    [1, 2, 0]
    """
    return linear_sum_assignment(np.abs(similarity), maximize=True)


def match_units(
    read: Read,
    pair: tuple[int, int],
    units: Sequence[Units],
    permuted: np.random.Generator | None = None,
) -> Matches:
    """Match units of two seeds on validation, and correlate them on test.

    Parameters
    ----------
    read : callable
        Reads the responses of one seed on one split.
    pair : tuple of int
        The seeds.
    units : sequence of ndarray of int, shape (units,)
        Those of each seed that are to be matched.
    permuted : numpy.random.Generator, optional
        Draws the order of the second seed's presentations, within session, stimulus and block.
    """
    products = np.zeros([len(some) for some in units])
    squares, others = np.zeros((products.shape[0], 1)), np.zeros(products.shape[1])
    for _, first, second in _shown(read, pair, units, "validation", permuted):
        products += first.T @ second
        squares += (first**2).sum(axis=0)[:, None]
        others += (second**2).sum(axis=0)
    similarity = _correlation(products, squares, others)
    rows, columns = matched(similarity)
    signs = np.where(similarity[rows, columns] < 0, -1, 1)
    of_mouse: dict[str, np.ndarray] = {}
    for mouse, first, second in _shown(read, pair, units, "test", permuted):
        first, second = first[:, rows], second[:, columns]
        sums = np.stack([first * second, first**2, second**2]).sum(axis=1)
        of_mouse[mouse] = of_mouse.get(mouse, 0) + sums
    sums = np.stack(list(of_mouse.values()))
    total = sums.sum(axis=0)
    return Matches(
        units[0][rows],
        units[1][columns],
        signs * similarity[rows, columns],
        signs * _correlation(*total),
        np.array([_mean(signs * _correlation(*total - own)) for own in sums]),
    )


def _living(read: Read, seed: int, min_active: int) -> Units:
    """Units that are active often enough."""
    active = [
        np.sum([session.active() for session in read(seed, split)], axis=0)
        for split in ("validation", "test")
    ]
    return np.flatnonzero(np.min(active, axis=0) >= min_active)


def _shown(
    read: Read,
    pair: tuple[int, int],
    units: Sequence[Units],
    split: str,
    permuted: np.random.Generator | None,
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The mouse and both seeds' responses (presentations, units), session by session.

    Where a unit varies, they have length 1: no session weighs more because it drives the unit.
    """
    for both in zip(*(read(seed, split) for seed in pair), strict=True):
        groups = both[0].numbered("session_id", "stimulus", "block")
        first, second = (
            effects.standardised(
                effects.centred(session.responses[:, some].astype(np.float64), groups)
            )
            for session, some in zip(both, units, strict=True)
        )
        if permuted is not None:
            second = second[next(nulls.permutations(groups, 1, permuted))]
        yield both[0].trials["mouse"].iat[0], first, second


def _correlation(products: np.ndarray, squares: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Correlation from sums of products and squares of centred responses; 0 of what is constant."""
    length = np.sqrt(squares * others)
    return np.divide(products, length, out=np.zeros_like(products), where=length > 1e-9)


def _mean(correlation: np.ndarray) -> float:
    return float(correlation.mean()) if len(correlation) else np.nan


def _of_pairs(
    pairs: dict[tuple[int, int], Matches], null: list[float], living: dict[int, Units]
) -> pd.DataFrame:
    """The table of pairs and their mean."""

    def with_mean(values: list | np.ndarray) -> np.ndarray:
        return np.concatenate([values, np.mean(values, axis=0, keepdims=True)])

    correlation = with_mean([_mean(matches.correlation) for matches in pairs.values()])
    without = with_mean([matches.without for matches in pairs.values()])
    reach = student_reach(without.shape[1]) * jackknife_error(without.T)
    numbers = [[len(living[seed]) for seed in pair] for pair in pairs]
    return pd.DataFrame(
        {
            "seeds": [*(f"{first}-{second}" for first, second in pairs), "all"],
            "n_first": pd.array([*(first for first, _ in numbers), None], "Int64"),
            "n_second": pd.array([*(second for _, second in numbers), None], "Int64"),
            "correlation": correlation,
            "ci_low": correlation - reach,
            "ci_high": correlation + reach,
            "null": with_mean(null),
            "share": with_mean([_mean(matches.correlation > ALIKE) for matches in pairs.values()]),
            "n_mice": without.shape[1],
        }
    )


def _of_units(pairs: dict[tuple[int, int], Matches], living: dict[int, Units]) -> pd.DataFrame:
    """The table of units and of what they match in every other seed."""
    key = ["seed", "unit", "other_seed"]
    matches = pd.concat(
        pd.DataFrame(
            {
                "seed": seed,
                "unit": units,
                "other_seed": other,
                "other_unit": others,
                "correlation": found.correlation,
                "correlation_selection": found.selection,
            }
        )
        for (one, two), found in pairs.items()
        for seed, other, units, others in (
            (one, two, found.first, found.second),
            (two, one, found.second, found.first),
        )
    )
    each = [
        (seed, unit, other)
        for seed, units in living.items()
        for unit in units
        for other in living
        if other != seed
    ]
    table = pd.DataFrame(each, columns=key).merge(matches, how="left", on=key)
    table["other_unit"] = table["other_unit"].astype("Int64")
    alike = table["correlation"] > ALIKE
    table["n_alike"] = alike.groupby([table["seed"], table["unit"]]).transform("sum")
    return table.assign(consensus=2 * table["n_alike"] > len(living) - 1)


def _report(table: pd.DataFrame, units: pd.DataFrame) -> None:
    """Say how alike the seeds are."""
    mean = table.iloc[-1]
    common = units[units["consensus"]].groupby("seed")["unit"].nunique()
    log.info(
        "mean matched correlation %.3f (95 %% interval %.3f to %.3f; %.3f by chance); "
        "units in most other seeds: %s",
        *mean[["correlation", "ci_low", "ci_high", "null"]],
        ", ".join(
            f"{common.get(seed, 0)} of {number} in seed {seed}"
            for seed, number in units.groupby("seed")["unit"].nunique().items()
        ),
    )

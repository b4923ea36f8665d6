"""Do units recover the factors that the simulator made the recordings from?

Nothing else reads the ground truth.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64
from scipy import linalg

from glasscortex.analysis import effects, nulls
from glasscortex.analysis.factors import ReadTruth, factors_of, labels_of
from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.ridge import ridge
from glasscortex.analysis.stability import matched

DRAWS = 200
"""Permutations behind the column `null`."""

OF_CEILING = 0.7
"""Share of the ceiling above which a unit has a factor recovered."""

COLUMNS = [
    *("factor", "stimulus", "unit", "score", "null", "p"),
    *("score_selection", "n", "n_sessions"),
    *("matched_unit", "matched_score", "ceiling", "recovered"),
]

GAIN_STIMULI = ("drifting_gratings", "static_gratings", "natural_scenes")

# By name, a factor's value on each presentation of a split; NaN where it is not known.
Factors = Mapping[str, Float[np.ndarray, " presentations"]]


def recovery(
    train: Presentations,
    validation: Presentations,
    test: Presentations,
    trials: pd.DataFrame,
    truth: ReadTruth,
    name: str = "",
    seed: int = 0,
) -> pd.DataFrame:
    """Find for every factor the unit that follows it best, and hold it against all units.

    A factor is the mean true rate of the cells of a session that prefer one label (the nearest to
    their own preference), or the gain that all cells share.

    Parameters
    ----------
    train, validation, test : Presentations
        Responses of all units.
    trials : pandas.DataFrame
        Of all splits; cells are sorted by the labels in it.
    truth : callable
        Reads the ground truth of one session and stimulus.
    name : str
        Of the dictionary; other names draw other random numbers.
    seed : int
        Of all random numbers.

    Returns
    -------
    pandas.DataFrame
        What `followed` says of the factors of each stimulus.
    """
    tables = [pd.DataFrame(columns=COLUMNS)]
    for stimulus in GAIN_STIMULI:
        splits = [p.where(p.trials["stimulus"] == stimulus) for p in (train, validation, test)]
        if min(len(split.trials) for split in splits) == 0:
            continue
        labels = labels_of(trials[trials["stimulus"] == stimulus])
        factors = [factors_of(split.trials, stimulus, labels, truth) for split in splits]

        def random(factor: str, stimulus: str = stimulus) -> np.random.Generator:
            key = f"recovery {name} {factor} {stimulus}"
            return np.random.default_rng([seed, zlib.crc32(key.encode())])

        tables.append(followed(splits, factors, random).assign(stimulus=stimulus))
    return pd.concat([table for table in tables if len(table)] or tables)[COLUMNS]


def followed(
    splits: Sequence[Presentations],
    factors: Sequence[Factors],
    random: Callable[[str], np.random.Generator],
) -> pd.DataFrame:
    """The units that follow factors best on validation, and how well they do on test.

    A score is Pearson's correlation of a unit's response with a factor over presentations, both
    centred within session and block, and the factor scaled within the session.

    Parameters
    ----------
    splits : sequence of Presentations
        Train, validation and test.
    factors : sequence of Factors
        Of each split.
    random : callable
        From the first of the factors that are known on the same presentations to their random
        numbers.

    Returns
    -------
    pandas.DataFrame
        One row a factor, in the order given; none of a factor that varies in no session of a split.
        unit, the best on validation; score_selection, its score there; score, on test, with the
        sign of that on validation; null, the 95 % quantile of it when the same is done with the
        presentations permuted within session and block; p; n, n_sessions, of test.
        matched_unit and matched_score, when every factor has a unit of its own, so that the
        absolute scores on validation have the largest sum (none for some where units are fewer);
        ceiling, the score of a ridge regression on all units, fitted on train, whose penalty
        validation chooses; recovered, whether the matched score is above `OF_CEILING` of the
        ceiling, and above the null.

    Notes
    -----
    Units are matched stimulus by stimulus: factors of several stimuli, such as the gain, may have
    the same unit in each.
    """
    rows: dict[str, dict[str, float]] = {}
    of_units: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for names in _known_alike(factors):
        train, validation, test = (
            _Part.of(split, np.stack([values[factor] for factor in names], axis=1))
            for split, values in zip(splits, factors, strict=True)
        )
        ceilings = _ceilings(train, validation, test)
        rng = random(names[0])
        selections, tested = validation.scores(rng), test.scores(rng)
        for i, factor in enumerate(names):
            if not all(part.factors[:, i].any() for part in (train, validation, test)):
                continue
            selection, scores = selections[:, i], tested[:, i]
            of_units[factor] = selection[0], scores[0]
            rows[factor] = _best(selection, scores) | {
                "n": len(test.factors),
                "n_sessions": test.n_sessions,
                "ceiling": ceilings[i],
            }
    order = [factor for factor in factors[0] if factor in rows]
    if not order:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.DataFrame([{"factor": factor} | rows[factor] for factor in order])
    selection, scores = np.stack([of_units[factor] for factor in order], axis=1)
    own, unit = matched(selection)
    table["matched_unit"] = pd.Series(unit, own, dtype="Int64")
    table["matched_score"] = pd.Series(np.sign(selection[own, unit]) * scores[own, unit], own)
    enough = np.maximum(OF_CEILING * table["ceiling"], table["null"])
    return table.assign(recovered=table["matched_score"] > enough)


@dataclass(frozen=True)
class _Part:
    """One split's presentations on which some factors are known.

    Both factors and units are centred within session and block.
    """

    factors: Float[np.ndarray, "presentations factors"]
    """Scaled within the session, and to length 1; 0 where they do not vary."""
    units: Float[np.ndarray, "presentations units"]
    blocks: Int64[np.ndarray, " presentations"]
    n_sessions: int

    @classmethod
    def of(
        cls, split: Presentations, factors: Float[np.ndarray, "presentations factors"]
    ) -> "_Part":
        mask = np.isfinite(factors).all(axis=1)
        known = split.where(mask)
        blocks = known.numbered("session_id", "block")
        sessions = known.numbered("session_id")
        values = _scaled(effects.centred(factors[mask], blocks), sessions)
        length = np.sqrt((values**2).sum(axis=0))
        return cls(
            np.divide(values, length, out=np.zeros_like(values), where=length > 0),
            effects.centred(known.responses.astype(np.float64), blocks),
            blocks,
            int(sessions.max(initial=-1)) + 1,
        )

    def scores(self, rng: np.random.Generator) -> Float[np.ndarray, "draws factors units"]:
        """Those of every unit: first the true ones, then what permuted presentations give."""
        units = effects.standardised(self.units)
        permuted = nulls.permutations(self.blocks, DRAWS, rng)
        orders = chain([np.arange(len(units))], permuted)
        return np.stack([self.factors[order].T @ units for order in orders])


def _known_alike(factors: Sequence[Factors]) -> list[list[str]]:
    """Factors that are known on the same presentations, which share the products of units."""
    groups: dict[tuple[bytes, ...], list[str]] = {}
    for factor in factors[0]:
        known = [np.isfinite(of_split[factor]) for of_split in factors]
        if all(mask.any() for mask in known):
            groups.setdefault(tuple(mask.tobytes() for mask in known), []).append(factor)
    return list(groups.values())


def _ceilings(train: _Part, validation: _Part, test: _Part) -> Float[np.ndarray, " factors"]:
    """How well all units together follow each factor on test."""
    length = np.sqrt(np.einsum("nu,nu->u", train.units, train.units))
    scale = np.divide(1, length, out=np.zeros_like(length), where=length > 1e-9)
    x = train.units * scale
    fits = [scale[:, None] * w for w in ridge(linalg.eigh(x.T @ x), x.T @ train.factors, 1)]
    chosen, scores = (
        np.stack([_alike(part.units @ weights, part.factors) for weights in fits])
        for part in (validation, test)
    )
    return scores[chosen.argmax(axis=0), np.arange(scores.shape[1])]


def _alike(predicted: np.ndarray, factors: np.ndarray) -> Float[np.ndarray, " factors"]:
    """Correlation of each factor with what was predicted for it."""
    return np.einsum("nf,nf->f", effects.standardised(predicted), factors)


def _best(selection: np.ndarray, test: np.ndarray) -> dict[str, float]:
    """The unit that is best on validation, and how rare its score on test is."""
    unit = np.abs(selection).argmax(axis=1)
    each = np.arange(len(unit))
    chosen = selection[each, unit]
    score = test[each, unit] * np.sign(chosen)
    return {
        "unit": int(unit[0]),
        "score": score[0],
        "null": np.quantile(score[1:], 0.95),
        "p": (1 + (score[1:] >= score[0]).sum()) / len(score),
        "score_selection": chosen[0],
    }


def _scaled(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Values with mean square 1 in every group; 0 where they do not vary."""
    rms = np.sqrt(effects.group_means(values**2, groups))[groups]
    return np.divide(values, rms, out=np.zeros_like(values), where=rms > 1e-12)

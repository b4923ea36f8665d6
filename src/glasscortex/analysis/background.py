"""Selectivity for what is constant in a mouse or a session, tested over mice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64, Shaped

from glasscortex.analysis import effects, nulls
from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.results import TestResult

UNKNOWN = ("", "unknown", "nan")
FEWEST_ORDERED = 4
"""Fewest mice for a rank correlation."""

FEWEST_ALIKE = 3
"""Fewest mice of a label: two that vary twice as much as others give .08 false positives."""

Statistic = Callable[[np.ndarray], np.ndarray]
"""From labels as numbers (observations,) to the effect on every unit (units,)."""


@dataclass(frozen=True)
class Replicates:
    """What is compared between labels: mice, or a mouse's parts under several labels.

    Attributes
    ----------
    values : ndarray, shape (replicates, columns)
        Means over the sessions of each, alike in weight.
    labels : ndarray, shape (labels,)
        Ascending.
    codes : ndarray of int, shape (replicates,)
        The place of each one's label in `labels`.
    mice : ndarray of int, shape (replicates,)
        The mouse of each, from 0.
    names : ndarray of str, shape (mice,)
    nested : bool
        Whether labels differ within mice: then only these mice count, each about its own mean.
    """

    values: Float64[np.ndarray, "replicates columns"]
    labels: Shaped[np.ndarray, " labels"]
    codes: Int64[np.ndarray, " replicates"]
    mice: Int64[np.ndarray, " replicates"]
    names: Shaped[np.ndarray, " mice"]
    nested: bool

    @classmethod
    def of(
        cls, values: np.ndarray, sessions: pd.DataFrame, labels: pd.Series, ordered: bool
    ) -> Self | None:
        """Average over the sessions of a mouse and label.

        Parameters
        ----------
        values : ndarray, shape (sessions, columns)
            NaN where unknown, which no mean counts.
        sessions : pandas.DataFrame
            session_id and mouse of each.
        labels : pandas.Series
            Label by session_id; unknown ones are left out.
        ordered : bool
            Whether labels are numbers to rank and not names.

        Returns
        -------
        Replicates or None
            None with fewer than two labels of at least `FEWEST_ALIKE` mice each (ordered: with one
            label, or fewer than `FEWEST_ORDERED` mice).
        """
        label = sessions["session_id"].map(labels).reset_index(drop=True)
        known = label.notna() & ~label.astype(str).isin(UNKNOWN)
        mouse = sessions["mouse"].reset_index(drop=True)
        keys = [mouse[known].rename("mouse"), label[known].rename("label")]
        means = pd.DataFrame(values)[known].groupby(keys).mean()
        per_mouse = means.groupby("mouse").size()
        nested = bool((per_mouse > 1).any())
        if nested:
            means = means.loc[per_mouse.index[per_mouse > 1]]
        if not ordered:
            per_label = means.groupby("label").size()
            kept = per_label.index[per_label >= FEWEST_ALIKE]
            means = means[means.index.isin(kept, level="label")]
        names, mice = np.unique(means.index.get_level_values("mouse"), return_inverse=True)
        found, codes = np.unique(means.index.get_level_values("label"), return_inverse=True)
        if len(found) < 2 or len(names) < (FEWEST_ORDERED if ordered else 2):
            return None
        return cls(means.to_numpy(np.float64), found, codes, mice, names, nested)

    @property
    def blocks(self) -> Int64[np.ndarray, " replicates"]:
        """Within which labels are exchanged: the mice if nested, else all."""
        return self.mice if self.nested else np.zeros_like(self.mice)

    def dealt(self, draws: int, rng: np.random.Generator, enumerable: bool) -> list[np.ndarray]:
        """Codes as they could have fallen: permuted within `blocks`.

        Without how they fell if all ways are enumerated, which are at most `draws`: only where the
        statistic does not ask for labels' names, and mice have one label each.
        """
        sizes = tuple(sorted(np.bincount(self.codes)))
        if not enumerable or self.nested or nulls.partitions(sizes) > draws:
            return [self.codes[order] for order in nulls.permutations(self.blocks, draws, rng)]
        observed = _unnamed(self.codes)
        return [other for other in nulls.arrangements(sizes) if _unnamed(other) != observed]


def of_background(
    presentations: Presentations,
    labels: pd.Series,
    draws: int,
    rng: np.random.Generator,
    ordered: bool = False,
) -> TestResult | None:
    """Test a label of mice or sessions: the mouse is the replicate, never the window.

    Responses are averaged to sessions, and those to mice. Where every mouse has one label, labels
    are permuted over mice: all arrangements up to names if there are at most `draws`, else random
    ones. Where mice were recorded under several labels (areas, say), only those mice count:
    responses are centred within the mouse, and labels permuted within it.

    Parameters
    ----------
    presentations : Presentations
        Those of one stimulus.
    labels : pandas.Series
        Label by session_id; unknown ones are left out.
    draws : int
        Permutations.
    rng : numpy.random.Generator
    ordered : bool
        Whether labels are numbers to rank (Spearman, absolute) and not names (η² by Welch's
        statistic, since lines differ in how many mice, and mice in how many sessions they have).

    Returns
    -------
    TestResult or None
        None with too few labels or mice, see `Replicates.of`.
    """
    sessions = presentations.numbered("session_id")
    of_session = presentations.trials.groupby(sessions)[["session_id", "mouse"]].first()
    means = effects.group_means(presentations.responses.astype(np.float64), sessions)
    found = Replicates.of(means, of_session, labels, ordered)
    if found is None:
        return None
    responses, codes, mice, blocks = found.values, found.codes, found.mice, found.blocks
    # The last unit is the label itself: its p is the smallest that there can be.
    statistic = effect_of(np.column_stack([responses, codes]), blocks, ordered)
    effect = statistic(codes)
    dealt = found.dealt(draws, rng, enumerable=not ordered)
    null = np.stack([statistic(other) for other in dealt])
    counts = np.bincount(mice)
    growth = len(mice) / (len(mice) - counts)
    deviations = effects.centred(responses, blocks)
    if ordered:
        slope = effects.standardised(codes.astype(np.float64)) @ deviations
        preferred = np.where(slope >= 0, "increasing", "decreasing")
    else:
        preferred = found.labels[effects.group_means(deviations, codes).argmax(axis=0)]
    return TestResult(
        index="spearman" if ordered else "eta2",
        replicate="mouse",
        n=len(counts),
        effect=effect[:-1],
        null=null[:, :-1],
        p_min=float(nulls.p_values(effect[-1:], null[:, -1:])[0]),
        without=np.stack(
            [
                effect_of(responses[left], blocks[left], ordered)(codes[left])
                for left in (mice != mouse for mouse in range(len(counts)))
            ]
        ),
        noise_without=np.sqrt(growth) if ordered else growth,
        preferred=preferred,
        observations=None if ordered else deviations,
        labels=None if ordered else found.labels[codes],
    )


def _unnamed(codes: np.ndarray) -> tuple[int, ...]:
    """The same for every naming of the same groups."""
    first = dict.fromkeys(codes.tolist())
    number = {code: i for i, code in enumerate(first)}
    return tuple(number[code] for code in codes.tolist())


def effect_of(
    responses: Float64[np.ndarray, "replicates units"],
    blocks: Int64[np.ndarray, " replicates"],
    ordered: bool,
) -> Statistic:
    """How strongly labels go with what replicates do, whatever the labels.

    Parameters
    ----------
    responses : ndarray, shape (replicates, units)
    blocks : ndarray of int, shape (replicates,)
        Within which replicates are compared.
    ordered : bool

    Returns
    -------
    callable
        From the replicates' labels, as numbers, to the effect on every unit.
    """
    return (_rank_correlation if ordered else _explained)(responses, blocks)


def _explained(responses: np.ndarray, blocks: np.ndarray) -> Statistic:
    responses = _centred(responses, blocks)

    def explained(codes: np.ndarray) -> np.ndarray:
        return effects.welch_eta_squared(responses, np.unique(codes, return_inverse=True)[1])

    return explained


def _rank_correlation(responses: np.ndarray, blocks: np.ndarray) -> Statistic:
    ranks = effects.standardised_ranks(_centred(responses, blocks))

    def correlation(codes: np.ndarray) -> np.ndarray:
        labels = _centred(codes[:, None].astype(np.float64), blocks)[:, 0]
        return np.abs(effects.standardised_ranks(labels) @ ranks)

    return correlation


def _centred(values: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    return effects.centred(values, np.unique(blocks, return_inverse=True)[1])

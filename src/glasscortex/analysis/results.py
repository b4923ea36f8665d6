"""What a test of selectivity finds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from jaxtyping import Bool, Float

from glasscortex.analysis import nulls


@dataclass(frozen=True)
class TestResult:
    """The effect of one variable on every unit in one split, and what chance would give.

    Attributes
    ----------
    index : str
        Name of the statistic, eta2 or spearman (its absolute value).
    replicate : str
        What the null permutes: presentation, session or mouse.
    n : int
        Number of replicates.
    effect : ndarray, shape (units,)
        Not negative; NaN for a unit that does not vary.
    null : ndarray, shape (draws, units)
    p_min : float
        Smallest p that any unit could reach.
    without : ndarray, shape (mice, units)
        Effect with each mouse left out.
    noise_without : ndarray, shape (mice,)
        Factor by which effects of noise grow then.
    preferred : ndarray, shape (units,)
        Label with the largest mean response; for spearman, "increasing" or "decreasing".
    observations : ndarray, shape (observations, units), optional
        What η² compares, centred; None for spearman.
    labels : ndarray, shape (observations,), optional
        Their labels; None for spearman.
    """

    index: str
    replicate: str
    n: int
    effect: Float[np.ndarray, " units"]
    null: Float[np.ndarray, "draws units"]
    p_min: float
    without: Float[np.ndarray, "mice units"]
    noise_without: Float[np.ndarray, " mice"]
    preferred: np.ndarray
    observations: Float[np.ndarray, "observations units"] | None = None
    labels: np.ndarray | None = None

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The result of all units, from those of some each, under the same draws.

        Without what η² compares.
        """
        return replace(
            parts[0],
            effect=np.concatenate([part.effect for part in parts]),
            null=np.concatenate([part.null for part in parts], axis=1),
            without=np.concatenate([part.without for part in parts], axis=1),
            preferred=np.concatenate([part.preferred for part in parts]),
            observations=None,
            labels=None,
        )

    @property
    def p(self) -> Float[np.ndarray, " units"]:
        """p value of every unit, NaN where its effect is."""
        return nulls.p_values(self.effect, self.null)

    @property
    def explained(self) -> Float[np.ndarray, " units"]:
        """Share of a unit's variance that goes with the variable, less what chance gives.

        η², or the square of the rank correlation, minus its mean under the null: the scale on
        which variables of any kind compare.
        """
        if self.index == "spearman":
            return self.effect**2 - np.mean(self.null**2, axis=0)
        return self.effect - self.null.mean(axis=0)

    @property
    def explained_without(self) -> Float[np.ndarray, "mice units"]:
        """`explained` with each mouse left out."""
        growth = self.noise_without[:, None]
        if self.index == "spearman":
            return self.without**2 - growth**2 * np.mean(self.null**2, axis=0)
        return self.without - growth * self.null.mean(axis=0)

    @property
    def p_together(self) -> float:
        """p value of all units together: whether any of them tells something."""
        return nulls.p_together(self.effect, self.null)

    def significant(self, q: float, min_effect: float) -> Bool[np.ndarray, " units"]:
        """Which units are significant at false discovery rate `q` and at least `min_effect`."""
        return (nulls.q_values(self.p) <= q) & (self.effect >= min_effect)

    def fractions_without(self, q: float, min_effect: float) -> Float[np.ndarray, " mice"]:
        """Share of the units that are significant with each mouse left out.

        A unit counts if its effect without the mouse exceeds what makes it significant in all
        mice, times the factor by which effects of noise grow.
        """
        needed = nulls.critical_effects(self.null, self.p, q) * self.noise_without[:, None]
        return ((self.without > needed) & (self.without >= min_effect)).mean(axis=1)


def over_units(values: Float[np.ndarray, "rows units"]) -> Float[np.ndarray, " rows"]:
    """Mean over the units that are not NaN, NaN where all are.

    Examples
    --------
    >>> over_units(np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])).tolist()
    [2.0, nan]
    """
    known = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known, values, 0.0).sum(axis=1) / known.sum(axis=1)

"""What a test of selectivity works on, and what it finds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glasscortex.analysis import nulls


@dataclass(frozen=True)
class Presentations:
    """Responses of units to presentations of one split.

    Attributes
    ----------
    trials : rows of the table of trials, with the column `mouse`; index 0 … n − 1
    responses : (presentations, units) float32
    """

    trials: pd.DataFrame
    responses: np.ndarray

    def where(self, mask: np.ndarray) -> "Presentations":
        """Only the presentations where `mask` is true."""
        mask = np.asarray(mask)
        return Presentations(self.trials[mask].reset_index(drop=True), self.responses[mask])

    def of_units(self, units: np.ndarray) -> "Presentations":
        """Only some units."""
        return Presentations(self.trials, self.responses[:, units])

    def numbered(self, *columns: str) -> np.ndarray:
        """Number of each presentation's group (presentations,), groups by `columns`."""
        return self.trials.groupby(list(columns), sort=False).ngroup().to_numpy()

    def active(self) -> np.ndarray:
        """On how many presentations each unit is active (units,)."""
        return (self.responses > 0).sum(axis=0)


@dataclass(frozen=True)
class Measured:
    """The effect of one variable on every unit in one split, and what chance would give.

    Attributes
    ----------
    index : name of the statistic, eta2 or spearman (its absolute value)
    replicate : what the null permutes: presentation, session or mouse
    n : number of replicates
    effect : (units,), not negative; NaN for a unit that does not vary
    null : (draws, units)
    p_min : smallest p that any unit could reach
    without : (mice, units) effect with each mouse left out
    noise_without : (mice,) factor by which effects of noise grow then
    preferred : (units,) label with the largest mean response; for spearman, "increasing" or
        "decreasing"
    observations : (observations, units) what η² compares, centred; None for spearman
    labels : (observations,) their labels; None for spearman
    """

    index: str
    replicate: str
    n: int
    effect: np.ndarray
    null: np.ndarray
    p_min: float
    without: np.ndarray
    noise_without: np.ndarray
    preferred: np.ndarray
    observations: np.ndarray | None = None
    labels: np.ndarray | None = None

    @property
    def p(self) -> np.ndarray:
        return nulls.p_values(self.effect, self.null)

    @property
    def explained(self) -> np.ndarray:
        """Share of a unit's variance that goes with the variable, less what chance gives (units,).

        η², or the square of the rank correlation, minus its mean under the null: the scale on
        which variables of any kind compare.
        """
        if self.index == "spearman":
            return self.effect**2 - np.mean(self.null**2, axis=0)
        return self.effect - self.null.mean(axis=0)

    def significant(self, q: float, min_effect: float) -> np.ndarray:
        """Which units are significant and at least `min_effect` (units,) bool."""
        return (nulls.q_values(self.p) <= q) & (self.effect >= min_effect)

    def fractions_without(self, q: float, min_effect: float) -> np.ndarray:
        """Share of the units that are significant with each mouse left out (mice,).

        A unit counts if its effect without the mouse exceeds what makes it significant in all
        mice, times the factor by which effects of noise grow.
        """
        needed = nulls.critical_effects(self.null, self.p, q) * self.noise_without[:, None]
        return ((self.without > needed) & (self.without >= min_effect)).mean(axis=1)

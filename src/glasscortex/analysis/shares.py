"""Which share of a dictionary's units is selective, and how far that is known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest, norm


@dataclass(frozen=True)
class Share:
    """A share of living units, with its 95 % interval.

    Attributes
    ----------
    count, living : int
        Units that count, of all.
    low, high : float
        Ends of the interval; beyond 0 and 1 where it is one of plus or minus.
    consensus : int, optional
        Where only consensus units count, how many of the living units are such.
    """

    count: int
    living: int
    low: float = 0.0
    high: float = 0.0
    consensus: int | None = None

    @property
    def value(self) -> float:
        """The share; 0 of no units."""
        return self.count / self.living if self.living else 0.0

    @property
    def among(self) -> str:
        """How many count, and of how many that may where these are not all."""
        if self.consensus is None:
            return f"{self.count}"
        return f"{self.count} of {self.consensus} consensus units"

    @property
    def of_living(self) -> str:
        """How many count of the living, and how many of these may."""
        note = "" if self.consensus is None else f" ({self.consensus} in consensus)"
        return f"{self.count} of {self.living}{note}"

    @property
    def basis(self) -> str:
        """What the interval rests on, in words."""
        if self.consensus is None:
            return "jackknife over mice"
        return "binomial, units taken as independent"

    def minus(self, other: "Share") -> tuple[float, float, float]:
        """Difference of two shares and the ends of its 95 % interval.

        References
        ----------
        Zou & Donner 2008, Stat Med 27:1693 (from the two intervals, whatever their kind).
        """
        difference = self.value - other.value
        return (
            difference,
            difference - np.hypot(self.value - self.low, other.high - other.value),
            difference + np.hypot(self.high - self.value, other.value - other.low),
        )

    def can_exceed(self, other: "Share") -> bool:
        """Whether the difference could be above 0, if all units did count that may, and none there.

        Examples
        --------
        >>> few, many, none = (_binomial(0, 200, consensus) for consensus in (3, 30, 0))
        >>> few.can_exceed(none), many.can_exceed(none)
        (False, True)
        """
        if self.consensus is None:
            return True
        most, least = _binomial(self.consensus, self.living), _binomial(0, other.living)
        return bool(most.minus(least)[1] > 0)


def share_of(rows: pd.DataFrame) -> Share:
    """Share of selective units among the living ones of a dictionary.

    Parameters
    ----------
    rows : pandas.DataFrame
        Those of one dictionary and variable in the table of selectivity. With a column `consensus`
        a unit counts only if that is true, too.
    """
    if rows.empty:
        return _binomial(0, 0) if "consensus" in rows else Share(0, 0)
    significant = rows["significant"].astype(bool)
    if "consensus" in rows:
        count = int((significant & rows["consensus"]).sum())
        return _binomial(count, len(rows), int(rows["consensus"].sum()))
    count, reach = int(significant.sum()), norm.ppf(0.975) * rows["fraction_error"].iloc[0]
    return Share(count, len(rows), count / len(rows) - reach, count / len(rows) + reach)


def _binomial(count: int, living: int, consensus: int = 0) -> Share:
    if not living:
        return Share(0, 0, consensus=consensus)
    interval = binomtest(count, living).proportion_ci(0.95)
    return Share(count, living, interval.low, interval.high, consensus)

"""Which share of a dictionary's units is selective, and how far that is known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from glasscortex.intervals import student_reach


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
    def basis(self) -> str:
        """What the interval rests on, in words."""
        if self.consensus is None:
            return "jackknife over mice"
        return "binomial, units taken as independent"


def difference(own: pd.DataFrame, other: pd.DataFrame) -> tuple[float, float, float]:
    """How much more a variable explains of the mean living unit, with its 95 % interval over mice.

    Parameters
    ----------
    own, other : pandas.DataFrame
        Rows of one dictionary and variable each in the table of selectivity.

    Returns
    -------
    tuple of float
        Difference, low and high end. Errors of the two add as if they were independent, though
        the mice are the same, so that the interval is rather too wide. NaN without a living unit.

    References
    ----------
    Satterthwaite 1946, Biometrics Bulletin 2:110 (the degrees of freedom).
    """
    if own.empty or other.empty:
        return np.nan, np.nan, np.nan
    one, two = own.iloc[0], other.iloc[0]
    estimate = one["explained_mean"] - two["explained_mean"]
    variances = np.array([one["explained_error"], two["explained_error"]]) ** 2
    freedom = np.array([one["n_mice"], two["n_mice"]]) - 1
    total = variances.sum()
    if total == 0:
        return estimate, estimate, estimate
    if not freedom.all():
        return estimate, np.nan, np.nan
    clusters = total**2 / (variances**2 / freedom).sum() + 1
    reach = student_reach(clusters) * np.sqrt(total)
    return estimate, estimate - reach, estimate + reach


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
    count = int(significant.sum())
    reach = student_reach(rows["n_mice"].iloc[0]) * rows["fraction_error"].iloc[0]
    return Share(count, len(rows), count / len(rows) - reach, count / len(rows) + reach)


def _binomial(count: int, living: int, consensus: int = 0) -> Share:
    if not living:
        return Share(0, 0, consensus=consensus)
    interval = binomtest(count, living).proportion_ci(0.95)
    return Share(count, living, interval.low, interval.high, consensus)

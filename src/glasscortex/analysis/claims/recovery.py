"""What is claimed of the simulation's factors."""

from collections.abc import Iterator

import pandas as pd
from scipy.stats import binomtest

from glasscortex.analysis.claims.claim import Claim, above

BY_CHANCE = 0.05
"""Share of factors whose best unit scores above the 95 % quantile of its null by chance."""


def of_recovery(table: pd.DataFrame) -> Iterator[Claim]:
    """That units follow what the recordings were simulated from.

    Parameters
    ----------
    table : pandas.DataFrame
        The table recovery.
    """
    for (seed, name), rows in table[table["model"] == "trained"].groupby(["seed", "sae"]):
        found = int((rows["score"] > rows["null"]).sum())
        interval = binomtest(found, len(rows), BY_CHANCE).proportion_ci(0.95)
        yield Claim(
            "units follow the factors that the recordings were simulated from",
            found / len(rows),
            interval.low,
            interval.high,
            BY_CHANCE,
            "share of factors whose unit scores above the 95 % quantile of its null; median score "
            f"{rows['score'].median():.3g}, of the null {rows['null'].median():.3g}",
            len(rows),
            "factors",
            "binomial, factors taken as independent",
            "presentations permuted",
            *above(interval.low, interval.high, BY_CHANCE, len(rows), "factors"),
            seed,
            name,
        )

"""What is claimed of the removal of units."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from glasscortex.analysis.claims.claim import Claim, above

LEVEL = 0.05
"""Largest rank p among matched sets with which a removal costs more than they do."""


def of_ablation(table: pd.DataFrame) -> Iterator[Claim]:
    """That a variable's units cost its task more than other units do, and more than other tasks.

    Parameters
    ----------
    table : pandas.DataFrame
        The table ablation.
    """
    rows = table[(table["model"] == "trained") & (table["task"] == table["variable"])]
    for row in rows[rows["chosen"].astype(bool)].itertuples():
        removed = f"{row.n_units} units removed cost {row.delta:.3g} of {row.intact:.3g}"
        verdict, reason = above(row.excess_low, row.excess_high, 0.0, row.n_sessions, "sessions")
        reason += f"; p {row.p:.2g} among {row.n_matched} matched sets"
        yield Claim(
            f"ablating {row.variable} units costs {row.variable} more than matched random units",
            row.excess,
            row.excess_low,
            row.excess_high,
            0.0,
            f"{removed}; {row.overlap:.0%} of the units are an unrelated variable's, too",
            row.n_sessions,
            "sessions",
            "interval over mice and matched sets; rank among these",
            "matched random units",
            "fails" if verdict == "holds" and row.p > LEVEL else verdict,
            reason,
            row.seed,
            row.sae,
        )
        if np.isfinite(row.specificity):
            yield Claim(
                f"ablating {row.variable} units costs {row.variable} more than the other tasks",
                row.specificity,
                row.specificity_low,
                row.specificity_high,
                0.0,
                removed,
                row.n_sessions,
                "sessions",
                "interval over mice",
                "the mean of the other classification tasks",
                *above(row.specificity_low, row.specificity_high, 0.0, row.n_sessions, "sessions"),
                row.seed,
                row.sae,
            )

"""One claim, and what the numbers make of it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from glasscortex.intervals import FEWEST

Verdict = Literal["holds", "fails", "not testable"]

OVER_MICE = "Student's t over mice"

CONTROLS = ("untrained", "shuffled")


@dataclass(frozen=True)
class Claim:
    """One row of the table.

    Attributes
    ----------
    claim : str
        In words.
    estimate, ci_low, ci_high : float
        NaN where there is nothing to estimate or no interval.
    threshold : float
        What the interval is held against.
    measure : str
        What the estimate is.
    n : int
        How many the interval is over.
    of : str
        What these are: mice, sessions, units or factors.
    method : str
        How the interval, or the p value, came about.
    rival : str
        What it is held against; "" if it is a number alone.
    verdict : str
        Whether the claim holds.
    reason : str
        For the verdict.
    seed, sae : int, str
        Of the decoder and its SAE; "" where it isn't about one.
    """

    claim: str
    estimate: float
    ci_low: float
    ci_high: float
    threshold: float
    measure: str
    n: int
    of: str
    method: str
    rival: str
    verdict: Verdict
    reason: str
    seed: int | str = ""
    sae: str = ""


def too_few(n: int, of: str = "mice") -> str:
    """Why a claim can't rest on `n` mice (sessions), or "" if it can.

    Examples
    --------
    >>> too_few(3), too_few(40)
    ('3 mice: at least 4 are needed', '')
    """
    return f"{n} {of}: at least {FEWEST} are needed" if n < FEWEST else ""


def above(
    low: float, high: float, threshold: float, n: int, of: str = "mice"
) -> tuple[Verdict, str]:
    """Whether an interval shows that something lies above a threshold, and why.

    Examples
    --------
    >>> above(0.1, 0.3, 0.0, 40)
    ('holds', 'the interval lies above 0')
    >>> above(-0.1, 0.3, 0.0, 40)
    ('fails', 'the interval reaches down to 0')
    """
    if few := too_few(n, of):
        return "not testable", few
    if not np.isfinite(low):
        return "not testable", "there is no interval"
    if low > threshold:
        return "holds", f"the interval lies above {threshold:g}"
    if high < threshold:
        return "fails", f"the interval lies below {threshold:g}"
    return "fails", f"the interval reaches down to {threshold:g}"


def named(tasks: list[str]) -> str:
    """Tasks in a sentence."""
    return ", ".join(tasks)

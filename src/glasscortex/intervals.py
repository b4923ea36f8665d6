"""Intervals of means over sessions or mice, by Student's t."""

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import t

FEWEST = 4
"""Fewest sessions or mice on which a claim can rest; docs/calibration.md has the measured rates."""


def mean_interval(
    values: Float[np.ndarray, "observations *columns"],
    clusters: Int[np.ndarray, " observations"] | None = None,
    coverage: float = 0.95,
) -> tuple[Float[np.ndarray, " *columns"], Float[np.ndarray, " *columns"]]:
    """Student's interval of a mean over observations that come in clusters.

    The error is the jackknife's, a cluster left out in turn; the degrees of freedom are the
    effective number of clusters, (Σ n)² / Σ n² for clusters of n observations, less one. Without
    clusters, or with clusters of one size, this is the common interval of a mean.

    Parameters
    ----------
    values : ndarray, shape (observations, ...)
        Of sessions, say; NaN where nothing was measured.
    clusters : ndarray of int, shape (observations,), optional
        From 0: the mouse of each session. By default every observation is one.
    coverage : float
        Of the interval.

    Returns
    -------
    tuple of ndarray, shape (...)
        Low and high end; NaN with fewer than two clusters: one mouse tells nothing about others.

    References
    ----------
    Bell & McCaffrey 2002, Survey Methodology 28:169 (few clusters); Efron & Stein 1981, Ann Stat
    9:586.

    Examples
    --------
    >>> low, high = mean_interval(np.array([1.0, 2.0, 3.0]))
    >>> round(float(low), 2), round(float(high), 2)
    (-0.48, 4.48)
    """
    clusters = np.arange(len(values)) if clusters is None else clusters
    own = (clusters == np.arange(clusters.max(initial=0) + 1)[:, None]).astype(np.float64)
    known = np.isfinite(values)
    counts = np.tensordot(own, known.astype(np.float64), axes=1)
    sums = np.tensordot(own, np.where(known, values, 0.0), axes=1)
    total = counts.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums.sum(axis=0) / total
        left_out = (sums.sum(axis=0) - sums) / (total - counts)
        effective = total**2 / (counts**2).sum(axis=0)
        error = jackknife_error(np.where(counts > 0, left_out, np.nan))
        reach = t.ppf((1 + coverage) / 2, effective - 1) * error
    return mean - reach, mean + reach


def jackknife_error(left_out: Float[np.ndarray, "clusters *columns"]) -> np.ndarray:
    """Standard error of a statistic from its values with each cluster left out in turn.

    Parameters
    ----------
    left_out : ndarray, shape (clusters, ...)
        NaN where a cluster has nothing to leave out.

    Returns
    -------
    ndarray, shape (...)
        NaN with fewer than two clusters.

    References
    ----------
    Efron & Stein 1981, Ann Stat 9:586.

    Examples
    --------
    >>> values = np.array([1.0, 2.0, 6.0])
    >>> means = (values.sum() - values) / 2
    >>> bool(np.isclose(jackknife_error(means), values.std(ddof=1) / np.sqrt(3)))
    True
    """
    known = np.isfinite(left_out)
    n = known.sum(axis=0)
    filled = np.where(known, left_out, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        deviations = np.where(known, filled - filled.sum(axis=0) / n, 0.0)
        error = np.sqrt((n - 1) / n * (deviations**2).sum(axis=0))
    return np.where(n < 2, np.nan, error)


def student_reach(clusters: float, coverage: float = 0.95) -> float:
    """How many standard errors an interval over so many clusters reaches to either side.

    Parameters
    ----------
    clusters : float
        Their (effective) number.
    coverage : float

    Returns
    -------
    float
        NaN with fewer than two clusters.

    Examples
    --------
    >>> round(student_reach(4), 2), round(student_reach(1000), 2)
    (3.18, 1.96)
    """
    return float(t.ppf((1 + coverage) / 2, clusters - 1)) if clusters > 1 else np.nan

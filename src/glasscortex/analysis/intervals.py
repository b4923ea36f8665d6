"""Uncertainty over mice."""

import numpy as np


def resampled_means(
    values: np.ndarray, clusters: np.ndarray, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Means of values (sessions) when their clusters (mice) are drawn with replacement.

    Parameters
    ----------
    values : ndarray, shape (observations, ...)
        NaN where nothing was measured.
    clusters : ndarray of int, shape (observations,)
        From 0.
    draws : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (draws, ...)
        NaN where a draw holds nothing that was measured. One draw of clusters serves all columns.
    """
    n_clusters = clusters.max() + 1
    weights = rng.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), size=draws)
    weights = weights[:, clusters].astype(np.float64)
    known = np.isfinite(values)
    sums = np.tensordot(weights, np.where(known, values, 0), axes=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums / np.tensordot(weights, known.astype(np.float64), axes=1)


def bootstrap_interval(
    values: np.ndarray,
    clusters: np.ndarray,
    draws: int,
    rng: np.random.Generator,
    coverage: float = 0.95,
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval of the mean over observations, clusters drawn with replacement.

    NaN with fewer than two clusters: one mouse tells nothing about others.

    Parameters
    ----------
    values : ndarray, shape (observations, ...)
        NaN where nothing was measured.
    clusters : ndarray of int, shape (observations,)
        From 0.
    draws : int
    rng : numpy.random.Generator
    coverage : float

    Returns
    -------
    tuple of ndarray, shape (...)
        Low and high end.
    """
    if clusters.max(initial=0) == 0:
        nothing = np.full(values.shape[1:], np.nan)
        return nothing, nothing
    tails = [(1 - coverage) / 2, (1 + coverage) / 2]
    low, high = np.nanquantile(resampled_means(values, clusters, draws, rng), tails, axis=0)
    return low, high


def jackknife_error(left_out: np.ndarray) -> np.ndarray:
    """Standard error of a statistic from its values with each cluster left out in turn.

    Parameters
    ----------
    left_out : ndarray, shape (clusters, ...)

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
    n = len(left_out)
    if n < 2:
        return np.full(left_out.shape[1:], np.nan)
    return np.sqrt((n - 1) / n * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))

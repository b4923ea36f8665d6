"""Uncertainty over mice, or over sessions."""

import numpy as np
from scipy.stats import t


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


def stratified_mean(values: np.ndarray, coverage: float = 0.95) -> tuple[float, float, float]:
    """Mean of the columns' means, and its interval by Student's t.

    Sessions that have the same columns are a stratum: what varies is which sessions of a stratum
    were recorded, not how many. With one column this is the common interval of a mean; else the
    degrees of freedom are Satterthwaite's. Four sessions have too few resamples for a bootstrap.

    Parameters
    ----------
    values : ndarray, shape (sessions, columns)
        NaN where nothing was measured.
    coverage : float

    Returns
    -------
    tuple of float
        Mean, low and high end; the ends are NaN if a stratum has one session only.

    References
    ----------
    Satterthwaite 1946, Biometrics Bulletin 2:110.

    Examples
    --------
    >>> mean, low, high = stratified_mean(np.array([[1.0], [2.0], [3.0]]))
    >>> round(mean, 2), round(low, 2), round(high, 2)
    (2.0, -0.48, 4.48)
    """
    known = np.isfinite(values)
    own = np.nansum(values / (known.sum(axis=0) * values.shape[1]), axis=1)
    mean = own.sum()
    _, strata = np.unique(known, axis=0, return_inverse=True)
    counts = np.bincount(strata)
    if counts.min() < 2:
        return mean, np.nan, np.nan
    deviations = own - (np.bincount(strata, own) / counts)[strata]
    variances = np.bincount(strata, deviations**2) * counts / (counts - 1)
    total = variances.sum()
    if total == 0:
        return mean, mean, mean
    freedom = total**2 / (variances**2 / (counts - 1)).sum()
    reach = t.ppf((1 + coverage) / 2, freedom) * np.sqrt(total)
    return float(mean), float(mean - reach), float(mean + reach)

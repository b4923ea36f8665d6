"""Uncertainty of means over sessions of several kinds."""

import numpy as np
from scipy.stats import t


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

"""How strongly units respond to a label: effect sizes, vectorised over units.

Responses are (observations, units); every function returns one number a unit.
"""

import numpy as np
from scipy import sparse
from scipy.stats import rankdata
from sklearn.metrics.cluster import expected_mutual_information

TIED = 1e-9
"""Share of a unit's mean square below which the variance of a class is none."""

LEVELS = 4
"""Levels that `mutual_information` cuts a response into: silent, and thirds of the rest."""


def membership(groups: np.ndarray, number: int | None = None) -> sparse.csr_array:
    """Indicator matrix (groups, observations): its product with responses sums every group.

    Parameters
    ----------
    groups : ndarray of int, shape (observations,)
        From 0.
    number : int, optional
        Of groups; default the largest + 1.

    Examples
    --------
    >>> (membership(np.array([0, 1, 0])) @ np.array([1.0, 5.0, 2.0])).tolist()
    [3.0, 5.0]
    """
    number = int(groups.max(initial=-1)) + 1 if number is None else number
    columns = np.argsort(groups, kind="stable")
    starts = np.append(0, np.cumsum(np.bincount(groups, minlength=number)))
    ones = np.ones(len(groups), np.float32)
    return sparse.csr_array((ones, columns, starts), shape=(number, len(groups)))


def rows_of_groups(groups: np.ndarray) -> list[np.ndarray]:
    """The rows of each group, ascending: all groups in the time of one sort.

    Parameters
    ----------
    groups : ndarray of int, shape (observations,)
        From 0.

    Examples
    --------
    >>> [rows.tolist() for rows in rows_of_groups(np.array([1, 0, 1]))]
    [[1], [0, 2]]
    """
    ends = np.cumsum(np.bincount(groups))
    return np.split(np.argsort(groups, kind="stable"), ends[:-1])


def group_means(responses: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Mean response of each group (groups, units); NaN in an empty group."""
    counts = np.bincount(groups)
    with np.errstate(invalid="ignore"):
        return (membership(groups) @ responses) / counts[:, None].astype(responses.dtype)


def centred(responses: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Responses minus the mean of their group (observations, units)."""
    return responses - group_means(responses, groups)[groups]


def eta_squared(responses: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Share of a response's variance that classes explain, η² = SS_class / SS_total.

    Parameters
    ----------
    responses : ndarray, shape (observations, units)
        Centred: within sessions and blocks, say.
    classes : ndarray of int, shape (observations,)
        From 0, none empty.

    Returns
    -------
    ndarray, shape (units,)
        NaN for a unit that does not vary.

    Examples
    --------
    >>> responses = np.array([[-1.0, 1.0], [-1.0, -1.0], [1.0, 1.0], [1.0, -1.0]])
    >>> eta_squared(responses, np.array([0, 0, 1, 1])).tolist()
    [1.0, 0.0]
    """
    sums = membership(classes) @ responses
    return share(sums, np.bincount(classes), np.einsum("nu,nu->u", responses, responses))


def welch_eta_squared(responses: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """η² by Welch's statistic F, (K − 1) F / ((K − 1) F + n − K) for K classes of n observations.

    A class weighs by its own variance, so that a small class that varies much, such as mice of few
    sessions, is no effect. Classes of one observation do not count.

    Parameters
    ----------
    responses : ndarray, shape (observations, units)
    classes : ndarray of int, shape (observations,)
        From 0, none empty.

    Returns
    -------
    ndarray, shape (units,)
        NaN for a unit that does not vary, or with fewer than two classes that count.

    References
    ----------
    Welch 1951, Biometrika 38:330; Janssen & Pauls 2005, Comput Stat 20:369 (its permutation test).
    """
    counts = np.bincount(classes)
    kept = counts > 1
    n, number = counts[kept].sum(), kept.sum()
    if number < 2:
        return np.full(responses.shape[1], np.nan)
    members, counts = membership(classes)[kept], counts[kept, None]
    mean = members @ responses / counts
    squares = members @ responses**2
    variance = (squares - counts * mean**2) / (counts - 1)
    # What only rounding tells from no variance counts as very little of it.
    smallest = TIED * squares.sum(axis=0) / n
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = counts / np.maximum(variance, smallest)
        share = weight / weight.sum(axis=0)
        between = (weight * (mean - (share * mean).sum(axis=0)) ** 2).sum(axis=0)
        uncertain = ((1 - share) ** 2 / (counts - 1)).sum(axis=0)
        statistic = between / (1 + 2 * (number - 2) / (number**2 - 1) * uncertain)
        return statistic / (statistic + n - number)


def share(sums: np.ndarray, counts: np.ndarray, total: np.ndarray) -> np.ndarray:
    """η² from sums of centred responses (..., classes, units), class sizes (classes,) and the
    total sum of squares (..., units).
    """
    between = (sums**2 / counts[:, None].astype(sums.dtype)).sum(axis=-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return between / total


def eta_squared_without(
    responses: np.ndarray, classes: np.ndarray, clusters: np.ndarray
) -> np.ndarray:
    """η² with each cluster (mouse) left out in turn (clusters, units).

    Parameters
    ----------
    responses : ndarray, shape (observations, units)
        Centred within parts of a cluster, so that leaving one out changes nothing in the others.
    classes : ndarray of int, shape (observations,)
        From 0, none empty.
    clusters : ndarray of int, shape (observations,)
        From 0.
    """
    n_clusters, n_classes = clusters.max() + 1, classes.max() + 1
    cells = clusters * n_classes + classes
    sums = membership(cells, n_clusters * n_classes) @ responses
    sums = sums.reshape(n_clusters, n_classes, -1)
    squares = membership(clusters) @ responses**2
    counts = np.bincount(cells, minlength=n_clusters * n_classes).reshape(n_clusters, n_classes)
    all_sums, all_counts, all_squares = sums.sum(0), counts.sum(0), squares.sum(0)
    left = [
        share((all_sums - sums[m])[kept], (all_counts - counts[m])[kept], all_squares - squares[m])
        for m in range(n_clusters)
        for kept in [all_counts > counts[m]]
    ]
    return np.stack(left)


def standardised_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks along the first axis (ties share their mean), to mean 0 and length 1.

    The product of two such columns is Spearman's correlation. A constant column becomes 0.
    """
    return standardised(rankdata(values, axis=0))


def standardised(values: np.ndarray) -> np.ndarray:
    """Columns to mean 0 and length 1; a constant column becomes 0."""
    values = values - values.mean(axis=0)
    length = np.sqrt((values**2).sum(axis=0))
    return np.divide(values, length, out=np.zeros_like(values), where=length > 1e-9)


def auroc(responses: np.ndarray, preferred: np.ndarray) -> np.ndarray:
    """Probability that a response to a unit's preferred class exceeds one to another class.

    Parameters
    ----------
    responses : ndarray, shape (observations, units)
    preferred : ndarray of bool, shape (observations, units)
        Each unit's own.

    Returns
    -------
    ndarray, shape (units,)
        Area under the ROC curve, ties counted half; NaN without either kind.

    Examples
    --------
    >>> auroc(np.array([[3.0], [2.0], [1.0]]), np.array([[True], [False], [False]])).tolist()
    [1.0]
    """
    positive = preferred.sum(axis=0)
    negative = len(responses) - positive
    ranks = [rankdata(unit) @ own for unit, own in zip(responses.T, preferred.T, strict=True)]
    above = np.array(ranks) - positive * (positive + 1) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return above / (positive * negative)


def circular_selectivity(means: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Vector selectivity `|Σ r e^{iθ}| / Σ r`, which is 1 − circular variance.

    The orientation index (OSI) for angles of orientation, the direction index (DSI) for those
    of direction.

    Parameters
    ----------
    means : ndarray, shape (classes, units)
        Mean response to each class, not negative.
    angles : ndarray, shape (classes,)
        Radians, 2 π being the period of the variable.

    Returns
    -------
    ndarray, shape (units,)
        From 0 to 1; NaN for a silent unit.

    References
    ----------
    Ringach et al. 2002, J Neurosci 22:5639; Mazurek et al. 2014, Front Neural Circuits 8:92.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.abs(np.exp(1j * angles) @ means) / means.sum(axis=0)


def mutual_information(responses: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Information in bits between a unit's response and the class, corrected for its bias.

    The response is cut into `LEVELS` levels: silent, and thirds of what is not zero. What the
    same counts give on average when classes are assigned at random (the exact hypergeometric
    mean) is taken off, so that noise has 0 on average however few
    the observations.

    Parameters
    ----------
    responses : ndarray, shape (observations, units)
        Not negative.
    classes : ndarray of int, shape (observations,)
        From 0.

    Returns
    -------
    ndarray, shape (units,)
        Bits; below 0 by chance.

    References
    ----------
    Vinh et al. 2010, JMLR 11:2837.
    """
    levels = np.zeros(responses.shape, np.int8)
    active = np.where(responses != 0, responses, np.nan)
    silent = np.isnan(active).all(axis=0)
    active[:, silent] = 1
    for cut in np.nanquantile(active, np.linspace(0, 1, LEVELS)[:-1], axis=0):
        levels += responses >= np.where(silent, np.inf, cut)
    sums = membership(classes)
    tables = np.stack([sums @ (levels == level).astype(np.float32) for level in range(LEVELS)])
    return np.array([_information(table) for table in np.moveaxis(tables, -1, 0)])


def _information(table: np.ndarray) -> float:
    """Plug-in information of a contingency table minus its mean under independence, in bits."""
    table = table[table.any(axis=1)][:, table.any(axis=0)].astype(np.float64)
    n = table.sum()
    independent = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    some = table > 0
    plug_in = (table[some] * np.log(table[some] / independent[some])).sum() / n
    return (plug_in - expected_mutual_information(table.astype(np.int64), int(n))) / np.log(2)

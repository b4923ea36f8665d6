"""Which label a mouse has, told from the mice that it is like."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64

from glasscortex.analysis import effects


def similarity(
    parts: Sequence[Float64[np.ndarray, "replicates columns"]],
) -> Float64[np.ndarray, "replicates replicates"] | None:
    """How alike mice are in whitened traits, kinds of traits alike in weight.

    With K = Z Zᵀ of standardised traits Z, scaled to a mean diagonal of 1, this is (K + I)⁻¹ K:
    products of traits whitened by their covariance over mice, of which half is replaced by its mean
    variance. It knows no labels.

    Parameters
    ----------
    parts : sequence of ndarray, shape (replicates, columns)
        Standardised over replicates, one kind each.

    Returns
    -------
    ndarray or None
        None if nothing varies.

    References
    ----------
    Friedman 1989, J Am Stat Assoc 84:165 (a regularised discriminant).
    """
    products = [part @ part.T for part in parts]
    scaled = [k * len(k) / np.trace(k) for k in products if np.trace(k) > 1e-9]
    if not scaled:
        return None
    kernel = np.mean(scaled, axis=0)
    return np.linalg.solve(kernel + np.eye(len(kernel)), kernel)


def distances(
    alike: Float64[np.ndarray, "draws n n"],
    mice: Int64[np.ndarray, " n"],
    codes: Int64[np.ndarray, " n"],
) -> Float64[np.ndarray, "draws n labels"]:
    """Squared distance from the mean of the other mice of each label, unbiased.

    Products of a mouse with itself never count, so that few mice of a label are no farther.

    Parameters
    ----------
    alike : ndarray, shape (draws, n, n)
        What `similarity` returns, or that of exchanged mice.
    mice : ndarray of int, shape (n,)
        The mouse of each replicate, from 0.
    codes : ndarray of int, shape (n,)
        Labels, from 0; at least three mice of each.

    Returns
    -------
    ndarray, shape (draws, n, labels)
        Less the squared length of the mouse itself, so that it may be negative.
    """
    apart = mice[:, None] != mice
    member = (codes[:, None] == np.arange(codes.max() + 1)).astype(np.float64)
    toward, count = (alike * apart) @ member, apart @ member

    def pairs(products: np.ndarray) -> np.ndarray:
        """Sums over pairs of mice of a label, neither of them the replicate's own."""
        own = member * products
        return own.sum(axis=-2, keepdims=True) - 2 * (~apart @ own)

    return pairs(toward) / pairs(count) - 2 * toward / count


def margin(
    distances: Float64[np.ndarray, "draws n labels"], codes: Int64[np.ndarray, " n"]
) -> Float64[np.ndarray, " draws"]:
    """How much nearer mice are to their own label than to the nearest other, mean over labels.

    Parameters
    ----------
    distances : ndarray, shape (draws, n, labels)
    codes : ndarray of int, shape (n,)
    """
    rows = np.arange(len(codes))
    others = distances.copy()
    others[:, rows, codes] = np.inf
    number = np.bincount(codes)
    return (others.min(axis=-1) - distances[:, rows, codes]) @ (1 / number[codes]) / len(number)


def predicted(
    alike: Float64[np.ndarray, "draws n n"],
    mice: Int64[np.ndarray, " n"],
    ranks: Float64[np.ndarray, " n"],
) -> Float64[np.ndarray, "draws n"]:
    """How large a label is to be expected: that of mice alike, about the mean of the other mice.

    Parameters
    ----------
    alike, mice : ndarray
        As of `nearest`.
    ranks : ndarray, shape (n,)
        Labels as numbers.

    Returns
    -------
    ndarray, shape (draws, n)
        On no particular scale.
    """
    apart = mice[:, None] != mice
    weight = alike * apart
    return weight @ ranks - weight.sum(axis=-1) * (apart @ ranks) / apart.sum(axis=1)


def ranked(
    codes: Int64[np.ndarray, " n"], blocks: Int64[np.ndarray, " n"]
) -> Float64[np.ndarray, " n"]:
    """Labels as numbers, about the mean of their block."""
    return effects.centred(codes[:, None].astype(np.float64), blocks)[:, 0]


def score(
    said: Float64[np.ndarray, "draws n"] | Int64[np.ndarray, "draws n"],
    codes: Int64[np.ndarray, " n"],
    blocks: Int64[np.ndarray, " n"],
    ordered: bool,
) -> Float64[np.ndarray, " draws"]:
    """How well labels are told.

    Parameters
    ----------
    said : ndarray, shape (draws, n)
        Labels as numbers; ordered: what is predicted.
    codes : ndarray of int, shape (n,)
        The labels.
    blocks : ndarray of int, shape (n,)
        Within which ordered labels are compared.
    ordered : bool

    Returns
    -------
    ndarray, shape (draws,)
        Share recognised, mean over labels; ordered: rank correlation.
    """
    if not ordered:
        labels, number = np.unique(codes, return_counts=True)
        share = 1 / number[np.searchsorted(labels, codes)]
        return (said == codes) @ share / len(labels)
    return effects.standardised_ranks(ranked(codes, blocks)) @ effects.standardised_ranks(said.T)

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
    varying = [part for part in parts if np.square(part).sum() > 1e-9]
    if not varying:
        return None
    n = len(varying[0])
    kernel = np.zeros((n, n))
    for part in varying:
        product = part @ part.T
        kernel += product * (n / np.trace(product) / len(varying))
    return np.linalg.solve(kernel + np.eye(n), kernel)


def exchanged(
    alike: Float64[np.ndarray, "n n"],
    orders: Int64[np.ndarray, "draws n"],
    basis: Float64[np.ndarray, "n covariates"],
    mice: Int64[np.ndarray, " n"],
    columns: Float64[np.ndarray, "n m"],
) -> Float64[np.ndarray, "draws n m"]:
    """Sums of columns over other mice, weighted by how alike these are once mice are exchanged.

    What covariates leave is exchanged, and what they explain of it then is taken away again: labels
    keep what they have to do with the covariates. Entries of one mouse do not count. No matrix is
    made of a draw.

    Parameters
    ----------
    alike : ndarray, shape (n, n)
        What `similarity` returns of what the covariates leave.
    orders : ndarray of int, shape (draws, n)
        The replicate that each takes the place of.
    basis : ndarray, shape (n, covariates)
        Orthonormal columns that span the covariates, of which there may be none.
    mice : ndarray of int, shape (n,)
        The mouse of each replicate, from 0.
    columns : ndarray, shape (n, m)

    References
    ----------
    Freedman & Lane 1983, J Bus Econ Stat 1:292; Winkler et al. 2014, NeuroImage 92:381.
    """
    m = columns.shape[1]
    rows = np.arange(len(orders))[:, None]
    left = np.hstack([columns - basis @ (basis.T @ columns), basis])
    seen = (alike @ left[orders.argsort(axis=1)])[rows, orders]
    toward, of_basis = seen[..., :m], seen[..., m:]
    one, other, starts = _of_one_mouse(mice)
    own = alike[orders[:, one], orders[:, other]]
    if basis.shape[1]:
        core = (basis @ (basis.T @ of_basis))[:, one] - of_basis[:, one]
        own += np.einsum("bpc,pc->bp", core, basis[other])
        own -= np.einsum("bpc,pc->bp", of_basis[:, other], basis[one])
    return (
        toward
        - basis @ (basis.T @ toward)
        - np.add.reduceat(own[..., None] * columns[other], starts, axis=1)
    )


def distances(
    toward: Float64[np.ndarray, "draws n labels"],
    mice: Int64[np.ndarray, " n"],
    codes: Int64[np.ndarray, " n"],
) -> Float64[np.ndarray, "draws n labels"]:
    """Squared distance from the mean of the other mice of each label, unbiased.

    Products of a mouse with itself never count, so that few mice of a label are no farther.

    Parameters
    ----------
    toward : ndarray, shape (draws, n, labels)
        Sums over the other mice of each label of how alike they are.
    mice : ndarray of int, shape (n,)
        The mouse of each replicate, from 0.
    codes : ndarray of int, shape (n,)
        Labels, from 0; at least three mice of each.

    Returns
    -------
    ndarray, shape (draws, n, labels)
        Less the squared length of the mouse itself, so that it may be negative.
    """
    _, other, starts = _of_one_mouse(mice)
    member = indicators(codes)

    def without_own(values: np.ndarray, times: int) -> np.ndarray:
        """Sums over all mice, less so many times those over the replicate's own."""
        own = np.add.reduceat(values[..., other, :], starts, axis=-2)
        return values.sum(axis=-2, keepdims=True) - times * own

    def pairs(products: np.ndarray) -> np.ndarray:
        """Sums over pairs of mice of a label, neither of them the replicate's own."""
        return without_own(member * products, 2)

    count = without_own(member, 1)

    return pairs(toward) / pairs(count) - 2 * toward / count


def _of_one_mouse(mice: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of replicates of one mouse, each with itself, too, and where the next one begins."""
    one, other = np.nonzero(mice[:, None] == mice)
    return one, other, np.flatnonzero(np.diff(one, prepend=-1))


def indicators(codes: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, "n labels"]:
    """One column a label, 1 where it is the replicate's own."""
    return (codes[:, None] == np.arange(codes.max() + 1)).astype(np.float64)


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
    toward: Float64[np.ndarray, "draws n 2"],
    mice: Int64[np.ndarray, " n"],
    ranks: Float64[np.ndarray, " n"],
) -> Float64[np.ndarray, "draws n"]:
    """How large a label is to be expected: that of mice alike, about the mean of the other mice.

    Parameters
    ----------
    toward : ndarray, shape (draws, n, 2)
        Sums over other mice of their ranks and of 1, weighted by how alike they are.
    mice : ndarray of int, shape (n,)
        The mouse of each replicate, from 0.
    ranks : ndarray, shape (n,)
        Labels as numbers.

    Returns
    -------
    ndarray, shape (draws, n)
        On no particular scale.
    """
    apart = (mice[:, None] != mice).astype(np.float64)
    return toward[..., 0] - toward[..., 1] * (apart @ ranks) / apart.sum(axis=1)


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
        number = np.bincount(codes)
        return (said == codes) @ (1 / number[codes]) / np.count_nonzero(number)
    return effects.standardised_ranks(ranked(codes, blocks)) @ effects.standardised_ranks(said.T)

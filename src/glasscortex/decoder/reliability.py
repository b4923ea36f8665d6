"""Whether decoders are right as often as they say: calibration of the class that they name.

The expected calibration error of Guo et al. 2017 compares in bins of presentations with like
confidence how sure a decoder is and how often it is right. From the 80 test presentations of a
session that says .15 of a decoder that is perfectly calibrated, because labels are drawn. So it is
estimated as Kumar et al. 2019 advise: squared, less what the draw of labels adds. Squares can be
averaged over sessions, and their mean has no bias; its root is reported.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

BINS = 15
"""Most bins."""

LEAST = 10
"""Fewest presentations in a bin, where there are several."""


def alike(
    confidence: Float[np.ndarray, "*draws presentations"],
) -> list[Int[np.ndarray, "*draws some"]]:
    """Bins of presentations with like confidence, the least sure first, equally many in each.

    Parameters
    ----------
    confidence : numpy.ndarray
        (…, presentations).

    Returns
    -------
    list of numpy.ndarray
        (…, some) places of each bin's presentations.
    """
    order = np.argsort(confidence, axis=-1, kind="stable")
    bins = max(1, min(BINS, confidence.shape[-1] // LEAST))
    return np.array_split(order, bins, axis=-1)


def squared_error(
    right: Bool[np.ndarray, "*draws presentations"],
    confidence: Float[np.ndarray, "*draws presentations"],
) -> Float[np.ndarray, "*draws"]:
    """Mean squared distance, over bins, of the confidence from the share named right.

    The square of a bin's mean gap is estimated by the mean product of the gaps of two different
    presentations, which has no bias; so the estimate may be negative.

    Parameters
    ----------
    right : numpy.ndarray
        (…, presentations) bool: whether the class that was named is the label.
    confidence : numpy.ndarray
        (…, presentations) probability that it was given.

    Returns
    -------
    numpy.ndarray
        (…,), NaN of fewer than two presentations.

    References
    ----------
    Kumar, Liang & Ma 2019, Verified Uncertainty Calibration, NeurIPS (arXiv 1909.10155).

    Examples
    --------
    >>> squared_error(np.array([True, False] * 5), np.full(10, 0.9)).round(3).tolist()
    0.132
    """
    presentations = right.shape[-1]
    if presentations < 2:
        return np.full(right.shape[:-1], np.nan)
    gaps = np.asarray(confidence, np.float64) - right
    bins = [np.take_along_axis(gaps, places, axis=-1) for places in alike(confidence)]
    total = sum((own.shape[-1] * _squared_mean(own) for own in bins), np.zeros(()))
    return total / presentations


def root(square: np.ndarray) -> np.ndarray:
    """Root of an estimate that may be negative, with its sign.

    Examples
    --------
    >>> root(np.array([0.04, -0.01])).tolist()
    [0.2, -0.1]
    """
    return np.sign(square) * np.sqrt(np.abs(square))


def _squared_mean(gaps: Float[np.ndarray, "*draws some"]) -> Float[np.ndarray, "*draws"]:
    """Unbiased estimate of the square of the mean that these are drawn about."""
    n = gaps.shape[-1]
    return (gaps.sum(axis=-1) ** 2 - np.square(gaps).sum(axis=-1)) / (n * (n - 1))

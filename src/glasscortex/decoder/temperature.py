"""Class scores as probabilities: one factor, chosen on validation.

Temperature scaling of Guo et al. 2017 (arXiv 1706.04599): the probabilities are
softmax(gain · scores), and the gain, the inverse of the temperature, is the one with the smallest
cross-entropy on validation. It moves no class past another.
"""

import numpy as np
from jaxtyping import Float, Int
from scipy.special import logsumexp

GAINS = tuple(2.0 ** (i / 2) for i in range(12, -13, -1))
"""Candidates, half an octave apart, from 64 to 1/64."""


def cross_entropies(
    scores: Float[np.ndarray, "presentations classes"], labels: Int[np.ndarray, " presentations"]
) -> Float[np.ndarray, " gains"]:
    """Sum over presentations of −ln (probability of the label) with each of `GAINS`.

    Parameters
    ----------
    scores : numpy.ndarray
        (presentations, classes) log-probabilities, each presentation's up to a constant; −∞ for
        what cannot be.
    labels : numpy.ndarray
        (presentations,) number of the class.

    Returns
    -------
    numpy.ndarray
        (gains,).
    """
    scores = np.asarray(scores, np.float64)
    label = scores[np.arange(len(scores)), labels]
    return np.array([(logsumexp(g * scores, axis=1) - g * label).sum() for g in GAINS])


def fitted_gain(
    scores: Float[np.ndarray, "presentations classes"], labels: Int[np.ndarray, " presentations"]
) -> float:
    """The gain with the smallest cross-entropy; 1 without presentations.

    Parameters
    ----------
    scores, labels : numpy.ndarray
        As in `cross_entropies`, of the validation split.

    Returns
    -------
    float
        One of `GAINS`.

    Examples
    --------
    Three of four are named right with odds of e⁴, where 3 would do:

    >>> scores = np.array([[4.0, 0.0]] * 4)
    >>> fitted_gain(scores, np.array([0, 0, 0, 1]))
    0.25
    """
    return GAINS[cross_entropies(scores, labels).argmin()] if len(labels) else 1.0


def confidence(
    scores: Float[np.ndarray, "presentations classes"], gain: float = 1.0
) -> Float[np.ndarray, " presentations"]:
    """Probability of the most likely class.

    Parameters
    ----------
    scores : numpy.ndarray
        (presentations, classes) as in `cross_entropies`.
    gain : float
        Inverse of the temperature.

    Returns
    -------
    numpy.ndarray
        (presentations,) between 1 / classes and 1.
    """
    scores = gain * np.asarray(scores, np.float64)
    return np.exp(scores.max(axis=1) - logsumexp(scores, axis=1))

"""The linear discriminant of a session, from what its cells are likely tuned to."""

import numpy as np
from jaxtyping import Float, Shaped
from scipy.special import logsumexp

from glasscortex.decoder.tuning import Prior, Tuning


def contributions(
    tuning: Tuning,
    likely: Float[np.ndarray, "cells classes times"],
    shrinkage: float,
    is_regression: bool,
) -> Float[np.ndarray, "cells classes times"]:
    """What each cell adds to the discriminant: C⁻¹ m, with C the covariance of the noise.

    Parameters
    ----------
    tuning : Tuning
        The session's noise.
    likely : ndarray, shape (cells, classes, times)
        Tuning m, see `Prior.posterior`.
    shrinkage : float
        Share of C that its mean variance on the diagonal replaces.
    is_regression : bool
        Then to the mean of the label given the activity: divided by 1 + mᵀ C⁻¹ m.

    Returns
    -------
    ndarray, shape (cells, classes, times)
        Weights of the activity.
    """
    variance = max(tuning.noise.diagonal().mean(), 1e-12)
    noise = (1 - shrinkage) * tuning.noise + shrinkage * variance * np.eye(len(tuning.noise))
    flat = likely.reshape(len(likely), -1)
    weight = np.linalg.solve(noise, flat)
    if is_regression:
        weight = weight / (1 + np.sum(flat * weight))
    return weight.reshape(likely.shape)


def constants(
    tuning: Tuning,
    likely: Float[np.ndarray, "cells classes times"],
    weight: Float[np.ndarray, "cells classes times"],
    prior: Prior,
) -> Float[np.ndarray, " classes"]:
    """What the discriminant adds to each class: −½ mᵀ C⁻¹ m + ln (share of the windows).

    Parameters
    ----------
    tuning : Tuning
        How often each class was shown.
    likely, weight : ndarray, shape (cells, classes, times)
        Tuning m, and C⁻¹ m.
    prior : Prior
        Of which the noise in time counts.

    Returns
    -------
    ndarray, shape (classes,)
        Natural logarithms.
    """
    share = tuning.weight / tuning.windows
    length = np.einsum("ckt,ckt->k", likely, weight @ prior.time_weight)
    return np.log(np.maximum(share, 1e-9)) - 0.5 * length


def loss(
    output: Float[np.ndarray, "windows outputs"], target: Shaped[np.ndarray, " windows"]
) -> float:
    """Sum over windows of the squared error of a regression, or of the cross-entropy.

    Examples
    --------
    >>> round(loss(np.zeros((2, 4)), np.array([0, 3])) / 2, 3), loss(np.ones((2, 1)), np.zeros(2))
    (1.386, 2.0)
    """
    if target.dtype.kind == "f":
        return float(np.square(output[:, 0] - target).sum())
    return float((logsumexp(output, axis=1) - output[np.arange(len(target)), target]).sum())

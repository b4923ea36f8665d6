"""What validation chooses of the discriminant that a task starts at."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from glasscortex.decoder.calibration import sessions_agree
from glasscortex.decoder.discriminant import constants, contributions, loss
from glasscortex.decoder.labelled import SIGNALS, LabelledWindows
from glasscortex.decoder.tuning import Prior

SHRINKAGES = (0.1, 0.3, 0.5, 0.7, 0.9, 0.97)
"""Candidates of the share of the noise's covariance that its mean variance replaces."""

FACTORS = tuple(2.0**i for i in range(3, -6, -1))
"""Candidates of what multiplies the outputs of a head."""


def held_out_losses(
    windows: LabelledWindows, priors: Mapping[int, Prior]
) -> Float[np.ndarray, "signals shrinkages factors"]:
    """Loss of a session's validation windows with each candidate, their sum.

    Parameters
    ----------
    windows : LabelledWindows
        Of the training and the validation split.
    priors : mapping of int to Prior
        How cells are tuned, by the number of signals that are read of each.

    Returns
    -------
    ndarray, shape (signals, shrinkages, factors)
        The losses.
    """
    losses = []
    for signals, prior in priors.items():
        read = windows.of_signals(signals)
        tuning, held_out = read.tuning(), read.held_out
        likely, presented = prior.posterior(tuning), tuning.weight > 0
        x = (read.activity - read.activity[~held_out].mean(axis=0))[held_out]
        for shrinkage in SHRINKAGES:
            weight = contributions(tuning, likely, shrinkage, read.is_regression)
            output = np.einsum("nct,ckt->nk", x, weight @ prior.time_weight, optimize=True)
            if not read.is_regression:
                output = output + constants(tuning, likely, weight, prior)
                output[:, ~presented] = -np.inf
            losses += [loss(factor * output, read.target[held_out]) for factor in FACTORS]
    return np.reshape(losses, (len(priors), len(SHRINKAGES), len(FACTORS)))


def preferred(
    losses: Sequence[Float[np.ndarray, "signals shrinkages factors"]],
) -> tuple[int, float, float]:
    """Signals, shrinkage and factor of least loss; magnitudes are read where sessions agree.

    Where no session's validation split tells, activity alone, and what is safest: the most
    shrinkage, as sure as the discriminant itself is.

    Parameters
    ----------
    losses : sequence of ndarray, shape (signals, shrinkages, factors)
        What `held_out_losses` returned for each session.

    Returns
    -------
    signals : int
        1: activity alone; 2: its magnitude, too.
    shrinkage, factor : float
        Of `SHRINKAGES` and `FACTORS`.

    Examples
    --------
    >>> loss = np.ones((2, len(SHRINKAGES), len(FACTORS)))
    >>> loss[0, 2, 3], loss[1, 4, 5] = 0.9, 0.5
    >>> preferred([loss, loss, loss])
    (2, 0.9, 0.25)
    >>> loss[1, 4, 5] = 0.9
    >>> preferred([loss, loss, loss])
    (1, 0.5, 1.0)
    >>> preferred([])
    (1, 0.97, 1.0)
    """
    if not losses:
        return 1, SHRINKAGES[-1], 1.0
    flat = np.reshape(losses, (len(losses), SIGNALS, -1))
    least = flat.sum(axis=0).argmin(axis=1)
    activity, both = (flat[:, n, i] for n, i in enumerate(least))
    extra = sessions_agree(activity - both)
    shrunk, factor = divmod(int(least[int(extra)]), len(FACTORS))
    return 1 + extra, SHRINKAGES[shrunk], FACTORS[factor]

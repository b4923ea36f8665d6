"""What each cell responds to, told from few repeats by what the cells of all sessions are like.

The mean response of a cell to each class, in each part of the window, is its tuning. From six
repeats it is mostly noise. But tuning is alike in all sessions, whichever their cells: neighbouring
directions, or moments of a movie, are answered alike, some moments by many cells, some by few. Its
covariance over the cells of all sessions tells how likely a tuning is, and the tuning of a cell is
then the mean of what is likely given its responses (empirical Bayes; Efron & Morris 1973). A
session whose cells are like no others still follows its own responses, the more the more repeats.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

AMPLITUDES = 4.0 ** np.arange(-4, 4)
"""How much more or less than usual a cell may be tuned, in variance; all alike likely."""

TIME_SHRINKAGE = 0.2
"""Share of the noise's covariance in time that is replaced by its mean variance."""


@dataclass(frozen=True)
class Tuning:
    """Responses of one session's cells to the classes of one task, from the training split.

    For a regression the only class is the standardised label, and a response is a slope.
    """

    response: Float[np.ndarray, "cells classes times"]
    """Less the mean over the windows; 0 where a class was not shown."""
    weight: Float[np.ndarray, " classes"]
    """Windows of each class, or the sum of the squared label."""
    windows: int
    noise: Float[np.ndarray, "cells cells"]
    """Covariance of what the responses leave, averaged over the window."""
    deviation: Float[np.ndarray, " cells"]
    """Standard deviation of what they leave in a part of the window; 0: a silent cell."""
    time: Float[np.ndarray, "times times"]
    """Covariance of that in time, in such deviations, mean over cells."""

    @classmethod
    def of(
        cls,
        activity: Float[np.ndarray, "windows cells times"],
        label: Float[np.ndarray, "windows classes"],
    ) -> "Tuning":
        """The tuning that these windows show.

        Where every class was shown once, all that varies counts as noise.

        Parameters
        ----------
        activity : ndarray, shape (windows, cells, times)
            Mean of each cell in each part of the window.
        label : ndarray, shape (windows, classes)
            One-hot, or standardised.

        Returns
        -------
        Tuning
            Of all cells.
        """
        activity = activity - activity.mean(axis=0)
        weight = np.square(label).sum(axis=0)
        flat = activity.reshape(len(activity), -1)
        response = label.T @ flat / np.maximum(weight, 1e-9)[:, None]
        free = len(activity) - int(np.count_nonzero(weight))
        left = (flat - label @ response if free else flat).reshape(activity.shape)
        free = free or len(activity)
        deviation = np.sqrt(np.square(left).sum(axis=0).mean(axis=1) / free)
        scaled = left / _or_one(deviation)[:, None]
        cells = max(1, int(np.count_nonzero(deviation)))
        time = np.einsum("nct,ncu->tu", scaled, scaled, optimize=True) / (free * cells)
        mean = left.mean(axis=2)
        return cls(
            response=np.moveaxis(response.reshape(-1, *activity.shape[1:]), 1, 0),
            weight=weight,
            windows=len(activity),
            noise=mean.T @ mean / free,
            deviation=deviation,
            time=time,
        )

    @property
    def scaled(self) -> Float[np.ndarray, "cells features"]:
        """The responses in standard deviations of the noise, classes × times side by side."""
        response = self.response / _or_one(self.deviation)[:, None, None]
        return (response * (self.deviation > 0)[:, None, None]).reshape(len(response), -1)


@dataclass(frozen=True)
class Prior:
    """How the cells of all sessions are tuned to one task."""

    covariance: Float[np.ndarray, "features features"]
    """Of tuning over cells, in standard deviations of their noise, classes × times."""
    time: Float[np.ndarray, "times times"]
    """Covariance of the noise in time."""

    @property
    def time_weight(self) -> Float[np.ndarray, "times times"]:
        """What makes the noise of a window's parts independent: the inverse of its covariance.

        In units in which the mean over the window has the variance 1.
        """
        times = len(self.time)
        sphere = np.trace(self.time) / times * np.eye(times)
        shrunk = (1 - TIME_SHRINKAGE) * self.time + TIME_SHRINKAGE * sphere
        return shrunk.mean() * np.linalg.inv(shrunk + 1e-9 * np.eye(times))

    def axes(self, most: int) -> Float[np.ndarray, "features components"]:
        """The principal axes of tuning, the first `most` of those that there are."""
        variances, axes = np.linalg.eigh(self.covariance)
        kept = variances[::-1] > 1e-4 * max(variances[-1], 1e-12)
        return axes[:, ::-1][:, kept][:, :most]

    def posterior(self, tuning: Tuning) -> Float[np.ndarray, "cells classes times"]:
        """The tuning that is likely given the responses, their mean; 0 for classes not shown.

        How strongly a cell is tuned is its own, one of `AMPLITUDES`, weighed by how likely its
        responses are with each.
        """
        times, known = len(self.time), tuning.weight > 0
        shown = np.flatnonzero(np.repeat(known, times))
        ridge = 1e-6 * max(np.trace(self.time) / times, 1e-6) * np.eye(times)
        noise = np.kron(
            np.diag(tuning.weight[known] ** -0.5), np.linalg.cholesky(self.time + ridge)
        )
        white = np.linalg.inv(noise)
        prior = white @ self.covariance[np.ix_(shown, shown)] @ white.T
        variances, axes = np.linalg.eigh(prior)
        variances = AMPLITUDES[:, None] * variances.clip(min=0)
        seen = tuning.scaled[:, shown] @ white.T @ axes
        likely = -0.5 * (
            np.log1p(variances).sum(axis=1) + np.square(seen) @ (1 / (1 + variances)).T
        )
        likely = np.exp(likely - likely.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        kept = likely @ (variances / (1 + variances))
        mean = np.zeros((len(seen), len(self.covariance)))
        mean[:, shown] = (seen * kept) @ (noise @ axes).T
        return (mean * tuning.deviation[:, None]).reshape(tuning.response.shape)


class Evidence:
    """What sessions, added one after the other, say of the prior of one task."""

    def __init__(self) -> None:
        self.total = self.count = self.time = np.zeros(())
        self.cells = 0

    def add(self, tuning: Tuning) -> None:
        """Count these cells; of classes that they were not shown they say nothing."""
        scaled, active = tuning.scaled, int(np.count_nonzero(tuning.deviation))
        known = tuning.weight > 0
        inverse = np.where(known, 1 / np.maximum(tuning.weight, 1e-9), 0.0)
        seen = np.repeat(known, len(tuning.time)).astype(float)
        noise = active * np.kron(np.diag(inverse), tuning.time)
        self.total = self.total + (scaled.T @ scaled - noise)
        self.count = self.count + active * np.outer(seen, seen)
        self.time, self.cells = self.time + active * tuning.time, self.cells + active

    def prior(self) -> Prior:
        """The covariance of the responses less that of their noise, where it is positive."""
        variances, axes = np.linalg.eigh(self.total / np.maximum(self.count, 1))
        covariance = (axes * variances.clip(min=0)) @ axes.T
        return Prior(covariance, self.time / max(self.cells, 1))


def _or_one(deviation: np.ndarray) -> np.ndarray:
    return np.where(deviation > 0, deviation, 1)

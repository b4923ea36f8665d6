"""What units are like in a session: statistics of their responses to one stimulus, of six kinds.

Mice are told apart by them, so that they were named before any line was looked at: how much a unit
responds and how far it varies, how much of that its stimulus tells and to what it responds most,
when in the window, and how it follows running. They come from sums over presentations, so that
memory holds no presentation.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64, Int64, Shaped

from glasscortex.tasks import ALLEN, Definitions

KINDS = ("mean", "gain", "tuning", "preference", "time course", "running")
"""Mean response; its standard deviation; the share of its variance that each variable of the
stimulus explains, less chance; mean response to each label, and at each step of the window, from
the mean in such deviations; correlation with running speed."""

STILL_CM_S = 1.0
"""Speed up to which a mouse counts as still."""

Traits = dict[str, Float64[np.ndarray, "features units"]]  # by kind


class Sums:
    """Sums over the presentations of one stimulus in one session, added in any order.

    Parameters
    ----------
    labels : mapping of str to ndarray
        Values of each variable of the stimulus, ascending, in all sessions alike.
    """

    def __init__(self, labels: Mapping[str, Shaped[np.ndarray, " labels"]]):
        self._labels = labels
        self._number = self._first = self._second = self._course = np.zeros(())
        self._speed = np.zeros(4)

    def add(self, activity: Float[np.ndarray, "windows steps units"], trials: pd.DataFrame) -> None:
        """Count some presentations.

        Parameters
        ----------
        activity : ndarray, shape (windows, steps, units)
        trials : pandas.DataFrame
            Their rows in the table of trials.
        """
        response = activity.mean(axis=1, dtype=np.float64)
        speed = trials["running_speed"].to_numpy(np.float64)
        known, speed = np.isfinite(speed), np.nan_to_num(speed)
        shown = [
            trials[variable].to_numpy()[:, None] == values
            for variable, values in self._labels.items()
        ]
        design = np.column_stack([np.ones(len(trials)), known, speed, *shown]).astype(np.float64)
        self._number = self._number + design.sum(axis=0)
        self._first = self._first + design.T @ response
        self._second = self._second + design.T @ response**2
        self._course = self._course + activity.sum(axis=0, dtype=np.float64)
        runs = speed > STILL_CM_S
        self._speed += known.sum(), speed.sum(), (speed**2).sum(), runs.sum()

    @property
    def behaviour(self) -> Float64[np.ndarray, " 3"]:
        """Running speed: mean and deviation, cm/s, and how often there is any; NaN if unknown."""
        n, total, squares, runs = self._speed
        if n == 0:
            return np.full(3, np.nan)
        return np.array([total / n, np.sqrt(max(squares / n - (total / n) ** 2, 0)), runs / n])

    def traits(self) -> Traits:
        """The statistics of every unit, by kind.

        NaN where a unit does not respond, a label was not shown or running not measured.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            n = self._number[0]
            mean = self._first[0] / n
            deviation = _deviation(self._first[0], self._second[0], n)
            scale = np.where(deviation > 1e-6 * np.abs(mean), deviation, np.nan)
            tuning, preference, start = [], [], 3
            for values in self._labels.values():
                place = slice(start, start + len(values))
                sums = self._number[place], self._first[place], self._second[place]
                tuning.append(_explained(*sums))
                preference.append((sums[1] / sums[0][:, None] - mean) / scale)
                start = place.stop
            return {
                "mean": mean[None],
                "gain": deviation[None],
                "tuning": np.stack(tuning),
                "preference": np.concatenate(preference),
                "time course": (self._course / n - mean) / scale,
                "running": self._correlation()[None],
            }

    def _correlation(self) -> Float64[np.ndarray, " units"]:
        n, total, squares, _ = self._speed
        first, second = self._first[1], self._second[1]
        speed = np.sqrt(max(squares / n - (total / n) ** 2, 0)) if n else np.nan
        covariance = self._first[2] / n - first / n * total / n
        deviation = _deviation(first, second, n)
        return covariance / np.where(
            deviation > 1e-6 * np.abs(first / n), speed * deviation, np.nan
        )


def _deviation(first: np.ndarray, second: np.ndarray, n: float) -> np.ndarray:
    return np.sqrt((second / n - (first / n) ** 2).clip(min=0))


def _explained(
    number: Float64[np.ndarray, " labels"],
    first: Float64[np.ndarray, "labels units"],
    second: Float64[np.ndarray, "labels units"],
) -> Float64[np.ndarray, " units"]:
    """Share of the variance between labels less what chance gives, ε² (Kelley 1935)."""
    shown = number > 0
    number, first, second = number[shown], first[shown], second[shown]
    n, labels = number.sum(), len(number)
    offset = first.sum(axis=0) ** 2 / n
    between = (first**2 / number[:, None]).sum(axis=0) - offset
    total = second.sum(axis=0) - offset
    within = (total - between) / (n - labels) if n > labels else np.nan
    return (between - (labels - 1) * within) / np.where(total > 1e-12 * offset, total, np.nan)


def labels_of(
    trials: pd.DataFrame, stimulus: str, definitions: Definitions = ALLEN
) -> dict[str, np.ndarray]:
    """Classes of each variable that a stimulus varies in.

    Parameters
    ----------
    trials : pandas.DataFrame
        Of all sessions.
    stimulus : str
    definitions : Definitions
        Which variables there are.
    """
    shown = trials[trials["stimulus"] == stimulus]
    values = {
        name: np.unique(shown[name].dropna()) for name in definitions.at("stimulus", classes=True)
    }
    return {name: found for name, found in values.items() if len(found) > 1}


def summed(
    windows: Iterable[
        tuple[Int64[np.ndarray, " windows"], Float[np.ndarray, "windows steps units"]]
    ],
    trials: pd.DataFrame,
    stimulus: str,
    definitions: Definitions = ALLEN,
) -> dict[str, Sums]:
    """Sums over the presentations of a stimulus, by session.

    Memory holds what comes at a time, and the sums: 16 bytes a session, unit and label.

    Parameters
    ----------
    windows : iterable of tuple
        Rows in the table of trials, and what units do on them in the course of the window; of any
        stimuli, sessions and splits, in any order.
    trials : pandas.DataFrame
        Of all sessions.
    stimulus : str
    definitions : Definitions
        See `labels_of`.
    """
    labels = labels_of(trials, stimulus, definitions)
    shown = trials[["session_id", "running_speed", *labels]]
    session, names = pd.factorize(trials["session_id"])
    counted = (trials["stimulus"] == stimulus).to_numpy()
    sums: dict[str, Sums] = {}
    for rows, activity in windows:
        for number in np.unique(session[rows[counted[rows]]]):
            own = counted[rows] & (session[rows] == number)
            of_session = sums.setdefault(names[number], Sums(labels))
            of_session.add(activity[own], shown.iloc[rows[own]])
    return sums


def over_cells(traits: Traits) -> Traits:
    """Mean and standard deviation over cells of each statistic: a session's own, of any cells."""
    with np.errstate(invalid="ignore"):
        return {
            kind: np.concatenate(
                [_nanmean(values), np.sqrt(_nanmean((values - _nanmean(values)) ** 2))]
            )
            for kind, values in traits.items()
        }


def _nanmean(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    count = known.sum(axis=1, keepdims=True)
    return np.where(count, np.where(known, values, 0).sum(axis=1, keepdims=True) / count, np.nan)

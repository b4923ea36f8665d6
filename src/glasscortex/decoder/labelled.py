"""What each session tells about each task: its labelled windows, in a few parts of time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from jaxtyping import Bool, Float, Shaped

from glasscortex.data.batches import Batches
from glasscortex.data.vocabulary import Head, has_label
from glasscortex.decoder.tuning import Tuning

PARTS = 5
"""Most parts of a window in which the response to a class is told apart."""

SIGNALS = 2
"""What there is to read of each cell: its activity, and the magnitude of it, without the sign."""


@dataclass(frozen=True)
class LabelledWindows:
    """The windows of one session that have a label of one task.

    Attributes
    ----------
    session_id, task : str
        Whose, and of what.
    activity : ndarray of float64, shape (windows, signals × cells, times)
        Mean of each cell's activity in each part of the window, then those of its magnitude.
    target : ndarray, shape (windows,)
        As in `Vocabulary.targets`.
    held_out : ndarray of bool, shape (windows,)
        Which windows are of the validation split.
    head : Head
        The range of the task.
    """

    session_id: str
    task: str
    activity: Float[np.ndarray, "windows signals times"]
    target: Shaped[np.ndarray, " windows"]
    held_out: Bool[np.ndarray, " windows"]
    head: Head

    @property
    def is_regression(self) -> bool:
        return self.head.classes is None

    def of_signals(self, signals: int) -> "LabelledWindows":
        """These windows with the first of the signals only."""
        kept = signals * self.activity.shape[1] // SIGNALS
        return replace(self, activity=self.activity[:, :kept])

    def tuning(self) -> Tuning:
        """What the cells respond to, from the training split."""
        train = ~self.held_out
        return Tuning.of(self.activity[train], _encoded(self.target[train], self.head))


def labelled_windows(batches: Batches, patch: int, *splits: str) -> Iterator[LabelledWindows]:
    """The labelled windows of each session and task, session by session.

    Parameters
    ----------
    batches : Batches
        Windows and targets.
    patch : int
        Samples of a time step of the transformer; parts of the window are whole steps.
    *splits : str
        Which splits.

    Yields
    ------
    LabelledWindows
        Where the training split holds at least two.
    """
    split, tasks = batches.trials["split"].to_numpy(), batches.vocabulary.tasks
    ordered = batches.ordered(np.isin(split, splits) & batches.decodable)
    for session_id, group in groupby(ordered, lambda batch: batch.session_id):
        pieces: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
        for batch in group:
            for task in batch.tasks:
                known = has_label(batches.targets[task][batch.trials])
                if known.any():
                    values = batch.values.numpy()[known]
                    times = _times(tasks[task], patch)
                    signals = [parts(signal, patch, times) for signal in (values, np.abs(values))]
                    activity = np.concatenate(signals, axis=1)
                    pieces.setdefault(task, []).append((activity, batch.trials[known]))
        for task, read in pieces.items():
            activity, rows = map(np.concatenate, zip(*read))
            target, held_out = batches.targets[task][rows], split[rows] == "validation"
            if np.count_nonzero(~held_out) > 1:
                yield LabelledWindows(session_id, task, activity, target, held_out, tasks[task])


def parts(
    values: Float[np.ndarray, "windows cells samples"], patch: int, times: int
) -> Float[np.ndarray, "windows cells times"]:
    """Means over each of `times` parts of the window, whole patches of samples each.

    The last patch is filled up with zeros, as the transformer does.

    Examples
    --------
    >>> parts(np.arange(6.0).reshape(1, 1, 6), 2, 3).tolist()
    [[[0.5, 2.5, 4.5]]]
    """
    padded = np.pad(values, ((0, 0), (0, 0), (0, -values.shape[2] % patch)))
    steps = padded.reshape(*padded.shape[:2], -1, patch).mean(axis=3, dtype=np.float64)
    means = [part.mean(axis=2) for part in np.array_split(steps, times, axis=2)]
    return np.stack(means, axis=2)


def _times(head: Head, patch: int) -> int:
    """Parts of the window; a regression has one."""
    return min(PARTS, -(-head.samples // patch)) if head.classes else 1


def _encoded(
    target: Shaped[np.ndarray, " windows"], head: Head
) -> Float[np.ndarray, "windows outputs"]:
    """Labels as numbers: one-hot for classes, less their mean for a regression."""
    if head.classes is None:
        return (target - target.mean())[:, None].astype(np.float64)
    return np.eye(head.outputs)[target]

"""What a decoder can name: its sessions, their cells, and the classes of its tasks."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from glasscortex.config import TaskNames
from glasscortex.data.definitions import restored, stored
from glasscortex.data.labels import label_scale
from glasscortex.tasks import ALLEN, Definitions, label_column


@dataclass(frozen=True)
class Head:
    """The range of one task's predictions, learnt from the training split."""

    classes: tuple[float, ...] | None
    """Values that a classification chooses from, ascending; None for a regression."""
    samples: int
    """Samples of the longest window that gives it a label."""

    @property
    def outputs(self) -> int:
        return 1 if self.classes is None else len(self.classes)


@dataclass(frozen=True)
class Vocabulary:
    """Sessions, cells and tasks, in the order of the decoder's embeddings."""

    sessions: tuple[str, ...]
    cells: dict[str, tuple[str, ...]]
    """Cells of each session, in the order of its windows; a name is `container/cell`."""
    tasks: dict[str, Head]
    presented: dict[str, dict[str, tuple[int, ...]]] = field(default_factory=dict)
    """By session and task, the classes that the training split shows; see `presented_classes`."""
    definitions: Definitions = ALLEN
    """What the tasks are."""

    @classmethod
    def of(
        cls,
        trials: pd.DataFrame,
        cells: dict[str, tuple[str, ...]],
        samples: dict[str, int],
        tasks: TaskNames,
        definitions: Definitions = ALLEN,
    ) -> "Vocabulary":
        """Learn the vocabulary from the training split.

        Parameters
        ----------
        trials : pandas.DataFrame
            Presentations of every session, with label columns.
        cells : dict of str to tuple of str
            Names of each session's cells.
        samples : dict of str to int
            Samples of a window of each stimulus.
        tasks : tuple of str or "all"
            Names of the tasks; "all" for those with something to tell apart.
        definitions : Definitions
            What the tasks are.
        """
        train = trials[trials["split"] == "train"]
        heads = {}
        for name in definitions.tasks if tasks == "all" else tasks:
            labels = train[label_column(name)].to_numpy()
            known = labels[np.isfinite(labels)]
            shown = train["stimulus"][np.isfinite(labels)].unique()
            longest = max((samples[stimulus] for stimulus in shown), default=0)
            if len(known):
                is_regression = definitions.tasks[name].is_regression
                classes = None if is_regression else tuple(np.unique(known).tolist())
                heads[name] = Head(classes, longest)
        presented = presented_classes(trials, heads)
        return cls(tuple(cells), cells, heads, presented, definitions)

    @classmethod
    def from_dict(cls, kept: dict) -> "Vocabulary":
        """The inverse of `to_dict`."""
        heads = {
            name: Head(**(head | {"classes": head["classes"] and tuple(head["classes"])}))
            for name, head in kept["tasks"].items()
        }
        cells = {session: tuple(names) for session, names in kept["cells"].items()}
        presented = {
            session: {task: tuple(classes) for task, classes in tasks.items()}
            for session, tasks in kept["presented"].items()
        }
        definitions = restored(kept["definitions"])
        return cls(tuple(kept["sessions"]), cells, heads, presented, definitions)

    def to_dict(self) -> dict:
        """As plain lists and dictionaries, for JSON."""
        return {
            "sessions": self.sessions,
            "cells": self.cells,
            "tasks": {name: asdict(head) for name, head in self.tasks.items()},
            "presented": self.presented,
            "definitions": stored(self.definitions),
        }

    def containers(self) -> list[list[str]]:
        """Names of the cells of each container, whichever of its sessions show them."""
        return self._numbered[0]

    def cell_rows(self) -> dict[str, tuple[int, np.ndarray]]:
        """For each session its place in `containers()`, and its cells' places in there."""
        return self._numbered[1]

    @cached_property
    def session_rows(self) -> dict[str, int]:
        """For each session its place in `sessions`."""
        return {session: row for row, session in enumerate(self.sessions)}

    @cached_property
    def _numbered(self) -> tuple[list[list[str]], dict[str, tuple[int, np.ndarray]]]:
        """Containers and cell rows: numbered once, because a stage may ask session by session."""
        found: dict[str, dict[str, int]] = {}
        for cells in self.cells.values():
            rows = found.setdefault(_container(cells), {})
            for name in cells:
                rows.setdefault(name, len(rows))
        place = {container: i for i, container in enumerate(found)}
        cell_rows = {
            session: (place[c := _container(cells)], np.array([found[c][name] for name in cells]))
            for session, cells in self.cells.items()
        }
        return [list(rows) for rows in found.values()], cell_rows

    def targets(self, trials: pd.DataFrame) -> dict[str, np.ndarray]:
        """What each task should predict for each presentation.

        Returns
        -------
        dict of str to numpy.ndarray
            By task, (presentations,): int64 index of the class, -1 where the task does not apply
            or the session's training split does not show the class; or float32 value less
            `label_scale`'s mean over its standard deviation, NaN where it does not apply.
        """
        targets = {}
        for name, head in self.tasks.items():
            labels = trials[label_column(name)].to_numpy()
            if head.classes is None:
                mean, sd = label_scale(trials, labels)
                targets[name] = ((labels - mean) / sd).astype(np.float32)
                continue
            index = _class_index(labels, head)
            presented = _presented(trials, index, head)
            sessions = pd.factorize(trials["session_id"])[0]
            targets[name] = np.where(presented[sessions, index], index, -1)
        return targets


def presented_classes(
    trials: pd.DataFrame, heads: dict[str, Head]
) -> dict[str, dict[str, tuple[int, ...]]]:
    """By session and classification, which of the classes its training split shows.

    A design is known before anything is decoded, so a session's outputs are these alone.

    Parameters
    ----------
    trials : pandas.DataFrame
        Presentations, with label columns.
    heads : dict of str to Head
        The classes of each task.

    Returns
    -------
    dict of str to dict
        By session and task, the places of its classes among those of the head.
    """
    sessions = pd.unique(trials["session_id"])
    presented: dict[str, dict[str, tuple[int, ...]]] = {session: {} for session in sessions}
    for task, head in heads.items():
        if head.classes is None:
            continue
        index = _class_index(trials[label_column(task)].to_numpy(), head)
        for session, classes in zip(sessions, _presented(trials, index, head)):
            if classes.any():
                presented[session][task] = tuple(np.flatnonzero(classes).tolist())
    return presented


def _class_index(labels: np.ndarray, head: Head) -> np.ndarray:
    """Number of each label's class, -1 where it is none."""
    classes = np.asarray(head.classes, dtype=np.float32)
    index = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
    return np.where(classes[index] == labels, index, -1)


def _presented(trials: pd.DataFrame, index: np.ndarray, head: Head) -> np.ndarray:
    """Whether the training split of each session shows each class, and a last column, False."""
    sessions, names = pd.factorize(trials["session_id"])
    presented = np.zeros((len(names), head.outputs + 1), dtype=bool)
    train = (trials["split"] == "train").to_numpy() & (index >= 0)
    presented[sessions[train], index[train]] = True
    return presented


def has_label(target: np.ndarray) -> np.ndarray:
    """Where a task applies, from its targets; see `Vocabulary.targets`."""
    return np.isfinite(target) if target.dtype.kind == "f" else target >= 0


def _container(cells: Sequence[str]) -> str:
    return cells[0].split("/")[0]

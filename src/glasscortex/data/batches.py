"""Batches of windows: each holds presentations of one stimulus in one session, densely."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from glasscortex.data.vocabulary import Vocabulary, has_label
from glasscortex.data.windows import WindowsReader

AHEAD = 2
"""Batches that are read while an earlier one is used."""


class Piece(NamedTuple):
    """What a batch will hold, before it is read."""

    session_id: str
    stimulus: str
    trials: np.ndarray
    """Row of each window in the table of trials."""


@dataclass
class Batch:
    """Windows of one session around presentations of one stimulus."""

    session_id: str
    stimulus: str
    trials: np.ndarray
    """Row of each window in the table of trials."""
    values: Float[Tensor, "windows cells samples"]
    """asinh of ΔF/F in standard deviations of each cell."""
    container: int
    """Number of the container, which has cell embeddings of its own."""
    cells: Int[Tensor, " cells"]
    """Rows of the container's cell embeddings."""
    session: int
    """Row of the session embedding."""
    tasks: tuple[str, ...]
    """Tasks that this stimulus gives labels for, if there are any."""
    label_s: float
    """Time that the labels speak of, in seconds from the start of the window."""

    def to(self, device: torch.device) -> "Batch":
        """This batch with its tensors on `device`."""
        self.values, self.cells = self.values.to(device), self.cells.to(device)
        return self


class Batches:
    """The windows of many sessions, a batch at a time.

    A thread of its own reads the next batches while one is used. Only these are in memory, so
    that of windows it does not grow with the sessions; the table of trials and its targets do,
    about 250 bytes a presentation.

    Parameters
    ----------
    windows : mapping of str to WindowsReader
        Reader of each session's windows.
    trials : pandas.DataFrame
        Presentations, with label columns; their row numbers are the names of the windows.
    vocabulary : Vocabulary
        Sessions, cells and tasks of the decoder.
    size : int
        Most windows in a batch.

    Attributes
    ----------
    decodable : numpy.ndarray
        (presentations,) bool: those that a decoder says something of, because their stimulus gives
        their session labels of some task.
    """

    def __init__(
        self,
        windows: Mapping[str, WindowsReader],
        trials: pd.DataFrame,
        vocabulary: Vocabulary,
        size: int,
    ):
        self.trials = trials
        self.vocabulary = vocabulary
        self.size = size
        self.targets = vocabulary.targets(trials)
        self._windows = windows
        self._presentation = trials["presentation"].to_numpy()
        groups = trials.groupby(["session_id", "stimulus"], sort=False).indices
        known = vocabulary.cell_rows()
        self._groups = {key: rows for key, rows in groups.items() if key[0] in known}
        middle = (trials["end_s"] - trials["start_s"]).to_numpy() / 2
        self._label_s = {key: float(np.median(middle[r])) for key, r in self._groups.items()}
        labelled = {name: has_label(target) for name, target in self.targets.items()}
        self._labelled = np.any(list(labelled.values()), axis=0)
        self._tasks = {
            key: tuple(name for name, has in labelled.items() if has[rows].any())
            for key, rows in self._groups.items()
        }
        self.decodable = np.zeros(len(trials), dtype=bool)
        for key, tasks in self._tasks.items():
            self.decodable[self._groups[key]] = bool(tasks)

    def ordered(self, mask: np.ndarray) -> Iterator[Batch]:
        """Every presentation where `mask` is true, session by session."""
        return self.read(
            Piece(*key, rows[first : first + self.size])
            for key, rows in self._where(mask)
            for first in range(0, len(rows), self.size)
        )

    def pieces(self, mask: np.ndarray, rng: np.random.Generator) -> list[Piece]:
        """Every presentation where `mask` is true and some task has a label, in random order."""
        pieces = []
        for key, rows in self._where(mask & self._labelled):
            parts = np.array_split(rng.permutation(rows), -(-len(rows) // self.size))
            pieces += [Piece(*key, part) for part in parts]
        return [pieces[i] for i in rng.permutation(len(pieces))]

    def read(self, pieces: Iterable[Piece]) -> Generator[Batch, None, None]:
        """The windows of these pieces, in their order.

        What goes wrong in reading is raised where the batch would have come.
        """
        pieces = iter(pieces)
        reader = ThreadPoolExecutor(1, thread_name_prefix="windows")
        try:
            waiting = deque(reader.submit(self._batch, p) for p in islice(pieces, AHEAD))
            while waiting:
                batch = waiting.popleft().result()
                waiting.extend(reader.submit(self._batch, p) for p in islice(pieces, 1))
                yield batch
        finally:
            reader.shutdown(cancel_futures=True)

    def _where(self, mask: np.ndarray) -> Iterator[tuple[tuple[str, str], np.ndarray]]:
        for key, rows in self._groups.items():
            rows = rows[mask[rows]]
            if len(rows):
                yield key, rows

    def _batch(self, piece: Piece) -> Batch:
        session_id, stimulus, rows = piece
        values = self._windows[session_id].read(stimulus, self._presentation[rows])
        container, cells = self.vocabulary.cell_rows()[session_id]
        return Batch(
            session_id=session_id,
            stimulus=stimulus,
            trials=rows,
            values=torch.from_numpy(values),
            container=container,
            cells=torch.from_numpy(cells),
            session=self.vocabulary.session_rows[session_id],
            tasks=self._tasks[session_id, stimulus],
            label_s=self._label_s[session_id, stimulus],
        )

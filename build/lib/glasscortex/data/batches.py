"""Batches of windows: each holds presentations of one stimulus in one session, densely."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from glasscortex.data.vocabulary import Vocabulary, has_label
from glasscortex.data.windows import SessionWindows


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
    """Tasks that this stimulus gives labels for."""
    label_s: float
    """Time that the labels speak of, in seconds from the start of the window."""

    def to(self, device: torch.device) -> "Batch":
        """This batch with its tensors on `device`."""
        self.values, self.cells = self.values.to(device), self.cells.to(device)
        return self


class Batches:
    """The windows of many sessions, a batch at a time.

    Only the windows of the batch are in memory, so that it does not grow with the sessions.

    Parameters
    ----------
    windows : folder of `<session>.h5`
    trials : table of presentations; its row numbers are the names of the windows
    vocabulary : sessions, cells and tasks of the decoder
    size : most windows in a batch
    """

    def __init__(self, windows: Path, trials: pd.DataFrame, vocabulary: Vocabulary, size: int):
        self.trials = trials
        self.vocabulary = vocabulary
        self.size = size
        self.targets = vocabulary.targets(trials)
        shown = set(trials["session_id"])
        self._windows = {
            s: SessionWindows(windows / f"{s}.h5") for s in vocabulary.sessions if s in shown
        }
        self._cells = vocabulary.cell_rows()
        self._session = {session: i for i, session in enumerate(vocabulary.sessions)}
        self._presentation = trials["presentation"].to_numpy()
        groups = trials.groupby(["session_id", "stimulus"], sort=False).indices
        self._groups = {key: rows for key, rows in groups.items() if key[0] in self._session}
        middle = (trials["end_s"] - trials["start_s"]).to_numpy() / 2
        self._label_s = {key: float(np.median(middle[r])) for key, r in self._groups.items()}
        labelled = {name: has_label(target) for name, target in self.targets.items()}
        self._labelled = np.any(list(labelled.values()), axis=0)
        self._tasks = {
            key: tuple(name for name, has in labelled.items() if has[rows].any())
            for key, rows in self._groups.items()
        }

    def ordered(self, mask: np.ndarray) -> Iterator[Batch]:
        """Every presentation where `mask` is true, session by session."""
        for key, rows in self._groups.items():
            rows = rows[mask[rows]]
            for start in range(0, len(rows), self.size):
                yield self._batch(key, rows[start : start + self.size])

    def shuffled(self, mask: np.ndarray, rng: np.random.Generator) -> Iterator[Batch]:
        """Every presentation where `mask` is true and some task has a label, in random order."""
        pieces = []
        for key, rows in self._labelled_groups(mask):
            parts = np.array_split(rng.permutation(rows), -(-len(rows) // self.size))
            pieces += [(key, part) for part in parts]
        for i in rng.permutation(len(pieces)):
            yield self._batch(*pieces[i])

    def number(self, mask: np.ndarray) -> int:
        """How many batches `shuffled` gives."""
        return sum(-(-len(rows) // self.size) for _, rows in self._labelled_groups(mask))

    def _labelled_groups(self, mask: np.ndarray) -> Iterator[tuple[tuple[str, str], np.ndarray]]:
        for key, rows in self._groups.items():
            rows = rows[(mask & self._labelled)[rows]]
            if len(rows):
                yield key, rows

    def _batch(self, key: tuple[str, str], rows: np.ndarray) -> Batch:
        session_id, stimulus = key
        container, cells = self._cells[session_id]
        values = self._windows[session_id].read(stimulus, self._presentation[rows])
        return Batch(
            session_id=session_id,
            stimulus=stimulus,
            trials=rows,
            values=torch.from_numpy(values),
            container=container,
            cells=torch.from_numpy(cells),
            session=self._session[session_id],
            tasks=self._tasks[key],
            label_s=self._label_s[key],
        )

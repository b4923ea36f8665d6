"""A signal that lies in a file frame after frame, turned cell after cell."""

import tempfile

import numpy as np

from glasscortex.data.nwb2.planes import Signal
from glasscortex.data.nwb2.series import scale
from glasscortex.data.tree import Tree


def read(tree: Tree, signal: Signal, cells: slice, spools: dict[str, "Spool"]) -> np.ndarray:
    """Some cells of a signal in its declared unit, float32 (cells, frames).

    A signal that lies frame after frame is turned when it is first asked for: a block of cells
    is then one run of bytes, and no chunk of the file is unpacked once a block.

    Parameters
    ----------
    tree : Tree
        The open file.
    signal : Signal
        Where it lies.
    cells : slice
        Which cells.
    spools : dict of str to Spool
        The signals that were turned, by key; a new one is added.
    """
    key = f"{signal.key}/data"
    if signal.by_frames:
        if key not in spools:
            spools[key] = Spool(tree, signal)
        values = spools[key].rows(cells)
    else:
        values = tree.rows(key, cells, signal.shape)
    factor, offset, unit = scale(tree, key)
    factor *= 0.01 if unit.lower() in ("%", "percent") else 1.0
    return values if (factor, offset) == (1.0, 0.0) else (values * factor + offset).astype("f4")


class Spool:
    """A signal in a nameless file of the system's temporary folder, float32, cell after cell.

    Memory holds a slab of frames while it is written, and a block of cells when it is read.

    Parameters
    ----------
    tree : Tree
        The open file.
    signal : Signal
        One that lies frame after frame.
    """

    def __init__(self, tree: Tree, signal: Signal):
        self._frames, self._cells = signal.frames, int(np.prod(signal.shape[1:]))
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the last reference
        for first, slab in tree.slabs(f"{signal.key}/data"):
            turned = np.ascontiguousarray(slab.reshape(len(slab), -1).T, "<f4")
            for cell, values in enumerate(turned):
                self._file.seek(4 * (cell * self._frames + first))
                self._file.write(values.data)

    def rows(self, cells: slice) -> np.ndarray:
        """Some cells, float32 (cells, frames)."""
        first, last, _ = cells.indices(self._cells)
        self._file.seek(4 * first * self._frames)
        count = max(0, last - first) * self._frames
        values = np.frombuffer(bytearray(self._file.read(4 * count)), "<f4")
        return values.reshape(-1, self._frames)

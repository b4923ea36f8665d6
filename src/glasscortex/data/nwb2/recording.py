"""Read a recording in an NWB 2 file, HDF5 or Zarr, by neurodata types.

Tolerates what files lack: running speed, pupil, neuropil, genotype, depth. What cannot be used
raises an error of one line that names the file and the remedy.
"""

import logging
from dataclasses import dataclass, field

import numpy as np

from glasscortex.data.metadata import Metadata
from glasscortex.data.nwb2.metadata import metadata
from glasscortex.data.nwb2.planes import Kind, Plane, planes
from glasscortex.data.nwb2.series import behaviour
from glasscortex.data.nwb2.spool import Spool
from glasscortex.data.nwb2.spool import read as read_signal
from glasscortex.data.nwb2.stimuli import stimuli
from glasscortex.data.nwb2.types import Typed, typed
from glasscortex.data.recording import Recording
from glasscortex.data.tree import Tree
from glasscortex.data.trees import opened
from glasscortex.errors import InputError

FLUORESCENCE: tuple[Kind, ...] = ("demixed", "raw", "corrected")
"""What is taken for fluorescence, the best first."""

RATIOS = "ratios"
"""Column of the table of contamination ratios, as the Allen's files on DANDI (000728) have it."""

RATIO = "neuropil_r"
"""Column of a plane's cells that holds them in others (000039, 000049)."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Nwb2Recording(Recording):
    """A recording in an NWB 2 file; several planes are one recording, plane after plane."""

    planes: tuple[Plane, ...]
    ratios: np.ndarray | None
    """The neuropil's r as the file has it, (cells,)."""
    _turned: dict[str, Spool] = field(default_factory=dict, repr=False, compare=False)

    def stored_dff(self, cells: slice) -> np.ndarray:
        return self._signal("dff", cells, "ΔF/F", "set preprocess.dff to windowed_median")

    def fluorescence(self, cells: slice) -> np.ndarray:
        kind = self._fluorescence or "raw"
        return self._signal(kind, cells, "fluorescence", "set preprocess.dff to stored")

    def neuropil(self, cells: slice) -> np.ndarray:
        return self._signal("neuropil", cells, "neuropil", "set preprocess.neuropil to none")

    @property
    def signals(self) -> frozenset[str]:
        held = {
            "dff": "dff" in self.planes[0].signals,
            "fluorescence": self._fluorescence is not None,
            "neuropil": "neuropil" in self.planes[0].signals,
            "neuropil_r": self.has_neuropil_r,
        }
        return frozenset(name for name, is_held in held.items() if is_held)

    @property
    def has_neuropil_r(self) -> bool:
        has_both = "neuropil" in self.planes[0].signals and self.ratios is not None
        return has_both and self._fluorescence != "corrected"

    def neuropil_r(self, cells: slice) -> np.ndarray | None:
        return self.ratios[cells] if self.has_neuropil_r and self.ratios is not None else None

    def check_traces(self) -> None:
        """All of it was checked when the file was read."""

    @property
    def _fluorescence(self) -> Kind | None:
        return next((kind for kind in FLUORESCENCE if kind in self.planes[0].signals), None)

    def _signal(self, kind: Kind, cells: slice, what: str, remedy: str) -> np.ndarray:
        if kind not in self.planes[0].signals:
            raise InputError(f"{self.path} holds no RoiResponseSeries of {what}: {remedy}")
        first, last, _ = cells.indices(len(self.cell_specimen_ids))
        found, before = [], 0
        with opened(self.path) as tree:
            for plane in self.planes:
                count = len(plane.ids)
                within = slice(max(0, first - before), min(count, max(0, last - before)))
                if within.start < within.stop:
                    found.append(read_signal(tree, plane.signals[kind], within, self._turned))
                before += count
        return found[0] if len(found) == 1 else np.concatenate(found)


def read_metadata(tree: Tree) -> Metadata:
    """Metadata of an open NWB 2 file.

    Raises
    ------
    InputError
        A text cannot be read, or an id cannot be part of a file's name.
    """
    groups = typed(tree)
    return metadata(tree, groups, [plane.key for plane in planes(tree, groups)])


def read(tree: Tree) -> Nwb2Recording:
    """Check everything of an open NWB 2 file but the values of its traces.

    Raises
    ------
    InputError
        It holds no recording that can be used, or a stimulus table does not fit it.
    """
    groups = typed(tree)
    found = planes(tree, groups)
    time = found[0].time
    ids = np.concatenate([plane.ids for plane in found])
    return Nwb2Recording(
        path=tree.path,
        metadata=metadata(tree, groups, [plane.key for plane in found]),
        cell_specimen_ids=ids,
        time=time,
        behaviour=behaviour(tree, groups, time),
        stimuli=stimuli(tree, groups, time),
        planes=tuple(found),
        ratios=_ratios(tree, groups, found),
    )


def read_motion(tree: Tree) -> np.ndarray | None:
    """Shift of every frame that motion correction undid, pixels in x and y, (frames, 2).

    None where the file holds none.

    Raises
    ------
    InputError
        It is not two numbers a frame.
    """
    for group in typed(tree):
        key = f"{group.key}/data"
        if group.within == "CorrectedImageStack" and group.name == "xy_translation":
            return tree.numbers(key, ndim=2) if key in tree else None
    return None


def _ratios(tree: Tree, groups: list[Typed], found: list[Plane]) -> np.ndarray | None:
    if all(f"{plane.key}/{RATIO}" in tree for plane in found):
        columns = [(plane, tree.numbers(f"{plane.key}/{RATIO}")) for plane in found]
        if all(len(column) == tree.shape(f"{plane.key}/id")[0] for plane, column in columns):
            of_cells = [column[plane.rows] for plane, column in columns]
            return np.concatenate(of_cells).astype(np.float32)
    cells = sum(len(plane.ids) for plane in found)
    for group in groups:
        key = f"{group.key}/{RATIOS}"
        if group.type == "DynamicTable" and key in tree:
            if tree.shape(key) == (cells,):
                return tree.rows(key, slice(None), (cells,))
            logger.warning("%s: /%s is not one for each of %d cells", tree.path, key, cells)
    return None

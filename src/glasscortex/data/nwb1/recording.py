"""Read a recording in the NWB 1.0 layout of the Allen Brain Observatory.

Tolerates what real files lack: running speed, pupil, the demixed signal, genotype, depth. What
cannot be used raises an error of one line that names the file and the remedy.
"""

import numpy as np

from glasscortex.data.metadata import Metadata
from glasscortex.data.nwb1.layout import (
    CELL_SPECIMEN_IDS,
    DEMIXED,
    FLUORESCENCE,
    MOTION,
    NEUROPIL,
    PIPELINE,
    PUPIL,
    RUNNING_SPEED,
    STORED_DFF,
    TRACES,
)
from glasscortex.data.nwb1.metadata import metadata
from glasscortex.data.nwb1.stimuli import stimuli
from glasscortex.data.recording import Recording, checked_ids, checked_time, on_frames
from glasscortex.data.tree import Tree
from glasscortex.data.trees import opened
from glasscortex.errors import InputError


class Nwb1Recording(Recording):
    """A recording in an NWB 1.0 file."""

    def stored_dff(self, cells: slice) -> np.ndarray:
        with opened(self.path) as file:
            return self._traces(file, STORED_DFF, cells, "set preprocess.dff to windowed_median")

    def fluorescence(self, cells: slice) -> np.ndarray:
        with opened(self.path) as file:
            source = DEMIXED if f"{DEMIXED}/data" in file else FLUORESCENCE
            return self._traces(file, source, cells, "set preprocess.dff to stored")

    def neuropil(self, cells: slice) -> np.ndarray:
        with opened(self.path) as file:
            return self._traces(file, NEUROPIL, cells, "set preprocess.neuropil to none")

    @property
    def signals(self) -> frozenset[str]:
        held = {
            "dff": (STORED_DFF,),
            "fluorescence": (DEMIXED, FLUORESCENCE),
            "neuropil": (NEUROPIL,),
        }
        with opened(self.path) as file:
            found = {n for n, groups in held.items() if any(f"{g}/data" in file for g in groups)}
        return frozenset(found | ({"neuropil_r"} if self.has_neuropil_r else set()))

    @property
    def has_neuropil_r(self) -> bool:
        with opened(self.path) as file:
            return f"{NEUROPIL}/data" in file and f"{NEUROPIL}/r" in file

    def neuropil_r(self, cells: slice) -> np.ndarray | None:
        if not self.has_neuropil_r:
            return None
        with opened(self.path) as file:
            r = file.rows(f"{NEUROPIL}/r", cells, (len(self.cell_specimen_ids),))
            if (np.isinf(r) | (r < 0)).any():
                raise file.error(
                    f"{NEUROPIL}/r",
                    "holds a share of the neuropil that is negative or infinite",
                    "mend it, or set preprocess.neuropil to fitted",
                )
            return r

    def check_traces(self) -> None:
        shape = self._shape
        with opened(self.path) as file:
            for key in (f"{group}/data" for group in TRACES):
                if key in file and file.shape(key) != shape:
                    raise file.error(
                        key,
                        f"has shape {file.shape(key)}, but there are {shape[0]} cells and "
                        f"{shape[1]} timestamps",
                        "download it again",
                    )

    def _traces(self, file: Tree, group: str, cells: slice, remedy: str) -> np.ndarray:
        if f"{group}/data" not in file:
            raise _lacks(file, f"{group}/data", remedy)
        return file.rows(f"{group}/data", cells, self._shape)

    @property
    def _shape(self) -> tuple[int, int]:
        return len(self.cell_specimen_ids), len(self.time)


def read_metadata(file: Tree) -> Metadata:
    """Metadata of an open NWB 1.0 file.

    Raises
    ------
    InputError
        The file is not of the Allen layout.
    """
    _check_layout(file)
    return metadata(file)


def read(file: Tree) -> Nwb1Recording:
    """Check everything of an open NWB 1.0 file but the values of its traces.

    Raises
    ------
    InputError
        The file is not of the Allen layout, or a stimulus table does not fit the recording.
    """
    _check_layout(file)
    time = _timestamps(file)
    return Nwb1Recording(
        path=file.path,
        metadata=metadata(file),
        cell_specimen_ids=_cell_specimen_ids(file),
        time=time,
        behaviour=_behaviour(file, time),
        stimuli=stimuli(file, time),
    )


def read_motion(file: Tree) -> np.ndarray | None:
    """Shift of every frame that motion correction undid, pixels in x and y, (frames, 2).

    None where the file holds none.

    Raises
    ------
    InputError
        The file is not of the Allen layout.
    """
    _check_layout(file)
    return file.numbers(f"{MOTION}/data", ndim=2) if f"{MOTION}/data" in file else None


def _check_layout(file: Tree) -> None:
    if PIPELINE not in file:
        raise InputError(
            f"{file.path} is neither NWB 2 nor in the Allen NWB 1.0 layout (it lacks "
            f"/{PIPELINE}): remove it"
        )


def _lacks(file: Tree, key: str, remedy: str) -> InputError:
    return InputError(f"{file.path} holds no /{key}: {remedy}")


def _timestamps(file: Tree) -> np.ndarray:
    group = next((g for g in (STORED_DFF, FLUORESCENCE) if f"{g}/timestamps" in file), None)
    if group is None:
        raise InputError(
            f"{file.path} holds neither /{STORED_DFF} nor /{FLUORESCENCE} with timestamps: "
            "remove the file"
        )
    key = f"{group}/timestamps"
    return checked_time(file.path, key, file.numbers(key))


def _cell_specimen_ids(file: Tree) -> np.ndarray:
    if CELL_SPECIMEN_IDS not in file:
        raise _lacks(file, CELL_SPECIMEN_IDS, "remove the file")
    ids = file.whole(CELL_SPECIMEN_IDS, "ids of cells")
    return checked_ids(file.path, CELL_SPECIMEN_IDS, ids)


def _behaviour(file: Tree, time: np.ndarray) -> dict[str, np.ndarray]:
    found = {}
    for name, groups in (("running_speed", (RUNNING_SPEED,)), ("pupil", PUPIL)):
        series = next((group for group in groups if f"{group}/data" in file), None)
        if series is None or np.prod(file.shape(f"{series}/data")) <= 1:
            continue
        values, timestamps = file.numbers(f"{series}/data"), np.empty(0)
        if f"{series}/timestamps" in file:
            timestamps = file.numbers(f"{series}/timestamps").astype(np.float64)
        found[name] = on_frames(file.path, series, values, timestamps, time)
    return found

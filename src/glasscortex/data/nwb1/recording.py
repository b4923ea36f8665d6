"""Read a recording in the NWB 1.0 layout of the Allen Brain Observatory.

Tolerates what real files lack: running speed, pupil, the demixed signal, genotype, depth. What
cannot be used raises an error of one line that names the file and the remedy.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from glasscortex.data.hdf5 import Hdf5File, opened
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
from glasscortex.errors import InputError


class Nwb1Recording(Recording):
    """A recording in an NWB 1.0 file."""

    def stored_dff(self, cells: slice) -> np.ndarray:
        with _open(self.path) as file:
            return self._traces(file, STORED_DFF, cells, "set preprocess.dff to windowed_median")

    def fluorescence(self, cells: slice) -> np.ndarray:
        with _open(self.path) as file:
            source = DEMIXED if f"{DEMIXED}/data" in file else FLUORESCENCE
            return self._traces(file, source, cells, "set preprocess.dff to stored")

    def neuropil(self, cells: slice) -> np.ndarray:
        with _open(self.path) as file:
            return self._traces(file, NEUROPIL, cells, "set preprocess.neuropil to none")

    @property
    def has_neuropil_r(self) -> bool:
        with _open(self.path) as file:
            return f"{NEUROPIL}/data" in file and f"{NEUROPIL}/r" in file

    def neuropil_r(self, cells: slice) -> np.ndarray | None:
        if not self.has_neuropil_r:
            return None
        with _open(self.path) as file:
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
        with _open(self.path) as file:
            for key in (f"{group}/data" for group in TRACES):
                if key in file and file.shape(key) != shape:
                    raise file.error(
                        key,
                        f"has shape {file.shape(key)}, but there are {shape[0]} cells and "
                        f"{shape[1]} timestamps",
                        "download it again",
                    )

    def _traces(self, file: Hdf5File, group: str, cells: slice, remedy: str) -> np.ndarray:
        if f"{group}/data" not in file:
            raise _lacks(file, f"{group}/data", remedy)
        return file.rows(f"{group}/data", cells, self._shape)

    @property
    def _shape(self) -> tuple[int, int]:
        return len(self.cell_specimen_ids), len(self.time)


def read_metadata(path: Path) -> Metadata:
    """Metadata of an NWB 1.0 file.

    Raises
    ------
    InputError
        The file is no readable NWB file of the Allen layout.
    """
    with _open(path) as file:
        return metadata(file)


def read(path: Path) -> Nwb1Recording:
    """Open a recording and check everything but the values of its traces.

    Raises
    ------
    InputError
        The file is no readable NWB file of the Allen layout, or a stimulus table does not fit
        the recording.
    """
    with _open(path) as file:
        time = _timestamps(file)
        return Nwb1Recording(
            path=path,
            metadata=metadata(file),
            cell_specimen_ids=_cell_specimen_ids(file),
            time=time,
            behaviour=_behaviour(file, time),
            stimuli=stimuli(file, time),
        )


def read_motion(path: Path) -> np.ndarray | None:
    """Shift of every frame that motion correction undid, pixels in x and y, (frames, 2).

    None where the file holds none.

    Raises
    ------
    InputError
        The file is no readable NWB file of the Allen layout.
    """
    with _open(path) as file:
        return file.numbers(f"{MOTION}/data", ndim=2) if f"{MOTION}/data" in file else None


@contextmanager
def _open(path: Path) -> Iterator[Hdf5File]:
    with opened(path) as file:
        if PIPELINE not in file:
            raise InputError(
                f"{path} is not in the Allen NWB 1.0 layout (it lacks /{PIPELINE}): remove it"
            )
        yield file


def _lacks(file: Hdf5File, key: str, remedy: str) -> InputError:
    return InputError(f"{file.path} holds no /{key}: {remedy}")


def _timestamps(file: Hdf5File) -> np.ndarray:
    group = next((g for g in (STORED_DFF, FLUORESCENCE) if f"{g}/timestamps" in file), None)
    if group is None:
        raise InputError(
            f"{file.path} holds neither /{STORED_DFF} nor /{FLUORESCENCE} with timestamps: "
            "remove the file"
        )
    key = f"{group}/timestamps"
    return checked_time(file.path, key, file.numbers(key))


def _cell_specimen_ids(file: Hdf5File) -> np.ndarray:
    if CELL_SPECIMEN_IDS not in file:
        raise _lacks(file, CELL_SPECIMEN_IDS, "remove the file")
    ids = file.whole(CELL_SPECIMEN_IDS, "ids of cells")
    return checked_ids(file.path, CELL_SPECIMEN_IDS, ids)


def _behaviour(file: Hdf5File, time: np.ndarray) -> dict[str, np.ndarray]:
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

"""Read a recording in the NWB 1.0 layout of the Allen Brain Observatory.

Tolerates what real files lack: running speed, pupil, the demixed signal, genotype, depth. What
cannot be used raises an error of one line that names the file and the remedy.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from glasscortex.errors import InputError

PIPELINE = "processing/brain_observatory_pipeline"
STORED_DFF = f"{PIPELINE}/DfOverF/imaging_plane_1"
FLUORESCENCE = f"{PIPELINE}/Fluorescence/imaging_plane_1"
DEMIXED = f"{PIPELINE}/Fluorescence/imaging_plane_1_demixed_signal"
NEUROPIL = f"{PIPELINE}/Fluorescence/imaging_plane_1_neuropil_response"
RUNNING_SPEED = f"{PIPELINE}/BehavioralTimeSeries/running_speed"
PUPIL = (f"{PIPELINE}/PupilTracking/pupil_size", f"{PIPELINE}/EyeTracking/pupil_size")
MOTION = f"{PIPELINE}/MotionCorrection/2p_image_series/xy_translation"
TRACES = (STORED_DFF, FLUORESCENCE, DEMIXED, NEUROPIL)

logger = logging.getLogger(__name__)

LEAST_MEASURED = 0.5
"""Share of the imaging frames below which a trace of behaviour is warned of."""

UNKNOWN = "unknown"
SEXES = {"m": "male", "male": "male", "f": "female", "female": "female"}


@dataclass(frozen=True)
class Metadata:
    """Who and where was recorded; "unknown" (depth, age: NaN) where nothing says so."""

    session_id: str
    container_id: str
    mouse: str
    cre_line: str
    area: str
    depth_um: float
    session_type: str
    sex: str
    age_days: float

    @classmethod
    def of_row(cls, row: Mapping[str, str]) -> "Metadata":
        """The metadata in a row of sessions.csv.

        Raises
        ------
        InputError
            The row lacks a column, or a number is none.
        """
        try:
            values: dict[str, Any] = {field.name: row[field.name] for field in fields(cls)}
            for name in ("depth_um", "age_days"):
                values[name] = float(values[name] or "nan")
        except (KeyError, ValueError) as error:
            raise InputError(
                f"a row of sessions.csv cannot be used ({error}): remove sessions.csv, then run "
                "the same command again"
            ) from None
        return cls(**values)


@dataclass(frozen=True)
class Recording:
    """One recording; traces are read from the file by blocks of cells."""

    path: Path
    metadata: Metadata
    cell_specimen_ids: np.ndarray
    """(cells,)"""
    time: np.ndarray
    """Seconds of the imaging frames, (frames,)."""
    behaviour: dict[str, np.ndarray]
    """running_speed (cm/s) and pupil where measured, on imaging frames: float32 (frames,)."""
    stimuli: dict[str, dict[str, np.ndarray]]
    """Columns of each stimulus; `start` and `end` are imaging frames, half-open."""

    @property
    def frame_rate_hz(self) -> float:
        """Imaging frames a second."""
        return float(1 / np.median(np.diff(self.time)))

    def stored_dff(self, cells: slice) -> np.ndarray:
        """ΔF/F as the file holds it, float32 (cells, frames).

        Raises
        ------
        InputError
            The file holds none.
        """
        with _open(self.path) as file:
            data = _require(file, f"{STORED_DFF}/data", "set preprocess.dff to windowed_median")
            return self._traces(data, cells)

    def fluorescence(self, cells: slice) -> np.ndarray:
        """Fluorescence, demixed where the file has it, float32 (cells, frames).

        Raises
        ------
        InputError
            The file holds none.
        """
        with _open(self.path) as file:
            source = DEMIXED if f"{DEMIXED}/data" in file else FLUORESCENCE
            data = _require(file, f"{source}/data", "set preprocess.dff to stored")
            return self._traces(data, cells)

    def neuropil(self, cells: slice) -> np.ndarray:
        """Fluorescence of the neuropil around each cell, float32 (cells, frames).

        Raises
        ------
        InputError
            The file holds none.
        """
        with _open(self.path) as file:
            data = _require(file, f"{NEUROPIL}/data", "set preprocess.neuropil to none")
            return self._traces(data, cells)

    @property
    def has_neuropil_r(self) -> bool:
        """Whether the file holds a neuropil signal and its r."""
        with _open(self.path) as file:
            return f"{NEUROPIL}/data" in file and f"{NEUROPIL}/r" in file

    def neuropil_r(self, cells: slice) -> np.ndarray | None:
        """The r that the file holds with its neuropil, float32 (cells,); none: it has none."""
        if not self.has_neuropil_r:
            return None
        with _open(self.path) as file:
            return file[f"{NEUROPIL}/r"][cells].astype(np.float32)

    def corrected_fluorescence(self, cells: slice) -> np.ndarray:
        """Fluorescence less r times the neuropil's, r as the file has it, float32 (cells, frames).

        As AllenSDK's `get_corrected_fluorescence_traces`; without a neuropil signal and its r
        the fluorescence is used as it is.

        Raises
        ------
        InputError
            The file holds no fluorescence.
        """
        traces, r = self.fluorescence(cells), self.neuropil_r(cells)
        return traces if r is None else traces - r[:, None] * self.neuropil(cells)

    def _traces(self, data: h5py.Dataset, cells: slice) -> np.ndarray:
        shape = (len(self.cell_specimen_ids), len(self.time))
        if data.shape != shape:
            raise InputError(
                f"{self.path}: {data.name} has shape {data.shape}, but there are {shape[0]} cells "
                f"and {shape[1]} timestamps: remove the file or write it again"
            )
        return data[cells].astype(np.float32)


def read_metadata(path: Path) -> Metadata:
    """Metadata of an NWB file.

    Raises
    ------
    InputError
        The file is no readable NWB file of the Allen layout.
    """
    with _open(path) as file:
        return _metadata(file, path)


def read(path: Path) -> Recording:
    """Open a recording and check everything but the values of its traces.

    Raises
    ------
    InputError
        The file is no readable NWB file of the Allen layout, or a stimulus table does not fit
        the recording.
    """
    with _open(path) as file:
        time = _timestamps(file)
        behaviour = {}
        for name, groups in (("running_speed", (RUNNING_SPEED,)), ("pupil", PUPIL)):
            series = next((file[g] for g in groups if f"{g}/data" in file), None)
            if series is not None and len(series["data"]) > 1:
                if "timestamps" not in series or len(series["timestamps"]) != len(series["data"]):
                    raise InputError(
                        f"{path}: {series.name} has not one timestamp for each value: "
                        "remove the file or mend it"
                    )
                behaviour[name] = _on_frames(series, time)
        return Recording(
            path=path,
            metadata=_metadata(file, path),
            cell_specimen_ids=_cell_specimen_ids(file),
            time=time,
            behaviour=behaviour,
            stimuli=_stimuli(file, len(time)),
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
        return file[f"{MOTION}/data"][:] if f"{MOTION}/data" in file else None


@contextmanager
def _open(path: Path) -> Iterator[h5py.File]:
    if not Path(path).is_file():
        raise InputError(f"{path}: there is no such file: check the path in sessions.csv")
    if not h5py.is_hdf5(path):
        raise InputError(f"{path} is not an NWB file (HDF5): remove it or download it again")
    try:
        with h5py.File(path, "r") as file:
            if PIPELINE not in file:
                raise InputError(
                    f"{path} is not in the Allen NWB 1.0 layout (it lacks /{PIPELINE}): remove it"
                )
            yield file
    except OSError as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path} is truncated or damaged ({reason}): download or copy it again"
        ) from None


def _require(file: h5py.File, key: str, remedy: str) -> h5py.Dataset:
    if key not in file:
        raise InputError(f"{file.filename} holds no /{key}: {remedy}")
    return file[key]


def _text(file: h5py.File, *keys: str) -> str:
    """The first of the named strings that says something, or "unknown"."""
    for key in keys:
        if key in file:
            value = np.ravel(file[key][()])[0]
            text = value.decode() if isinstance(value, bytes) else str(value)
            if text.strip() and text.strip().lower() != UNKNOWN:
                return text.strip()
    return UNKNOWN


def _metadata(file: h5py.File, path: Path) -> Metadata:
    def text(*keys: str) -> str:
        return _text(file, *(f"general/{key}" for key in keys))

    plane = "optophysiology/imaging_plane_1"
    session_id = text("session_id", "ophys_experiment_id")
    if session_id == UNKNOWN:
        session_id = Path(path).stem
    cre_line = re.search(
        r"[^;/\s]+-Cre[^;/\s]*", f"{text('subject/genotype')};{text('specimen_name')}"
    )
    depth = re.match(r"[\d.]+", text(f"{plane}/imaging depth", f"{plane}/imaging_depth"))
    age = re.match(r"P?(\d+)", text("subject/age"))

    def or_session(value: str) -> str:
        return session_id if value == UNKNOWN else value

    for name in (session_id, text("experiment_container_id")):
        if "/" in name:
            raise InputError(f"{path}: the id {name} holds a slash: mend it in the file")
    return Metadata(
        session_id=session_id,
        container_id=or_session(text("experiment_container_id")),
        mouse=or_session(text("specimen_name", "subject/subject_id")),
        cre_line=cre_line[0] if cre_line else UNKNOWN,
        area=text("targeted_structure", f"{plane}/location"),
        depth_um=float(depth[0]) if depth and float(depth[0]) > 0 else float("nan"),
        session_type=text("session_type"),
        sex=SEXES.get(text("subject/sex").lower(), UNKNOWN),
        age_days=float(age[1]) if age else float("nan"),
    )


def _timestamps(file: h5py.File) -> np.ndarray:
    for group in (STORED_DFF, FLUORESCENCE):
        if f"{group}/timestamps" in file:
            time = file[f"{group}/timestamps"][:].astype(np.float64)
            if len(time) < 2 or not (np.diff(time) > 0).all():
                raise InputError(
                    f"{file.filename}: /{group}/timestamps do not rise: remove the file"
                )
            return time
    raise InputError(
        f"{file.filename} holds neither /{STORED_DFF} nor /{FLUORESCENCE} with timestamps: "
        "remove the file"
    )


def _cell_specimen_ids(file: h5py.File) -> np.ndarray:
    key = f"{PIPELINE}/ImageSegmentation/cell_specimen_ids"
    cells = _require(file, key, "remove the file")[:].astype(np.int64)
    if len(np.unique(cells)) < len(cells) or len(cells) == 0:
        raise InputError(f"{file.filename}: /{key} is empty or repeats itself: remove the file")
    return cells


def _on_frames(series: h5py.Group, time: np.ndarray) -> np.ndarray:
    """The measurement nearest to each frame (frames,); NaN where none is within one period."""
    timestamps, values = series["timestamps"][:], series["data"][:]
    if not (np.diff(timestamps) > 0).all():
        logger.warning(
            "%s: %s is of little use, its timestamps do not rise: mend them",
            series.file.filename,
            series.name,
        )
    after = np.searchsorted(timestamps, time).clip(1, len(timestamps) - 1)
    nearest = after - (time - timestamps[after - 1] < timestamps[after] - time)
    period = max(np.median(np.diff(time)), np.median(np.diff(timestamps)))
    near = np.abs(timestamps[nearest] - time) < period
    if near.mean() < LEAST_MEASURED:
        logger.warning(
            "%s: %s is measured on %.0f %% of the imaging frames, are its timestamps seconds on "
            "their clock? What depends on it has few or no labels",
            series.file.filename,
            series.name,
            100 * near.mean(),
        )
    return np.where(near, values[nearest], np.nan).astype(np.float32)


def _stimuli(file: h5py.File, frames: int) -> dict[str, dict[str, np.ndarray]]:
    stimuli = {}
    for key, group in sorted(file.get("stimulus/presentation", {}).items()):
        name = key.removesuffix("_stimulus")
        try:
            columns = _spontaneous(group) if name == "spontaneous" else _presentations(group)
        except (KeyError, ValueError):
            raise InputError(
                f"{file.filename}: {group.name} is broken, its data, features and frame_duration "
                "are missing or do not fit each other: remove the file or mend it"
            ) from None
        start, end = columns["start"], columns["end"]
        wrong = np.flatnonzero((start < 0) | (end < start) | (end > frames))
        if len(wrong):
            row = wrong[0]
            raise InputError(
                f"{file.filename}: {name} presentation {row} is on frames {start[row]} to "
                f"{end[row]}, but the recording has {frames}: remove the file or mend its table"
            )
        order = np.argsort(start, kind="stable")
        stimuli[name] = {column: values[order] for column, values in columns.items()}
    return stimuli


def _presentations(group: h5py.Group) -> dict[str, np.ndarray]:
    start, end = _frame_duration(group)
    data = group["data"][:]
    if len(data) != len(start):
        raise ValueError("data and frame_duration differ in length")
    if "features" in group:
        names = [name.decode() for name in group["features"][:]]
        values = dict(zip(names, data.T.astype(np.float64), strict=True))
    else:
        values = {"index": data.reshape(len(start)).astype(np.int64)}
    return {"start": start, "end": end, **values}


def _spontaneous(group: h5py.Group) -> dict[str, np.ndarray]:
    """Episodes: a row of +1 starts one and the next row, of -1, ends it."""
    (start, end), sign = _frame_duration(group), group["data"][:].ravel()
    if (sign > 0).sum() != (sign < 0).sum():
        raise ValueError("an episode has no start or no end")
    return {"start": start[sign > 0], "end": end[sign < 0]}


def _frame_duration(group: h5py.Group) -> tuple[np.ndarray, np.ndarray]:
    start, end = group["frame_duration"][:].astype(np.int64).T
    return start, end

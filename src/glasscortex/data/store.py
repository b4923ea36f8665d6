"""The store: one Zarr a session, and the manifest beside it.

Layout (Zarr format 3, groups and named dimensions as `xarray.open_datatree` reads them):

- `/traces`: `dff` (cell, time) float32, `events` alike where they were inferred,
  `cell_specimen_id` (cell), `time` (time) in seconds
- `/behaviour`: `running_speed` (time) in cm/s and `pupil` (time), those that were measured
- `/stimulus/<name>`: one array a column along `presentation`; `start` and `end` are imaging
  frames, half-open; text is stored as numbers, and what 0, 1, … stand for in the attribute `text`
- attributes of the root: session, container, mouse, cre_line, area, depth, frame rate, source

A chunk of `dff` holds all cells of 2048 frames, frame after frame and not compressed: a window of
all cells is one short run of bytes in one or two files, and reading it needs nothing else. The
manifest holds the SHA-256 of every file of the Zarr: a folder cannot be
followed by its modification time, and a chunk that is lost or damaged would read as zeros.
"""

import json
import tempfile
import warnings
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
import zarr
from zarr.codecs import BytesCodec, TransposeCodec

from glasscortex.errors import InputError
from glasscortex.files import atomic_write, sha256

CHUNK_FRAMES = 2048

FRAME_BY_FRAME = (TransposeCodec(order=(1, 0)), BytesCodec(endian="little"))
"""How a chunk of traces becomes bytes."""


def write_manifest(zarr_path: Path, manifest: Path, **attributes: Any) -> None:
    """Write the SHA-256 of every file of a Zarr, beside it, as JSON.

    Parameters
    ----------
    zarr_path : Path
        Folder of the Zarr, complete.
    manifest : Path
        File to write.
    **attributes : JSON values
        More keys of the manifest, such as `session_id`.
    """
    files = {name: sha256(path) for name, path in _files(zarr_path).items()}
    with atomic_write(manifest) as temporary:
        temporary.write_text(json.dumps({**attributes, "files": files}, indent=1) + "\n")


def verify(zarr_path: Path, manifest: Path) -> dict[str, Any]:
    """Check every file of a Zarr against its manifest.

    Returns
    -------
    dict
        The attributes of the manifest, without `files`.

    Raises
    ------
    InputError
        A file is missing, damaged or not in the manifest, or the manifest cannot be read.
    """
    remedy = f"delete {zarr_path} and {manifest} and run the stage that made them again"
    try:
        attributes = json.loads(Path(manifest).read_text())
        expected = attributes.pop("files")
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"manifest {manifest} is missing or damaged: {remedy}") from None
    files = _files(zarr_path)
    for name in sorted(expected.keys() | files.keys()):
        if name not in files:
            raise InputError(f"store {zarr_path}: chunk {name} is missing: {remedy}")
        if name not in expected:
            raise InputError(f"store {zarr_path}: chunk {name} is not in its manifest: {remedy}")
        if sha256(files[name]) != expected[name]:
            raise InputError(f"store {zarr_path}: chunk {name} is damaged: {remedy}")
    return attributes


def _files(folder: Path) -> dict[str, Path]:
    """Files by relative path; hidden ones are a workflow manager's and no part of a Zarr."""
    paths = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path for path in paths if not path.name.startswith(".")
    }


def write_session(
    path: Path,
    *,
    attributes: Mapping[str, Any],
    blocks: Iterable[Mapping[str, np.ndarray]],
    time: np.ndarray,
    behaviour: Mapping[str, np.ndarray],
    stimuli: Mapping[str, Mapping[str, np.ndarray]],
) -> None:
    """Write the Zarr of one session; the same content gives the same bytes.

    The blocks go to a nameless file beside `path` as they come and are read back a chunk at a
    time: memory holds one block or one chunk (all cells × 2048 frames), disk the traces twice.

    Parameters
    ----------
    path : Path
        Folder to write.
    attributes : mapping of str to JSON values
        Attributes of the root, JSON values.
    blocks : iterable of mappings of str to numpy.ndarray
        The cells, block by block: `cell_specimen_id` (cells,) and `dff`, float32
        (cells, frames), each, and either all or none `events`, alike. A block may be empty;
        there is at least one cell.
    time : numpy.ndarray
        Seconds, (frames,).
    behaviour : mapping of str to numpy.ndarray
        Running speed (cm/s) and pupil, those measured, each (frames,).
    stimuli : mapping of str to mappings
        Columns of each stimulus, numbers or text, each (presentations,).
    """
    with ExitStack() as files:
        ids, spooled = [], {}
        for block in blocks:
            for name in block.keys() - {"cell_specimen_id"}:
                if name not in spooled:
                    spooled[name] = files.enter_context(
                        tempfile.TemporaryFile(dir=Path(path).parent)
                    )
                spooled[name].write(np.ascontiguousarray(block[name], "<f4").data)
            ids.append(block["cell_specimen_id"])
        cells = np.concatenate(ids)
        root = zarr.create_group(path, zarr_format=3, attributes=dict(attributes))
        traces = root.create_group("traces")
        for name, file in sorted(spooled.items()):
            _write_traces(traces, name, file, (len(cells), len(time)))
    _write_columns(traces, {"cell_specimen_id": cells}, "cell")
    _write_columns(traces, {"time": time}, "time")
    _write_columns(root.create_group("behaviour"), behaviour, "time")
    stimulus = root.create_group("stimulus")
    for name, columns in stimuli.items():
        _write_columns(stimulus.create_group(name), columns, "presentation")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", zarr.errors.ZarrUserWarning)  # not in the specification yet
        zarr.consolidate_metadata(root.store)


def _write_traces(group: zarr.Group, name: str, file: IO[bytes], shape: tuple[int, int]) -> None:
    """Write an array of the group from a file that holds it cell by cell."""
    cells, frames = shape
    array = group.create_array(
        name,
        shape=shape,
        dtype="float32",
        chunks=(cells, min(CHUNK_FRAMES, frames)),
        filters=FRAME_BY_FRAME[:1],
        serializer=FRAME_BY_FRAME[1],
        compressors=None,
        dimension_names=("cell", "time"),
        config={"write_empty_chunks": True},  # a chunk that is absent is lost, never zeros
    )
    for start in range(0, frames, CHUNK_FRAMES):
        chunk = np.empty((cells, min(CHUNK_FRAMES, frames - start)), "<f4")
        for cell, row in enumerate(chunk):
            file.seek(row.itemsize * (cell * frames + start))
            row[:] = np.frombuffer(file.read(row.nbytes), "<f4")
        array[:, start : start + chunk.shape[1]] = chunk


def _write_columns(group: zarr.Group, columns: Mapping[str, np.ndarray], dimension: str) -> None:
    for name, values in columns.items():
        attributes = None
        if values.dtype.kind in "OUT":
            texts, values = np.unique(values.astype(str), return_inverse=True)
            attributes = {"text": texts.tolist()}
        group.create_array(
            name,
            data=values,
            chunks=values.shape,
            dimension_names=(dimension,),
            attributes=attributes,
        )


class StoredSession:
    """One session as the store holds it.

    Attributes
    ----------
    attributes : dict
        session_id, container_id, mouse, cre_line, area, depth_um, session_type,
        frame_rate_hz, …
    """

    def __init__(self, path: Path):
        self._path = Path(path)
        self._root = zarr.open_group(path, mode="r")
        self._arrays: dict[str, zarr.Array] = {}
        self.attributes: dict[str, Any] = dict(self._root.attrs)

    @property
    def session_id(self) -> str:
        """Name of the session."""
        return self.attributes["session_id"]

    @property
    def frame_rate_hz(self) -> float:
        """Imaging frames a second."""
        return self.attributes["frame_rate_hz"]

    @property
    def cells(self) -> list[str]:
        """Names of the cells across sessions: "container_id/cell_specimen_id"."""
        container = self.attributes["container_id"]
        cells = np.asarray(self._array("traces/cell_specimen_id")[:])
        return [f"{container}/{cell}" for cell in cells]

    @property
    def time(self) -> np.ndarray:
        """Seconds, (frames,)."""
        return np.asarray(self._array("traces/time")[:])

    def dff(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """ΔF/F of the frames from `start` to before `stop`, float32 (cells, frames)."""
        return self._traces("dff", start, stop)

    def events(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Events of the frames from `start` to before `stop`, float32 (cells, frames).

        Raises
        ------
        InputError
            The store holds none.
        """
        if "traces/events" not in self._root:
            raise InputError(f"store {self._path} holds no events: set preprocess.events")
        return self._traces("events", start, stop)

    def behaviour(self) -> dict[str, np.ndarray]:
        """What was measured of running_speed (cm/s) and pupil, each (frames,)."""
        return _read_columns(self._group("behaviour"))

    def stimuli(self) -> dict[str, dict[str, np.ndarray]]:
        """Columns of each stimulus, each (presentations,), by name."""
        return {
            name: _read_columns(group) for name, group in sorted(self._group("stimulus").groups())
        }

    def _traces(self, name: str, start: int, stop: int | None) -> np.ndarray:
        """A window of an array, straight from the runs of bytes that hold its frames."""
        (cells, frames), length = self._layout(name)
        start, stop, _ = slice(start, stop).indices(frames)
        window = np.empty((cells, max(0, stop - start)), np.float32)
        for chunk in range(start // length, -(-stop // length)):
            first = max(start, chunk * length)
            last = min(stop, (chunk + 1) * length)
            run = np.fromfile(
                f"{self._path}/traces/{name}/c/0/{chunk}",
                dtype="<f4",
                count=(last - first) * cells,
                offset=(first - chunk * length) * cells * 4,
            )
            window[:, first - start : last - start] = run.reshape(last - first, cells).T
        return window

    def _layout(self, name: str) -> tuple[tuple[int, int], int]:
        """Shape (cells, frames) of an array, and frames of its chunks."""
        if name not in self._arrays:
            self._arrays[name] = self._array(f"traces/{name}")
        array = self._arrays[name]
        if getattr(array.metadata, "codecs", None) != FRAME_BY_FRAME:
            raise InputError(
                f"store {self._path}: {name} is not in this version's layout: delete the store and "
                "its manifest and run preprocess again"
            )
        cells, frames = array.shape
        return (cells, frames), array.chunks[1]

    def _array(self, name: str) -> zarr.Array:
        array = self._root[name]
        assert isinstance(array, zarr.Array)
        return array

    def _group(self, name: str) -> zarr.Group:
        group = self._root[name]
        assert isinstance(group, zarr.Group)
        return group


def _read_columns(group: zarr.Group) -> dict[str, np.ndarray]:
    return {name: _column(array) for name, array in sorted(group.arrays())}


def _column(array: zarr.Array) -> np.ndarray:
    values = np.asarray(array[:])
    return np.array(array.attrs["text"])[values] if "text" in array.attrs else values

"""The store: one Zarr a session, and the manifest beside it.

Layout (Zarr format 3, groups and named dimensions as `xarray.open_datatree` reads them):

- `/traces`: `dff` (cell, time) float32, `cell_specimen_id` (cell), `time` (time) in seconds
- `/behaviour`: `running_speed` (time) in cm/s and `pupil` (time), those that were measured
- `/stimulus/<name>`: one array a column along `presentation`; `start` and `end` are imaging
  frames, half-open
- attributes of the root: session, container, mouse, cre_line, area, depth, frame rate, source

A chunk of `dff` holds all cells of a few thousand frames, so that a window of all cells is one
or two reads. The manifest holds the SHA-256 of every file of the Zarr: a folder cannot be
followed by its modification time, and a chunk that is lost or damaged would read as zeros.
"""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from glasscortex.errors import InputError
from glasscortex.files import sha256, whole

CHUNK_FRAMES = 4096


def write_manifest(zarr_path: Path, manifest: Path, **attributes: Any) -> None:
    """Write the SHA-256 of every file of a Zarr, beside it, as JSON.

    Parameters
    ----------
    zarr_path
        Folder of the Zarr, complete.
    manifest
        File to write.
    **attributes
        More keys of the manifest, such as `session_id`.
    """
    files = {name: sha256(path) for name, path in _files(zarr_path).items()}
    with whole(manifest) as temporary:
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
    found = _files(zarr_path)
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            raise InputError(f"store {zarr_path}: chunk {name} is missing: {remedy}")
        if name not in expected:
            raise InputError(f"store {zarr_path}: chunk {name} is not in its manifest: {remedy}")
        if sha256(found[name]) != expected[name]:
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
    dff: np.ndarray,
    cell_specimen_ids: np.ndarray,
    time: np.ndarray,
    behaviour: Mapping[str, np.ndarray],
    stimuli: Mapping[str, Mapping[str, np.ndarray]],
) -> None:
    """Write the Zarr of one session; the same content gives the same bytes.

    Parameters
    ----------
    path
        Folder to write.
    attributes
        Attributes of the root, JSON values.
    dff
        ΔF/F, float32 (cells, frames).
    cell_specimen_ids
        (cells,)
    time
        Seconds, (frames,).
    behaviour
        Running speed (cm/s) and pupil, those measured, each (frames,).
    stimuli
        Columns of each stimulus, each (presentations,).
    """
    root = zarr.create_group(path, zarr_format=3, attributes=dict(attributes))
    traces = root.create_group("traces")
    chunks = (len(dff), min(CHUNK_FRAMES, dff.shape[1]))
    traces.create_array("dff", data=dff, chunks=chunks, dimension_names=("cell", "time"))
    _write_columns(traces, {"cell_specimen_id": cell_specimen_ids}, "cell")
    _write_columns(traces, {"time": time}, "time")
    _write_columns(root.create_group("behaviour"), behaviour, "time")
    stimulus = root.create_group("stimulus")
    for name, columns in stimuli.items():
        _write_columns(stimulus.create_group(name), columns, "presentation")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", zarr.errors.ZarrUserWarning)  # not in the specification yet
        zarr.consolidate_metadata(root.store)


def _write_columns(group: zarr.Group, columns: Mapping[str, np.ndarray], dimension: str) -> None:
    for name, values in columns.items():
        group.create_array(name, data=values, chunks=values.shape, dimension_names=(dimension,))


class StoredSession:
    """One session as the store holds it.

    Attributes
    ----------
    attributes : dict
        session_id, container_id, mouse, cre_line, area, depth_um, session_type,
        frame_rate_hz, …
    """

    def __init__(self, path: Path):
        self._root = zarr.open_group(path, mode="r")
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
        return [f"{container}/{cell}" for cell in self._root["traces/cell_specimen_id"][:]]

    @property
    def time(self) -> np.ndarray:
        """Seconds, (frames,)."""
        return self._root["traces/time"][:]

    def dff(self) -> np.ndarray:
        """ΔF/F, float32 (cells, frames)."""
        return self._root["traces/dff"][:]

    def behaviour(self) -> dict[str, np.ndarray]:
        """What was measured of running_speed (cm/s) and pupil, each (frames,)."""
        return _read_columns(self._root["behaviour"])

    def stimuli(self) -> dict[str, dict[str, np.ndarray]]:
        """Columns of each stimulus, each (presentations,), by name."""
        return {
            name: _read_columns(group) for name, group in sorted(self._root["stimulus"].groups())
        }


def _read_columns(group: zarr.Group) -> dict[str, np.ndarray]:
    return {name: array[:] for name, array in sorted(group.arrays())}

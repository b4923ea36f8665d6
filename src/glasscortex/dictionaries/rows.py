"""Tables of arrays that grow row by row on disk, and that xarray reads."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from jaxtyping import Shaped


class RowWriter:
    """Append rows to arrays of a Zarr group, in chunks that are written once.

    Memory holds less than two chunks and what is added at a time.

    Parameters
    ----------
    group : zarr.Group
        Where the arrays are made; the same content gives the same bytes.
    dimension : str
        Name of the rows.
    chunk : int
        Rows in a chunk.
    """

    def __init__(self, group: zarr.Group, dimension: str, chunk: int):
        self._group, self._dimension, self._chunk = group, dimension, chunk
        self._arrays: dict[str, zarr.Array[Any]] = {}
        self._waiting: dict[str, list[np.ndarray]] = {}

    def column(
        self, name: str, dtype: str, *, attributes: dict | None = None, **dimensions: int
    ) -> None:
        """Make an array of no rows.

        Parameters
        ----------
        name : str
            Name of the array.
        dtype : str
            Its type, as NumPy spells it.
        attributes : dict, optional
            Attributes of the array.
        **dimensions : int
            Name and size of each dimension after that of the rows.
        """
        self._arrays[name] = self._group.create_array(
            name,
            shape=(0, *dimensions.values()),
            chunks=(self._chunk, *dimensions.values()),
            dtype=dtype,
            dimension_names=(self._dimension, *dimensions),
            compressors=None,
            fill_value=0,
            attributes=attributes,
            config={"write_empty_chunks": True},  # a chunk that is absent is lost, never zeros
        )
        self._waiting[name] = []

    def add(self, **rows: Shaped[np.ndarray, "rows ..."]) -> None:
        """Append rows: the same number to every array."""
        for name, values in rows.items():
            self._waiting[name].append(values)
        if sum(map(len, self._waiting[name])) >= self._chunk:
            self._write(self._chunk)

    def flush(self) -> None:
        """Write the rows that do not fill a chunk."""
        if any(self._waiting.values()):
            self._write(1)

    def _write(self, multiple: int) -> None:
        for name, array in self._arrays.items():
            rows = np.concatenate(self._waiting[name])
            stop = len(rows) // multiple * multiple
            array.append(rows[:stop])
            self._waiting[name] = [rows[stop:]]


def consolidate(path: Path) -> None:
    """Gather the metadata of all arrays below a Zarr group in its root, so that it opens fast."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", zarr.errors.ZarrUserWarning)  # not in the specification yet
        zarr.consolidate_metadata(str(path))

"""A user's Zarr folder as hdmf-zarr writes NWB files: nothing in it is trusted.

Zarr format 2; what HDF5 has and Zarr has not, hdmf-zarr puts into attributes: links are a list
`zarr_link` of the group that holds them, and a reference is a dictionary with the path that it
leads to (https://hdmf-zarr.readthedocs.io, "Storage Specification"). Its own reader needs
zarr-python 2; this one is the version that the store needs.
"""

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import zarr

from glasscortex.data.tree import COPY_AGAIN, MOST_LINKS, Tree
from glasscortex.errors import InputError
from glasscortex.local import ZARR_GROUP

GROUP, ARRAY, ATTRIBUTES = ZARR_GROUP, ".zarray", ".zattrs"
"""Files that make a folder a group or an array, and its attributes."""

CODECS = {
    *("blosc", "bz2", "gzip", "lz4", "lzma", "zlib", "zstd", "shuffle", "delta"),
    *("vlen-utf8", "vlen-bytes", "json2"),
}
"""What chunks may be packed by. Others can run code that lies in the folder (pickle)."""

MOST_CHUNK_BYTES = 2**30
"""Of a chunk in memory."""


class ZarrFolder(Tree):
    """What is read from a Zarr folder.

    Links into other files, chunks that are missing, and those that unpack to more than a
    gibibyte are refused.
    """

    def __contains__(self, key: str) -> bool:
        return self._find(key) is not None

    def is_group(self, key: str) -> bool:
        folder = self._find(key)
        return folder is not None and (folder / GROUP).is_file()

    def names(self, key: str) -> list[str]:
        folder = self._find(key)
        if folder is None:
            return []
        if not (folder / GROUP).is_file():
            raise self.error(key, "must be a group", "mend the file")
        there = {entry.name for entry in folder.iterdir() if _is_node(entry)}
        return sorted(there | {link["name"] for link in self._links(folder) if _is_inside(link)})

    def attributes(self, key: str) -> dict[str, Any]:
        folder = self._find(key)
        if folder is None:
            return {}
        return {name: _plain(value) for name, value in self._json(folder / ATTRIBUTES).items()}

    def array(self, key: str) -> zarr.Array | np.ndarray:
        folder = self._find(key)
        if folder is None:
            raise self.error(key, "is missing", "mend or remove the file")
        if not (folder / ARRAY).is_file():
            raise self.error(key, "must be an array and is none", "mend the file")
        with self.reading(key):
            described = self._json(folder / ARRAY)
            packed = [described.get("compressor"), *(described.get("filters") or [])]
            if strange := {codec["id"] for codec in packed if codec} - CODECS:
                raise self.error(
                    key, f"is packed by {', '.join(sorted(strange))}", "write it without"
                )
            chunks = []
            for name in _chunks(described):  # a claim of terabytes ends at the first
                chunks.append(folder / name)
                if not chunks[-1].is_file():
                    raise self.error(key, f"lacks the chunk {name}", COPY_AGAIN)
            if {"id": "vlen-bytes"} in packed:
                return _bytes(chunks, described)
            array = zarr.open_array(folder, mode="r", zarr_format=2)
            if math.prod(array.chunks) * array.dtype.itemsize > MOST_CHUNK_BYTES:
                raise self.error(key, f"has chunks of {array.chunks}", "write smaller ones")
            return array

    def _find(self, key: str) -> Path | None:
        """The folder that a key names, if any, without leaving the root's."""
        found, names, links = self.path, key.split("/"), 0
        while names:
            name = names.pop(0)
            if not name:
                continue
            if _is_node(found / name) and name != "..":
                found = found / name
                continue
            link = next((link for link in self._links(found) if link["name"] == name), None)
            if link is None:
                return None
            if not _is_inside(link):
                raise self.error(key, "lies in another file", "copy it into this one")
            links += 1
            if links > MOST_LINKS:
                return None
            names, found = str(link["path"]).split("/") + names, self.path
        return found

    def _links(self, folder: Path) -> list[dict[str, Any]]:
        return self._json(folder / ATTRIBUTES).get("zarr_link", [])

    def _json(self, path: Path) -> dict[str, Any]:
        if not path.is_file():
            return {}
        with self.reading(os.path.relpath(path, self.path)):
            return dict(json.loads(path.read_text()))


def _chunks(described: dict[str, Any]) -> Iterator[str]:
    """Names of the files of an array."""
    counts = [range(-(-n // c)) for n, c in zip(described["shape"], described["chunks"])]
    separator = described.get("dimension_separator", ".")
    for place in product(*counts):
        yield separator.join(map(str, place)) or "0"


def _bytes(chunks: list[Path], described: dict[str, Any]) -> np.ndarray:
    """An array (values,) of byte strings, such as dates, whose fill value zarr 3 cannot read."""
    unpack = numcodecs.get_codec(described["compressor"]) if described["compressor"] else None
    stored = [chunk.read_bytes() for chunk in chunks]
    parts = [unpack.decode(part) if unpack else part for part in stored]
    return np.concatenate([numcodecs.VLenBytes().decode(part) for part in parts])


def _is_node(folder: Path) -> bool:
    return (folder / GROUP).is_file() or (folder / ARRAY).is_file()


def _is_inside(link: dict[str, Any]) -> bool:
    return link["source"] == "."


def _plain(value: Any) -> Any:
    """A reference as the key that it leads to, anything else as it is."""
    if isinstance(value, dict) and isinstance(value.get("value"), dict):
        return str(value["value"].get("path", "")).strip("/")
    return value


@contextmanager
def opened(path: Path) -> Iterator[ZarrFolder]:
    """Open a Zarr folder for reading.

    Parameters
    ----------
    path : Path
        A folder of the user's.

    Yields
    ------
    ZarrFolder
        What reads it.

    Raises
    ------
    InputError
        It is no group of Zarr format 2.
    """
    folder = Path(path)
    if not (folder / GROUP).is_file():
        raise InputError(f"{folder} is a folder without {GROUP}, no NWB Zarr: remove it")
    yield ZarrFolder(folder)

"""A user's HDF5 file: nothing in it is trusted, and nothing outside it is read."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from glasscortex.data.tree import COPY_AGAIN, MOST_LINKS, Tree, reason
from glasscortex.errors import InputError

MOST_COMPRESSED = 1032
"""Bytes that deflate, at most, makes of one: a dataset that claims more was never written."""
ELSEWHERE = "lies in another file", "copy it into this one"
IN_OTHERS = "is kept in other files", "copy it into this one"


class Hdf5File(Tree):
    """What is read from an open file.

    External links, data kept in other files (external storage, virtual datasets) and datasets
    that claim more than their stored bytes can hold are refused.

    Parameters
    ----------
    file : h5py.File
        The file, open.
    path : Path
        Its name in messages.
    """

    def __init__(self, file: h5py.File, path: Path):
        super().__init__(path)
        self._file = file

    def __contains__(self, key: str) -> bool:
        return self._find(key) is not None

    def is_group(self, key: str) -> bool:
        return isinstance(self._find(key), h5py.Group)

    def names(self, key: str) -> list[str]:
        group = self._find(key)
        if group is None:
            return []
        if not isinstance(group, h5py.Group):
            raise self.error(key, "must be a group", "mend the file")
        with self.reading(key):
            return sorted(group)

    def is_elsewhere(self, key: str) -> bool:
        group, _, name = key.rpartition("/")
        found = self._find(group)
        with self.reading(key):
            link = found.get(name, getlink=True) if isinstance(found, h5py.Group) else None
        return isinstance(link, h5py.ExternalLink)

    def attributes(self, key: str) -> dict[str, Any]:
        found = self._find(key)
        if found is None:
            return {}
        with self.reading(key):
            return {name: self._plain(value) for name, value in found.attrs.items()}

    def array(self, key: str) -> h5py.Dataset:
        dataset = self._find(key)
        if dataset is None:
            raise self.error(key, "is missing", "mend or remove the file")
        if not isinstance(dataset, h5py.Dataset):
            raise self.error(key, "must be a dataset and is none", "mend the file")
        with self.reading(key):
            if _is_in_others(dataset):
                raise self.error(key, *IN_OTHERS)
            claimed, stored = dataset.size * dataset.dtype.itemsize, dataset.id.get_storage_size()
            if claimed > MOST_COMPRESSED * stored:
                raise self.error(
                    key,
                    f"claims {dataset.shape} values, but {stored} bytes are stored",
                    COPY_AGAIN,
                )
        return dataset

    def refuse_other_files(self) -> None:
        """Refuse a file of which anything lies in another, for libraries that would go there.

        Raises
        ------
        InputError
            Names the first.
        """

        def leads_out(key: str, link: Any) -> tuple[str, str, str] | None:
            if isinstance(link, h5py.ExternalLink):
                return key, *ELSEWHERE
            found = self._file[key] if isinstance(link, h5py.HardLink) else None
            is_array = isinstance(found, h5py.Dataset)
            return (key, *IN_OTHERS) if is_array and _is_in_others(found) else None

        with self.reading(""):
            out = self._file.visititems_links(leads_out)
        if out:
            raise self.error(*out)

    def _find(self, key: str) -> h5py.Group | h5py.Dataset | None:
        """What a key names, if anything, without leaving the file."""
        found, names, links = self._file, key.split("/"), 0
        while names:
            name = names.pop(0)
            if not name:
                continue
            if not isinstance(found, h5py.Group):
                raise self.error(key, "should lie in a group that is none", "mend the file")
            with self.reading(key):
                link = found.get(name, getlink=True)
            if link is None and not links:
                return None
            if link is None or links > MOST_LINKS:
                raise self.error(key, "is a link that leads nowhere", "mend the file")
            if isinstance(link, h5py.ExternalLink):
                raise self.error(key, *ELSEWHERE)
            if isinstance(link, h5py.SoftLink):
                links += 1
                names = link.path.split("/") + names
                found = self._file if link.path.startswith("/") else found
                continue
            with self.reading(key):
                found = found[name]
        return found

    def _plain(self, value: Any) -> Any:
        """The value of an attribute as Python has it."""
        if isinstance(value, h5py.Reference):
            return self._file[value].name.strip("/") if value else ""
        if isinstance(value, bytes):
            return value.decode()
        if isinstance(value, np.ndarray):
            return [self._plain(item) for item in value.ravel().tolist()]
        return value.item() if isinstance(value, np.generic) else value


def _is_in_others(dataset: h5py.Dataset) -> bool:
    """Whether external storage or a virtual dataset keeps the values elsewhere."""
    return bool(dataset.external or dataset.is_virtual)


@contextmanager
def opened(path: Path) -> Iterator[Hdf5File]:
    """Open a file for reading.

    Parameters
    ----------
    path : Path
        An HDF5 file of the user's.

    Yields
    ------
    Hdf5File
        What reads it.

    Raises
    ------
    InputError
        It is not there, cannot be read, or is no HDF5 file.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: there is no such file: check the path in sessions.csv")
    if not path.is_file():
        raise InputError(f"{path} is no file: remove it")
    try:
        with open(path, "rb"):
            is_hdf5 = h5py.is_hdf5(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({reason(error)}): change its permissions"
        ) from None
    if not is_hdf5:
        raise InputError(f"{path} is not an NWB file (HDF5): remove it or download it again")
    with read_from(path, path) as tree:
        yield tree


@contextmanager
def read_from(file: Path | io.RawIOBase, path: Path) -> Iterator[Hdf5File]:
    """Open an HDF5 file of which only that is known.

    Parameters
    ----------
    file : Path or file object
        Where its bytes are read from.
    path : Path
        Its name in messages.

    Yields
    ------
    Hdf5File
        What reads it.

    Raises
    ------
    InputError
        It is damaged.
    """
    try:
        opened_file = h5py.File(file, "r")
    except Exception as error:  # of any kind, see Tree.reading
        raise InputError(
            f"{path} is truncated or damaged ({reason(error)}): {COPY_AGAIN}"
        ) from None
    with opened_file:
        yield Hdf5File(opened_file, path)

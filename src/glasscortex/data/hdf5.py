"""A user's HDF5 file: nothing in it is trusted, and nothing outside it is read.

Whatever is wrong with it raises an error of one line that names file, key and remedy.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from glasscortex.errors import InputError

MOST_COMPRESSED = 1032
"""Bytes that deflate, at most, makes of one: a dataset that claims more was never written."""

MOST_LINKS = 16
"""Soft links on the way to an object; more lead in a circle."""

COPY_AGAIN = "download or copy it again"


class Hdf5File:
    """What is read from an open file; a key is the path of a group or dataset.

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
        self._file = file
        self.path = path

    def __contains__(self, key: str) -> bool:
        return self._find(key) is not None

    def names(self, key: str) -> list[str]:
        """Names in a group, sorted; none where there is no such group."""
        group = self._find(key)
        if group is None:
            return []
        if not isinstance(group, h5py.Group):
            raise self.error(key, "must be a group", "mend the file")
        with self._reading(key):
            return sorted(group)

    def shape(self, key: str) -> tuple[int, ...]:
        """Shape of a dataset."""
        return self._dataset(key).shape

    def texts(self, key: str) -> list[str]:
        """All strings of a dataset of any shape; numbers as they are written."""
        dataset = self._dataset(key)
        with self._reading(key):
            if dataset.dtype.kind not in "SUOiuf":
                raise self.error(key, "must be text", "mend the file")
            values = np.ravel(dataset[()])
            return [v.decode() if isinstance(v, bytes) else str(v) for v in values]

    def numbers(self, key: str, ndim: int = 1) -> np.ndarray:
        """All numbers of a dataset."""
        dataset = self._numeric(key)
        if dataset.ndim != ndim:
            raise self.error(
                key, f"has shape {dataset.shape}, but must have {ndim} dimensions", "mend the file"
            )
        with self._reading(key):
            return dataset[()]

    def whole(self, key: str, what: str, ndim: int = 1) -> np.ndarray:
        """All numbers of a dataset that must be whole, int64; `what` says what they are."""
        values = self.numbers(key, ndim)
        if values.dtype.kind == "f":
            odd = values[~np.isfinite(values) | (values != np.rint(values))]
            if odd.size:
                raise self.error(
                    key, f"must hold {what}, but {odd[0]:g} is no whole number", "mend the file"
                )
        if values.size and max(abs(float(values.min())), float(values.max())) >= 2.0**63:
            raise self.error(key, f"must hold {what}, but one has 20 digits", "mend the file")
        return values.astype(np.int64)

    def rows(self, key: str, rows: slice, shape: tuple[int, ...]) -> np.ndarray:
        """Some rows of a dataset of numbers that must have a shape."""
        dataset = self._numeric(key)
        if dataset.shape != shape:
            raise self.error(
                key,
                f"has shape {dataset.shape}, but there are "
                + " and ".join(f"{n} {of}" for n, of in zip(shape, ("cells", "timestamps"))),
                "remove the file or write it again",
            )
        with self._reading(key), np.errstate(over="ignore"):
            return dataset[rows].astype(np.float32)

    def error(self, key: str, what: str, remedy: str) -> InputError:
        """The error that something is wrong with what the file holds under a key."""
        return InputError(f"{self.path}: /{key} {what}: {remedy}")

    def _find(self, key: str) -> h5py.Group | h5py.Dataset | None:
        """What a key names, if anything, without leaving the file."""
        found, names, links = self._file, key.split("/"), 0
        while names:
            name = names.pop(0)
            if not name:
                continue
            if not isinstance(found, h5py.Group):
                raise self.error(key, "should lie in a group that is none", "mend the file")
            with self._reading(key):
                link = found.get(name, getlink=True)
            if link is None and not links:
                return None
            if link is None or links > MOST_LINKS:
                raise self.error(key, "is a link that leads nowhere", "mend the file")
            if isinstance(link, h5py.ExternalLink):
                raise self.error(key, "lies in another file", "copy it into this one")
            if isinstance(link, h5py.SoftLink):
                links += 1
                names = link.path.split("/") + names
                found = self._file if link.path.startswith("/") else found
                continue
            with self._reading(key):
                found = found[name]
        return found

    def _dataset(self, key: str) -> h5py.Dataset:
        dataset = self._find(key)
        if dataset is None:
            raise self.error(key, "is missing", "mend or remove the file")
        if not isinstance(dataset, h5py.Dataset):
            raise self.error(key, "must be a dataset and is none", "mend the file")
        with self._reading(key):
            if dataset.external or dataset.is_virtual:
                raise self.error(key, "is kept in other files", "copy it into this one")
            claimed, stored = dataset.size * dataset.dtype.itemsize, dataset.id.get_storage_size()
            if claimed > MOST_COMPRESSED * stored:
                raise self.error(
                    key,
                    f"claims {dataset.shape} values, but {stored} bytes are stored",
                    COPY_AGAIN,
                )
        return dataset

    def _numeric(self, key: str) -> h5py.Dataset:
        dataset = self._dataset(key)
        with self._reading(key):
            if dataset.dtype.kind not in "iufb":
                raise self.error(key, f"must hold numbers, not {dataset.dtype}", "mend the file")
        return dataset

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        """Around all that h5py does, which raises errors of any kind on a damaged file."""
        try:
            yield
        except InputError:
            raise
        except Exception as error:
            raise InputError(
                f"{self.path} is truncated or damaged (/{key}: {_reason(error)}): {COPY_AGAIN}"
            ) from None


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
            f"{path} cannot be read ({_reason(error)}): change its permissions"
        ) from None
    if not is_hdf5:
        raise InputError(f"{path} is not an NWB file (HDF5): remove it or download it again")
    try:
        file = h5py.File(path, "r")
    except Exception as error:  # of any kind, see Hdf5File
        raise InputError(
            f"{path} is truncated or damaged ({_reason(error)}): {COPY_AGAIN}"
        ) from None
    with file:
        yield Hdf5File(file, path)


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text.splitlines()[0] if text else type(error).__name__

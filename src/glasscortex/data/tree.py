"""A user's file of groups and arrays: nothing in it is trusted, and nothing outside it is read.

Whatever is wrong with it raises an error of one line that names file, key and remedy.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from glasscortex.errors import InputError

COPY_AGAIN = "download or copy it again"

MOST_LINKS = 16
"""Links on the way to an object; more lead in a circle."""

SLAB_BYTES = 2**24
"""Of an array that is read a part after the other, in memory at once."""

TEXT = "SUTO"
"""Kinds of NumPy's types that hold text, as HDF5 or Zarr give it."""


class Tree(ABC):
    """What is read from an open file; a key is the path of a group or array, "" the root's.

    Parameters
    ----------
    path : Path
        Its name in messages.
    """

    def __init__(self, path: Path):
        self.path = path

    @abstractmethod
    def __contains__(self, key: str) -> bool: ...

    @abstractmethod
    def is_group(self, key: str) -> bool:
        """Whether there is a group under a key."""

    @abstractmethod
    def names(self, key: str) -> list[str]:
        """Names in a group, sorted; none where there is no group."""

    def is_elsewhere(self, key: str) -> bool:
        """Whether a name in a group is only a link to another file."""
        return False

    @abstractmethod
    def attributes(self, key: str) -> dict[str, Any]:
        """Attributes of a group or array; a reference is the key that it leads to."""

    @abstractmethod
    def array(self, key: str) -> Any:
        """An array, once what it claims can be stored; has shape, dtype, chunks, and is indexed."""

    def shape(self, key: str) -> tuple[int, ...]:
        """Shape of an array."""
        return self.array(key).shape

    def texts(self, key: str) -> list[str]:
        """All strings of an array of any shape; numbers as they are written."""
        array = self.array(key)
        with self.reading(key):
            if array.dtype.kind not in TEXT + "iuf":
                raise self.error(key, "must be text", "mend the file")
            values = np.ravel(array[()])
            return [v.decode() if isinstance(v, bytes) else str(v) for v in values]

    def numbers(self, key: str, ndim: int = 1) -> np.ndarray:
        """All numbers of an array."""
        array = self._numeric(key)
        if array.ndim != ndim:
            raise self.error(
                key, f"has shape {array.shape}, but must have {ndim} dimensions", "mend the file"
            )
        with self.reading(key):
            return array[()]

    def whole(self, key: str, what: str, ndim: int = 1) -> np.ndarray:
        """All numbers of an array that must be whole, int64; `what` says what they are."""
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

    def field(self, key: str, name: str) -> np.ndarray:
        """All numbers of one field of an array of records."""
        array = self.array(key)
        with self.reading(key):
            if name not in (array.dtype.names or ()):
                raise self.error(key, f"has no field {name}", "mend the file")
            return array[()][name]

    def rows(self, key: str, rows: slice, shape: tuple[int, ...]) -> np.ndarray:
        """Some rows, float32, of an array of numbers that must have a shape."""
        array = self._numeric(key)
        if array.shape != shape:
            raise self.error(
                key,
                f"has shape {array.shape}, but there are "
                + " and ".join(f"{n} {of}" for n, of in zip(shape, ("cells", "timestamps"))),
                "remove the file or write it again",
            )
        with self.reading(key), np.errstate(over="ignore"):
            return array[rows].astype(np.float32)

    def slabs(self, key: str) -> Iterator[tuple[int, np.ndarray]]:
        """All rows of an array of numbers, some after the other, with the place of the first.

        A slab is whole chunks of the file, so that none is read twice.
        """
        array = self._numeric(key)
        rows = array.chunks[0] if array.chunks else 1
        row_bytes = array.dtype.itemsize * int(np.prod(array.shape[1:]))
        step = rows * max(1, SLAB_BYTES // max(1, rows * row_bytes))
        for first in range(0, array.shape[0], step):
            with self.reading(key):
                slab = array[first : first + step]
            yield first, slab

    def error(self, key: str, what: str, remedy: str) -> InputError:
        """The error that something is wrong with what the file holds under a key."""
        return InputError(f"{self.path}: /{key} {what}: {remedy}")

    @contextmanager
    def reading(self, key: str) -> Iterator[None]:
        """Around all that a library does, which raises errors of any kind on a damaged file."""
        try:
            yield
        except InputError:
            raise
        except Exception as error:
            raise InputError(
                f"{self.path} is truncated or damaged (/{key}: {reason(error)}): {COPY_AGAIN}"
            ) from None

    def _numeric(self, key: str) -> Any:
        array = self.array(key)
        with self.reading(key):
            if array.dtype.kind not in "iufb":
                raise self.error(key, f"must hold numbers, not {array.dtype}", "mend the file")
        return array


def reason(error: Exception) -> str:
    """What an error of a library says, in one line."""
    text = getattr(error, "strerror", None) or str(error)
    return text.splitlines()[0] if text else type(error).__name__

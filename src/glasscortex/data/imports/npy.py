"""Files of NumPy's that others wrote: arrays, and Python's objects without running what they say.

`np.save` pickles objects, and a pickle may call any function. Nothing that it names is called here:
every name that NumPy writes, and those of dates and paths, stand for classes of this module that
only keep what they are given. Another name is refused.
"""

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np

from glasscortex.data.tree import COPY_AGAIN, reason
from glasscortex.errors import InputError

PLAIN = re.compile(r"[biufSU]\d{1,6}")
"""Types of elements that are no objects."""


class _StandIn:
    """What a pickle makes of a name: its arguments and its state are kept, nothing else happens."""

    def __init__(self, *given: Any):
        self.given = given
        self.state: Any = ()

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Dtype(_StandIn):
    @property
    def plain(self) -> np.dtype:
        code, order = str(self.given[0]), str(self.state[1] if self.state else "|")
        if not PLAIN.fullmatch(code) or order not in tuple("<>|="):
            raise ValueError(f"elements of type {order}{code}")
        return np.dtype(order + code)


class _Array(_StandIn):
    @property
    def items(self) -> list[Any]:
        """The elements of an array of objects."""
        (*_, items) = self.state
        if not isinstance(items, list):
            raise ValueError("an array of numbers in place of objects")
        return items

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        _, shape, kind, in_columns, data = self.state
        values = np.frombuffer(data, kind.plain).reshape(shape, order="F" if in_columns else "C")
        return values.astype(dtype) if dtype is not None else values


class _Scalar(_StandIn):
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        kind, data = self.given
        return np.frombuffer(data, kind.plain).reshape(()).astype(dtype or kind.plain)


NAMES: dict[tuple[str, str], type[_StandIn]] = {
    **{
        (f"numpy.{core}.multiarray", name): stand_in
        for core in ("core", "_core")
        for name, stand_in in (("_reconstruct", _Array), ("scalar", _Scalar))
    },
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    **{("datetime", name): _StandIn for name in ("datetime", "timezone", "timedelta")},
    **{
        (module, name): _StandIn
        for module in ("pathlib", "pathlib._local")
        for name in ("Path", "PosixPath", "WindowsPath")
    },
}
"""All that a pickle may name, and what is made of it."""


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: Any, path: Path):
        super().__init__(file)
        self._path = path

    def find_class(self, module: str, name: str) -> type[_StandIn]:
        if (module, name) not in NAMES:
            named = repr(f"{module}.{name}")
            raise InputError(
                f"{self._path} names {named}, which may run code: nothing of it was run, get the "
                "file from whom you trust, or save it anew"
            )
        return NAMES[module, name]


def read_array(path: Path, ndim: int) -> np.ndarray:
    """An array of finite or infinite numbers, which stays on disk until it is indexed.

    Parameters
    ----------
    path : Path
        A file that `np.save` wrote.
    ndim : int
        Its dimensions.

    Raises
    ------
    InputError
        It is missing or damaged, or holds anything else.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if array.ndim != ndim or array.dtype.kind not in "biuf":
            raise ValueError(f"shape {array.shape} of {array.dtype}, not {ndim} axes of numbers")
    except FileNotFoundError:
        raise InputError(f"{path} is missing: give a folder that is whole") from None
    except Exception as error:  # of any kind, on a damaged file
        raise _damaged(path, error) from None
    return array


def read_objects(path: Path) -> list[dict[str, Any]]:
    """The dictionaries that an array of objects holds; arrays and numbers in them become NumPy's.

    What may stand in a dictionary beside text and Python's own numbers is to be asked for with
    `np.asarray`; dates and paths are not read.

    Parameters
    ----------
    path : Path
        A file that `np.save` wrote.

    Raises
    ------
    InputError
        It is missing or damaged, is no array of dictionaries, or names what may run code.
    """
    try:
        with open(path, "rb") as file:
            version = np.lib.format.read_magic(file)
            header = np.lib.format.read_array_header_1_0
            if version != (1, 0):
                header = np.lib.format.read_array_header_2_0
            _, _, kind = header(file)
            if not kind.hasobject:
                raise ValueError(f"elements of type {kind}, not objects")
            items = _Unpickler(file, path).load().items
        if not all(isinstance(item, dict) for item in items):
            raise ValueError("objects that are no dictionaries")
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path} is missing: give a folder that is whole") from None
    except Exception as error:  # of any kind, on a damaged file
        raise _damaged(path, error) from None
    return items


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path} is damaged or of another program ({reason(error)}): {COPY_AGAIN}")

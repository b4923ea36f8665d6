"""Every key of a recording, broken in every way."""

import logging
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np

from glasscortex.data.nwb import read
from glasscortex.errors import InputError
from tests.data.conftest import write_nwb

PLACE = "/somewhere/else.h5"


def _changed(how: Callable[[np.ndarray], np.ndarray]) -> Callable[[h5py.File, str], None]:
    def edit(file: h5py.File, key: str) -> None:
        value = how(file[key][()])
        del file[key]
        file[key] = value

    return edit


def _put(value: object) -> Callable[[h5py.File, str], None]:
    def edit(file: h5py.File, key: str) -> None:
        del file[key]
        file[key] = value

    return edit


def _first(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def how(values: np.ndarray) -> np.ndarray:
        values = values.astype(float)
        values.flat[0] = value
        return values

    return how


def _empty(file: h5py.File, key: str) -> None:
    del file[key]
    file.create_group(key)


def _terabytes(file: h5py.File, key: str) -> None:
    shape, dtype = file[key].shape, file[key].dtype
    del file[key]
    file.create_dataset(key, (10**9, *shape[1:]), dtype, chunks=(1000, *shape[1:]))


def _elsewhere(file: h5py.File, key: str) -> None:
    shape, dtype = file[key].shape, file[key].dtype
    del file[key]
    outside = [("/etc/hostname", 0, h5py.h5f.UNLIMITED)]
    file.create_dataset(key, shape, dtype, external=outside)


def _virtual(file: h5py.File, key: str) -> None:
    shape, dtype = file[key].shape, file[key].dtype
    layout = h5py.VirtualLayout(shape, dtype)
    layout[...] = h5py.VirtualSource(PLACE, "x", shape)
    del file[key]
    file.create_virtual_dataset(key, layout)


ANYTHING = {
    "deleted": lambda file, key: file.__delitem__(key),
    "an external link": _put(h5py.ExternalLink(PLACE, "/x")),
    "a soft link to nowhere": _put(h5py.SoftLink("/nowhere")),
    "a soft link to itself": lambda file, key: _put(h5py.SoftLink(f"/{key}"))(file, key),
    "a number": _put(1.0),
    "a compound": _put(np.zeros(2, [("a", int), ("b", "S3")])),
    "an empty group": _empty,
}
DATASETS = {
    "nothing in it": _put(np.empty(0)),
    "no space": lambda file, key: _put(h5py.Empty("f8"))(file, key),
    "text": _put(np.bytes_("x")),
    "text that is not UTF-8": _put(np.bytes_(b"\xff\xfe")),
    "texts": _put(np.array([b"a", b"b"])),
}
ARRAYS = {
    "a dimension more": _changed(lambda values: values[..., None]),
    "half of it": _changed(lambda values: values[: len(values) // 2]),
    "twice": _changed(lambda values: np.concatenate([values, values])),
    "terabytes": _terabytes,
    "stored elsewhere": _elsewhere,
    "virtual": _virtual,
}
NUMBERS = {
    "a dimension fewer": _changed(np.ravel),
    "turned over": _changed(lambda values: values.T),
    "all NaN": _changed(lambda values: np.full(values.shape, np.nan)),
    "one NaN": _changed(_first(np.nan)),
    "one infinite": _changed(_first(np.inf)),
    "one of 1e300": _changed(_first(1e300)),
    "one negative": _changed(_first(-1e6)),
    "backwards": _changed(lambda values: values[::-1]),
    "all the same": _changed(lambda values: np.full_like(values, values.flat[0])),
    "complex": _changed(lambda values: values.astype(complex)),
    "truth values": _changed(lambda values: values > 0),
}


def attacks(file: h5py.File) -> Iterator[tuple[str, str, Callable[[h5py.File, str], None]]]:
    """(key, name, edit) of each way to break each key of the file."""
    keys: list[str] = []
    file.visit(keys.append)
    for key in keys:
        ways = dict(ANYTHING)
        if isinstance(file[key], h5py.Dataset):
            ways |= DATASETS
            ways |= ARRAYS if file[key].shape else {}
            ways |= NUMBERS if file[key].shape and file[key].dtype.kind in "iuf" else {}
        for name, edit in ways.items():
            yield key, name, edit


def outcomes(folder: Path) -> Iterator[tuple[str, str, str]]:
    """(key, way, outcome) of each key of a recording broken in each way, in turn."""
    whole, path = write_nwb(folder / "whole.nwb"), folder / "100.nwb"
    shutil.copyfile(whole, path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a number that overflows is no value of the recording's
        expected = contents(path)
        with h5py.File(whole) as file:
            ways = list(attacks(file))
        for key, name, edit in ways:
            shutil.copyfile(whole, path)
            with h5py.File(path, "r+") as file:
                edit(file, key)
            yield key, name, outcome(path, expected)


def contents(path: Path) -> tuple[list[bytes], set[str]]:
    """All that is read of a recording, and what is warned of."""
    warned = _Warned()
    logging.getLogger("glasscortex").addHandler(warned)
    try:
        return _contents(path), warned.lines
    finally:
        logging.getLogger("glasscortex").removeHandler(warned)


def _contents(path: Path) -> list[bytes]:
    recording = read(path)
    cells = slice(0, len(recording.cell_specimen_ids))
    columns = [column for stimulus in recording.stimuli.values() for column in stimulus.items()]
    return [
        repr((recording.metadata, list(recording.stimuli), [name for name, _ in columns])).encode(),
        *(np.ascontiguousarray(column).tobytes() for _, column in columns),
        *(trace.tobytes() for trace in recording.behaviour.values()),
        recording.cell_specimen_ids.tobytes(),
        recording.time.tobytes(),
        recording.stored_dff(cells).tobytes(),
        recording.corrected_fluorescence(cells).tobytes(),
    ]


class _Warned(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.add(record.getMessage())


def outcome(path: Path, whole: tuple[list[bytes], set[str]]) -> str:
    """What comes of reading it, where `whole` came of it before it was broken.

    One of "clear" (refused in a line that names the file), "warned" (read otherwise, with a
    warning), "same" (nothing that is read was broken), "silent" (read otherwise without a word), or
    what it failed with.
    """
    try:
        found, warned = contents(path)
    except InputError as error:
        line = str(error)
        return "clear" if path.name in line and "\n" not in line else f"unclear: {line}"
    except Exception as error:
        return f"traceback: {type(error).__name__}: {error}"
    if warned - whole[1]:
        return "warned"
    return "same" if found == whole[0] else "silent"

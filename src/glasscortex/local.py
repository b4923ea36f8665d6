"""Recordings of the user's as they lie on disk: NWB files, and folders that are a Zarr.

Snakemake takes no folder for a file. What stands for a Zarr folder, as an input or at the end of
a link, is therefore the file `.zgroup` in it, which makes it a Zarr.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from glasscortex.files import sha256

ZARR_GROUP = ".zgroup"


def recordings_in(folder: Path) -> list[Path]:
    """NWB files (*.nwb) and Zarr folders (*.zarr) in a folder, sorted.

    They are looked for in its folders sub-* as well, which archives make one a mouse.
    """
    folder = Path(folder)
    found = []
    for place in (folder, *folder.glob("sub-*")):
        found += [*place.glob("*.nwb"), *(p for p in place.glob("*.zarr") if p.is_dir())]
    return sorted(set(found), key=str)


def entrance(path: Path) -> Path:
    """The file that stands for a recording: itself, or the `.zgroup` of a Zarr folder."""
    path = Path(path)
    return path / ZARR_GROUP if path.is_dir() else path


def zarr_of(path: Path) -> Path | None:
    """The Zarr folder that a path stands for, if it is one or leads to its entrance."""
    path = Path(path)
    if path.is_dir():
        return path
    there = path.resolve()
    return there.parent if there.name == ZARR_GROUP else None


def files_of(path: Path) -> dict[str, Path]:
    """The files that a recording is made of, by relative path: one, or all of its Zarr folder."""
    folder = zarr_of(path)
    if folder is None:
        return {Path(path).name: Path(path)}
    return {
        os.path.relpath(os.path.join(place, name), folder): Path(place, name)
        for place, _, names in sorted(os.walk(folder))
        for name in sorted(names)
    }


def version_of(path: Path) -> tuple[str, int, int]:
    """Name, size and time of the last change of a recording."""
    stats = [file.stat() for file in files_of(path).values()]
    return str(path), sum(s.st_size for s in stats), max(s.st_mtime_ns for s in stats)


def recording_sha256(path: Path, of_file: Callable[[Path], str] = sha256) -> str:
    """The SHA-256 of a file, or of the Zarr folder that it leads into.

    That of a folder is of the list of its files' as `sha256sum` prints it, in order of their names.

    Parameters
    ----------
    path : Path
        Any file, or a Zarr folder.
    of_file : callable
        Tells that of each file.
    """
    if zarr_of(path) is None:
        return of_file(path)
    files = sorted(files_of(path).items())
    listed = "".join(f"{of_file(file)}  {name}\n" for name, file in files)
    return hashlib.sha256(listed.encode()).hexdigest()

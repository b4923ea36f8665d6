"""Read a recording, whatever the format of its file: the Allen's NWB 1.0, or NWB 2."""

from pathlib import Path
from types import ModuleType

import numpy as np

from glasscortex.data.metadata import Metadata
from glasscortex.data.nwb1 import recording as nwb1
from glasscortex.data.nwb2 import recording as nwb2
from glasscortex.data.recording import Recording
from glasscortex.data.tree import Tree
from glasscortex.data.trees import opened


def read_metadata(path: Path) -> Metadata:
    """Metadata of an NWB file.

    Parameters
    ----------
    path : Path
        An HDF5 file or a Zarr folder.

    Raises
    ------
    InputError
        It is no recording that can be read.
    """
    with opened(path) as tree:
        return metadata_of(tree)


def metadata_of(tree: Tree) -> Metadata:
    """Metadata of an open NWB file.

    Parameters
    ----------
    tree : Tree
        The file.

    Raises
    ------
    InputError
        It is no recording that can be read.
    """
    return _reader(tree).read_metadata(tree)


def read(path: Path) -> Recording:
    """Open a recording and check everything but the values of its traces.

    Parameters
    ----------
    path : Path
        An HDF5 file or a Zarr folder.

    Raises
    ------
    InputError
        It is no recording that can be read, or a stimulus table does not fit it.
    """
    with opened(path) as tree:
        return _reader(tree).read(tree)


def read_motion(path: Path) -> np.ndarray | None:
    """Shift of every frame that motion correction undid, pixels in x and y, (frames, 2).

    None where the file holds none.

    Parameters
    ----------
    path : Path
        An HDF5 file or a Zarr folder.

    Raises
    ------
    InputError
        It is no recording that can be read.
    """
    with opened(path) as tree:
        return _reader(tree).read_motion(tree)


def is_nwb2(tree: Tree) -> bool:
    """Whether a file says in its root's attributes that it is NWB 2."""
    version = str(tree.attributes("").get("nwb_version", ""))
    return version.removeprefix("NWB-").startswith("2")


def _reader(tree: Tree) -> ModuleType:
    return nwb2 if is_nwb2(tree) else nwb1

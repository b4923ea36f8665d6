"""Open a user's file, whether it is HDF5 or a Zarr folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glasscortex.data import hdf5
from glasscortex.data.tree import Tree
from glasscortex.local import zarr_of


@contextmanager
def opened(path: Path) -> Iterator[Tree]:
    """Open a file or Zarr folder for reading.

    Parameters
    ----------
    path : Path
        An HDF5 file or a Zarr folder of the user's, or what stands for it.

    Yields
    ------
    Tree
        What reads it.

    Raises
    ------
    InputError
        It is not there, cannot be read, or is neither.
    """
    folder = zarr_of(path)
    if folder is None:
        with hdf5.opened(path) as file:
            yield file
    else:
        from glasscortex.data import zarr_folder

        with zarr_folder.opened(folder) as tree:
            yield tree

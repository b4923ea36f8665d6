"""What a recording holds to look at: the masks of its cells, and the pictures that were shown."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32

from glasscortex.data.hdf5 import opened
from glasscortex.data.nwb1.layout import CELL_SPECIMEN_IDS, SEGMENTATION, TEMPLATES

PLANE = f"{SEGMENTATION}/imaging_plane_1"
SUFFIX = "_image_stack"


def read_masks(path: Path) -> Iterator[tuple[int, Bool[np.ndarray, "height width"]]]:
    """The id of each cell and its pixels, one at a time; nothing where the file holds no masks.

    Parameters
    ----------
    path : Path
        An NWB file of the Allen layout.

    Raises
    ------
    InputError
        The file cannot be read, or its masks are not one a cell.
    """
    with opened(path) as file:
        if f"{PLANE}/roi_list" not in file:
            return
        ids = file.whole(CELL_SPECIMEN_IDS, "ids of cells")
        names = file.texts(f"{PLANE}/roi_list")
        if len(names) != len(ids):
            raise file.error(f"{PLANE}/roi_list", f"does not name {len(ids)} cells", "mend it")
        for cell, name in zip(ids.tolist(), names, strict=True):
            key = f"{PLANE}/{name}/img_mask"
            if key in file:
                yield cell, file.numbers(key, ndim=2) > 0


def shown_pictures(path: Path) -> dict[str, int]:
    """How many pictures of each stimulus a file holds.

    Parameters
    ----------
    path : Path
        An NWB file of the Allen layout.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    with opened(path) as file:
        stacks = [name for name in file.names(TEMPLATES) if name.endswith(SUFFIX)]
        keys = {name.removesuffix(SUFFIX): f"{TEMPLATES}/{name}/data" for name in stacks}
        return {name: file.shape(key)[0] for name, key in keys.items() if key in file}


def read_pictures(
    path: Path, stimulus: str, which: list[int]
) -> Iterator[Float32[np.ndarray, "height width"]]:
    """Some pictures of a stimulus, one at a time, in the file's grey levels.

    Parameters
    ----------
    path : Path
        An NWB file of the Allen layout.
    stimulus : str
        That `shown_pictures` names.
    which : list of int
        Places in the stack.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    key = f"{TEMPLATES}/{stimulus}{SUFFIX}/data"
    with opened(path) as file:
        shape = file.shape(key)
        for place in which:
            yield file.rows(key, slice(place, place + 1), shape)[0]

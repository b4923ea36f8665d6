"""What a recording holds to look at: the masks of its cells, and the pictures that were shown."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
from jaxtyping import Bool, Float32

from glasscortex.data.nwb import is_nwb2
from glasscortex.data.nwb1 import views as nwb1
from glasscortex.data.nwb2 import views as nwb2
from glasscortex.data.tree import Tree
from glasscortex.data.trees import opened


def read_masks(path: Path) -> Iterator[tuple[int, Bool[np.ndarray, "height width"]]]:
    """The id of each cell and its pixels, one at a time; nothing where the file holds no masks.

    Parameters
    ----------
    path : Path
        A recording.

    Raises
    ------
    InputError
        The file cannot be read, or its masks are not one a cell.
    """
    with opened(path) as tree:
        yield from _views(tree).masks(tree)


def shown_pictures(path: Path) -> dict[str, int]:
    """How many pictures of each stimulus a file holds.

    Parameters
    ----------
    path : Path
        A recording.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    with opened(path) as tree:
        stacks = _views(tree).pictures(tree)
        return {
            name: tree.shape(keys)[0] if isinstance(keys, str) else len(keys)
            for name, keys in stacks.items()
        }


def read_pictures(
    path: Path, stimulus: str, which: list[int]
) -> Iterator[Float32[np.ndarray, "height width"]]:
    """Some pictures of a stimulus, one at a time, in the file's grey levels.

    Parameters
    ----------
    path : Path
        A recording.
    stimulus : str
        That `shown_pictures` names.
    which : list of int
        Places in the stack.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    with opened(path) as tree:
        keys = _views(tree).pictures(tree)[stimulus]
        for place in which:
            if isinstance(keys, str):
                yield tree.rows(keys, slice(place, place + 1), tree.shape(keys))[0]
            else:
                yield tree.numbers(keys[place], ndim=2).astype(np.float32)


def _views(tree: Tree) -> ModuleType:
    return nwb2 if is_nwb2(tree) else nwb1

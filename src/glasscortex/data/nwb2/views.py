"""What a file of NWB 2 holds to look at: masks of cells, and pictures."""

import re
from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool

from glasscortex.data.nwb2.planes import planes
from glasscortex.data.nwb2.types import typed
from glasscortex.data.tree import Tree

TEMPLATES = "stimulus/templates"
SUFFIX = "_template"


def masks(tree: Tree) -> Iterator[tuple[int, Bool[np.ndarray, "height width"]]]:
    """The id of each cell and its pixels, one at a time; nothing where the file holds no masks.

    Pixels without weight are none. A list of pixels tells no size: an image then ends at the last
    pixel of any cell.
    """
    for plane in planes(tree, typed(tree)):
        images, pixels = f"{plane.key}/image_mask", f"{plane.key}/pixel_mask"
        if images in tree:
            shape = tree.shape(images)
            for cell, row in zip(plane.ids.tolist(), plane.rows.tolist(), strict=True):
                yield cell, tree.rows(images, slice(row, row + 1), shape)[0] > 0
        elif pixels in tree and f"{pixels}_index" in tree:
            x, y = (tree.field(pixels, name).astype(np.int64) for name in ("x", "y"))
            inside = tree.field(pixels, "weight") > 0
            if not inside.any():
                continue
            last = tree.whole(f"{pixels}_index", "ends of lists")
            first = np.append(0, last[:-1])
            for cell, row in zip(plane.ids.tolist(), plane.rows.tolist(), strict=True):
                image = np.zeros((y.max() + 1, x.max() + 1), bool)
                of_cell = slice(first[row], last[row])
                image[y[of_cell], x[of_cell]] = inside[of_cell]
                yield cell, image


def pictures(tree: Tree) -> dict[str, list[str] | str]:
    """The array that holds the pictures of each stimulus, or those that hold one each."""
    found: dict[str, list[str] | str] = {}
    for name in tree.names(TEMPLATES):
        key = f"{TEMPLATES}/{name}"
        if not tree.is_group(key):
            continue
        stimulus = name.removesuffix(SUFFIX)
        if f"{key}/data" in tree:
            found[stimulus] = f"{key}/data"
        elif images := [f"{key}/{image}" for image in tree.names(key) if re.search(r"\d$", image)]:
            found[stimulus] = sorted(images, key=_number)
    return found


def _number(key: str) -> int:
    return int(re.findall(r"\d+$", key)[0])

"""What a file of NWB 1.0 holds to look at: masks of cells, and pictures."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool

from glasscortex.data.nwb1.layout import CELL_SPECIMEN_IDS, PLANE, TEMPLATES
from glasscortex.data.tree import Tree

SUFFIX = "_image_stack"


def masks(file: Tree) -> Iterator[tuple[int, Bool[np.ndarray, "height width"]]]:
    """The id of each cell and its pixels, one at a time; nothing where the file holds no masks."""
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


def pictures(file: Tree) -> dict[str, list[str] | str]:
    """The array that holds the pictures of each stimulus."""
    stacks = [name for name in file.names(TEMPLATES) if name.endswith(SUFFIX)]
    keys = {name.removesuffix(SUFFIX): f"{TEMPLATES}/{name}/data" for name in stacks}
    return {name: key for name, key in keys.items() if key in file}

"""What CaImAn saves (`cnm.save`): components with their ΔF/F, in one HDF5 file.

Its traces have their background taken away, and with it the baseline that ΔF/F is relative to. So
only the ΔF/F that CaImAn computed itself is of use here, and there is no fluorescence.
"""

from pathlib import Path

import numpy as np

from glasscortex.data import hdf5
from glasscortex.data.hdf5 import Hdf5File
from glasscortex.data.nwb2.contents import PIXEL, PlaneContents
from glasscortex.data.tree import TEXT

ESTIMATES = "estimates"
DFF = f"{ESTIMATES}/F_dff"
MASKS = f"{ESTIMATES}/A"
ACCEPTED = f"{ESTIMATES}/idx_components"
RATE = "params/data/fr"
SIZE = "dims"
AGAIN = "save it again by CaImAn"


def read(path: Path) -> tuple[list[PlaneContents], float]:
    """The accepted components, all if none was chosen, and the frames a second, 0 if nothing tells.

    Their ids are their places among all components.

    Parameters
    ----------
    path : Path
        An HDF5 file.

    Raises
    ------
    InputError
        It is none of CaImAn's, is damaged, or lacks ΔF/F or masks.
    """
    with hdf5.opened(path) as file:
        if not _is_there(file, DFF):
            raise file.error(
                DFF, "is missing", "call estimates.detrend_df_f() in CaImAn, and save again"
            )
        dff = file.numbers(DFF, ndim=2)
        count = len(dff)
        cells = np.arange(count)
        if _is_there(file, ACCEPTED):
            cells = file.whole(ACCEPTED, "places of components")
            if len(np.unique(cells)) < len(cells) or not np.isin(cells, np.arange(count)).all():
                raise file.error(ACCEPTED, f"names one twice or none of the {count}", AGAIN)
        if not len(cells):
            raise file.error(ACCEPTED, "accepts no component", "accept some in CaImAn, and save")
        cells = np.sort(cells)
        rate = float(file.numbers(RATE, ndim=0)) if _is_there(file, RATE) else 0.0
        pixels = _pixels(file, count)
    return [
        PlaneContents(
            name="plane00",
            ids=cells,
            signals={"dff": dff[cells].astype(np.float32)},
            pixels=[pixels[cell] for cell in cells.tolist()],
        )
    ], rate if 0 < rate < np.inf else 0.0


def _is_there(file: Hdf5File, key: str) -> bool:
    """Whether there is a value; CaImAn writes the text NoneType for none."""
    return key in file and not file.is_group(key) and file.array(key).dtype.kind not in TEXT


def _pixels(file: Hdf5File, count: int) -> list[np.ndarray]:
    """The mask of each component: a column of a sparse matrix, whose rows run down the image."""
    weights = file.numbers(f"{MASKS}/data")
    rows, ends = (file.whole(f"{MASKS}/{name}", "places") for name in ("indices", "indptr"))
    height, width = file.whole(SIZE, "sizes of the image")[:2].tolist()
    fits = (
        len(ends) == count + 1
        and len(weights) == len(rows) == ends[-1]
        and ends[0] == 0
        and (np.diff(ends) >= 0).all()
        and (not len(rows) or (rows.min() >= 0 and rows.max() < height * width))
    )
    if not fits:
        raise file.error(MASKS, f"is no mask of each of {count} components", AGAIN)
    pixels = np.empty(len(rows), PIXEL)
    pixels["x"], pixels["y"], pixels["weight"] = rows // height, rows % height, weights
    return np.split(pixels, ends[1:-1])

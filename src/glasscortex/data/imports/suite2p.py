"""What suite2p leaves: a folder a plane with traces, masks and settings.

Versions to 0.14 keep a plane's settings in `ops.npy`; from 1.0 on `db.npy` and `settings.npy` hold
them. Both are read, and nothing else of either differs here.
"""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glasscortex.data.imports.npy import read_array, read_objects
from glasscortex.data.nwb2.contents import PIXEL, PlaneContents
from glasscortex.errors import InputError

PLANE = re.compile(r"plane(\d+)")
SETTINGS = ("db.npy", "settings.npy", "ops.npy")
CUT_SHORT = 1
"""Frames that one plane may have more than another: a recording ends within a volume."""
AGAIN = "run suite2p's extraction and classification again"

logger = logging.getLogger(__name__)


def read(folder: Path) -> tuple[list[PlaneContents], float]:
    """The cells of all planes, and the imaging frames a second, 0 if nothing tells.

    Cells are the ROIs that `iscell.npy` accepts; their ids are rows of `F.npy`. Planes without
    cells are left out, as are those that suite2p left out itself (flyback).

    Parameters
    ----------
    folder : Path
        `suite2p`, with `plane0` and others in it, or one of these.

    Raises
    ------
    InputError
        A file is missing, damaged or does not fit the others; or no plane has a cell.
    """
    found, rates = [], set()
    for place in _places(Path(folder)):
        plane, rate = _plane(place)
        rates.add(rate)
        if len(plane.ids):
            found.append(plane)
        else:
            logger.warning("%s has no ROI that iscell.npy accepts, and is left out", place)
    if len(rates) > 1:
        told = " and ".join(f"{rate:g}" for rate in sorted(rates))
        raise InputError(f"{folder}: its planes were imaged at {told} Hz: import them one by one")
    if not found:
        raise InputError(f"{folder} has no cell: accept some ROIs in suite2p, then save")
    return _of_one_length(folder, found), rates.pop()


def _places(folder: Path) -> list[Path]:
    """Folders of the planes, in their order."""
    if folder.name == "combined":
        raise InputError(f"{folder} holds all planes as one: give {folder.parent}")
    if (folder / "suite2p").is_dir():
        folder = folder / "suite2p"
    if (folder / "F.npy").exists():
        return [folder]
    numbered = {
        int(match[1]): place
        for place in folder.glob("plane*")
        if (match := PLANE.fullmatch(place.name)) and (place / "stat.npy").exists()
    }
    if not numbered:
        raise InputError(f"{folder} holds no plane0 with stat.npy: give suite2p's results")
    return [place for _, place in sorted(numbered.items())]


def _plane(place: Path) -> tuple[PlaneContents, float]:
    settings: dict[str, Any] = {}
    for path in (place / name for name in SETTINGS):
        for part in read_objects(path) if path.exists() else ():
            settings |= part
    if not settings:
        raise InputError(f"{place} holds neither ops.npy nor settings.npy: copy them there")
    traces, neuropil = (read_array(place / name, 2) for name in ("F.npy", "Fneu.npy"))
    accepted, rois = read_array(place / "iscell.npy", 2), read_objects(place / "stat.npy")
    for name, found in (("Fneu.npy", neuropil), ("iscell.npy", accepted), ("stat.npy", rois)):
        if len(found) != len(traces):
            raise InputError(
                f"{place}: F.npy has {len(traces)} ROIs, {name} has {len(found)}: {AGAIN}"
            )
    if neuropil.shape != traces.shape:
        raise InputError(
            f"{place}: F.npy has {traces.shape[1]} frames, Fneu.npy {neuropil.shape[1]}: {AGAIN}"
        )
    if not np.isin(accepted[:, 0], (0, 1)).all():
        raise InputError(f"{place}/iscell.npy says neither 0 nor 1 of a ROI: {AGAIN}")
    cells = np.flatnonzero(accepted[:, 0])
    share = settings.get("neucoeff", _nested(settings, "extraction", "neuropil_coefficient"))
    r = _number(share)
    if not 0 <= r < np.inf:
        raise InputError(
            f"{place}: its settings do not tell the neuropil's coefficient: copy ops.npy or "
            "settings.npy there as it was"
        )
    number = PLANE.fullmatch(place.name)
    plane = PlaneContents(
        name=f"plane{int(number[1]) if number else 0:02}",
        ids=cells,
        signals={
            name: np.asarray(signal[cells], np.float32)
            for name, signal in (("fluorescence", traces), ("neuropil", neuropil))
        },
        pixels=[_pixels(place, rois[cell], cell) for cell in cells.tolist()],
        neuropil_r=np.full(len(cells), r),
    )
    rate = _number(settings.get("fs"))
    return plane, rate if 0 < rate < np.inf else 0.0


def _nested(settings: Mapping[str, Any], part: str, name: str) -> Any:
    inner = settings.get(part)
    return inner.get(name) if isinstance(inner, dict) else None


def _number(value: Any) -> float:
    """A number of any kind; NaN for anything else."""
    try:
        return float(np.asarray(value))
    except (TypeError, ValueError):
        return float("nan")


def _pixels(place: Path, roi: Mapping[str, Any], cell: int) -> np.ndarray:
    """The mask of a ROI; `xpix` are columns, `ypix` rows of the image."""
    try:
        x, y, weight = (np.asarray(roi[name]) for name in ("xpix", "ypix", "lam"))
        if not (x.ndim == 1 and x.shape == y.shape == weight.shape and len(x)):
            raise ValueError("lists of different lengths")
        if (
            not x.dtype.kind == y.dtype.kind == "i"
            or min(x.min(), y.min()) < 0
            or max(x.max(), y.max()) >= 2**32
        ):
            raise ValueError("a place outside every image")
        mask = np.empty(len(x), PIXEL)
        mask["x"], mask["y"], mask["weight"] = x, y, weight
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{place}/stat.npy has no mask of ROI {cell} ({error}): {AGAIN}") from None
    return mask


def _of_one_length(folder: Path, planes: list[PlaneContents]) -> list[PlaneContents]:
    frames = [next(iter(plane.signals.values())).shape[1] for plane in planes]
    if max(frames) - min(frames) > CUT_SHORT:
        told = ", ".join(f"{p.name} {n}" for p, n in zip(planes, frames, strict=True))
        raise InputError(f"{folder}: its planes differ in frames ({told}): import them one by one")
    for plane in planes:
        for name, signal in plane.signals.items():
            plane.signals[name] = signal[:, : min(frames)]
    return planes

"""Imaging planes of a file of NWB 2: their cells, and the signals that were taken from them."""

import logging
import re
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from glasscortex.data.nwb2.series import times
from glasscortex.data.nwb2.types import Typed
from glasscortex.data.recording import checked_ids, checked_time
from glasscortex.data.tree import Tree
from glasscortex.errors import InputError

Kind = Literal["dff", "demixed", "raw", "corrected", "neuropil"]

NOT_USED = re.compile(r"event|spike|deconv|denois|baseline|background")
RATIO = re.compile(r"d_?f_?(over_?|/)?f|delta_?f")
"""In names, in small letters, of series or their containers: no signal of these kinds, and ΔF/F."""

IDS = ("cell_specimen_id", "global_roi_id")
"""Columns, if there are any, that name a cell across sessions; `id` names it within one."""

APART_BY = 1_000_000
"""From plane to plane, where two planes use the same ids."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Signal:
    """One signal of the cells of a plane."""

    key: str
    """Of its RoiResponseSeries."""
    shape: tuple[int, ...]
    """Of its data."""
    by_frames: bool
    """Whether a row of its data is a frame, as NWB 2 has it, and not a cell."""

    @property
    def frames(self) -> int:
        """How many there are."""
        return self.shape[0] if self.by_frames else self.shape[1]


@dataclass(frozen=True)
class Plane:
    """The cells of one PlaneSegmentation."""

    key: str
    rows: np.ndarray
    """Of the table, (cells,)."""
    ids: np.ndarray
    """(cells,)"""
    time: np.ndarray
    """(frames,)"""
    signals: dict[Kind, Signal]


def planes(tree: Tree, groups: list[Typed]) -> list[Plane]:
    """The planes that have signals, in order of their keys, with ids that no two cells share.

    Parameters
    ----------
    tree : Tree
        An open file.
    groups : list of Typed
        What it holds.

    Raises
    ------
    InputError
        There is none, one does not fit itself, or two were not imaged at the same times.
    """
    series: dict[str, dict[Kind, str]] = {}
    for group in groups:
        kind = _kind(group)
        if kind is None:
            continue
        of_plane = series.setdefault(_table(tree, group.key), {})
        if kind in of_plane:
            logger.warning("%s: /%s is used, not /%s", tree.path, of_plane[kind], group.key)
        of_plane.setdefault(kind, group.key)
    found = [_plane(tree, table, of_plane) for table, of_plane in sorted(series.items())]
    found = [plane for plane in found if plane.signals.keys() - {"neuropil"}]
    if not found:
        raise InputError(
            f"{tree.path} holds no RoiResponseSeries of ΔF/F or fluorescence: remove the file"
        )
    return _together(tree, found)


def _kind(group: Typed) -> Kind | None:
    name = "/".join(group.key.lower().split("/")[-2:])  # some name what it is, some its container
    if group.type != "RoiResponseSeries" or NOT_USED.search(name):
        return None
    if "neuropil" in name:
        return "neuropil"
    if group.within == "DfOverF" or RATIO.search(name):
        return "dff"
    if "demix" in name:
        return "demixed"
    return "corrected" if "correct" in name else "raw"


def _table(tree: Tree, key: str) -> str:
    """The PlaneSegmentation whose rows a series is of."""
    rois = f"{key}/rois"
    table = str(tree.attributes(rois).get("table", "")) if rois in tree else ""
    if not table or f"{table}/id" not in tree:
        raise tree.error(key, "names no rows of a PlaneSegmentation (rois)", "write them")
    return table


def _plane(tree: Tree, table: str, series: dict[Kind, str]) -> Plane:
    first = series.get("dff") or next(iter(series.values()))
    rows = _rows(tree, first, table)
    signals = {}
    for kind, key in series.items():
        if not np.array_equal(_rows(tree, key, table), rows):
            raise tree.error(f"{key}/rois", f"are not those of /{first}", "write them in one order")
        signals[kind] = _signal(tree, key, len(rows))
    frames = next(signal.frames for signal in signals.values() if signal.key == first)
    for signal in signals.values():
        if signal.frames != frames:
            raise tree.error(
                f"{signal.key}/data",
                f"has {signal.frames} frames, but /{first} has {frames}",
                "mend the file",
            )
    dated = "timestamps" if f"{first}/timestamps" in tree else "starting_time"
    time = checked_time(tree.path, f"{first}/{dated}", times(tree, first, frames))
    ids = checked_ids(tree.path, f"{table}/id", _ids(tree, table)[rows])
    return Plane(table, rows, ids, time, signals)


def _rows(tree: Tree, key: str, table: str) -> np.ndarray:
    rows = tree.whole(f"{key}/rois", "rows of a table")
    count = tree.shape(f"{table}/id")[0]
    if len(rows) and not (rows.min() >= 0 and rows.max() < count):
        raise tree.error(f"{key}/rois", f"names rows beyond the {count} of /{table}", "mend it")
    return rows


def _ids(tree: Tree, table: str) -> np.ndarray:
    """What each row's cell is called: across sessions if the table says so, or within this one."""
    for name in IDS:
        if f"{table}/{name}" in tree:
            ids = tree.whole(f"{table}/{name}", "ids of cells")
            if len(np.unique(ids)) == len(ids) and (ids >= 0).all():
                return ids
    return tree.whole(f"{table}/id", "ids of cells")


def _signal(tree: Tree, key: str, cells: int) -> Signal:
    shape = tree.shape(f"{key}/data")
    by_frames = shape[1:] == (cells,) or (len(shape), cells) == (1, 1)
    if not by_frames and (len(shape) != 2 or shape[0] != cells):
        raise tree.error(
            f"{key}/data", f"has shape {shape}, but its rois are {cells} cells", "mend the file"
        )
    return Signal(key, shape, by_frames)


def _together(tree: Tree, found: list[Plane]) -> list[Plane]:
    """The planes as one recording, with the frames of the first."""
    first = found[0]
    step = float(np.median(np.diff(first.time)))
    for plane in found[1:]:
        if len(plane.time) != len(first.time) or np.abs(plane.time - first.time).max() > step:
            raise InputError(
                f"{tree.path}: the planes /{first.key} ({len(first.time)} frames) and "
                f"/{plane.key} ({len(plane.time)}) were not imaged at the same times: write a file "
                "for each"
            )
        if plane.signals.keys() != first.signals.keys():
            raise InputError(
                f"{tree.path}: the planes /{first.key} and /{plane.key} have different signals: "
                "write a file for each"
            )
    ids = np.concatenate([plane.ids for plane in found])
    if len(np.unique(ids)) == len(ids):
        return found
    return [replace(plane, ids=plane.ids + number * APART_BY) for number, plane in enumerate(found)]

"""Cells and pictures, small enough to be shown: masks as runs of pixels, pictures on one sheet."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, UInt8

HEIGHT = 56
"""Pixels of a thumbnail, at most twice as many."""

COLUMNS = 12
"""Thumbnails side by side on a sheet."""


def runs(mask: Bool[np.ndarray, "height width"]) -> list[int]:
    """A mask as runs of pixels: row, first column and column after the last, one after the other.

    Examples
    --------
    >>> runs(np.array([[False, True, True], [True, False, True]]))
    [0, 1, 3, 1, 0, 1, 1, 2, 3]
    """
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    row, first = np.nonzero(edges > 0)
    last = np.nonzero(edges < 0)[1]
    return np.stack([row, first, last], axis=1).ravel().tolist()


def plane(
    container: str, masks: Iterable[tuple[int, Bool[np.ndarray, "height width"]]]
) -> dict[str, Any] | None:
    """The cells of a field of view, by the names that all tables give them; None without any.

    Parameters
    ----------
    container : str
        Its id.
    masks : iterable
        Id and pixels of each cell.

    Returns
    -------
    dict
        `width` and `height` in pixels, `cells` (names) and their `runs`.
    """
    cells, found, shape = [], [], (0, 0)
    for cell, mask in masks:
        cells.append(f"{container}/{cell}")
        found.append(runs(mask))
        shape = mask.shape
    return {"height": shape[0], "width": shape[1], "cells": cells, "runs": found} if cells else None


def thumbnail(picture: Float32[np.ndarray, "height width"]) -> UInt8[np.ndarray, "low narrow"]:
    """A picture at about `HEIGHT` pixels, each the mean of a square of its own."""
    size = max(1, picture.shape[0] // HEIGHT)
    height, width = (n // size for n in picture.shape)
    squares = picture[: height * size, : width * size].reshape(height, size, width, size)
    return squares.mean(axis=(1, 3)).round().clip(0, 255).astype(np.uint8)


def sheet(
    pictures: Iterable[Float32[np.ndarray, "height width"]],
) -> tuple[UInt8[np.ndarray, "height width"], dict[str, int]]:
    """Thumbnails on one sheet, row by row, and where they lie.

    Parameters
    ----------
    pictures : iterable of ndarray, shape (height, width)
        Of one size, grey levels from 0 to 255; one at least.

    Returns
    -------
    sheet : ndarray of uint8, shape (height, width)
    about : dict
        `width` and `height` of a thumbnail, how many `columns` lie side by side, and their
        `number`.
    """
    small = np.stack([thumbnail(picture) for picture in pictures])
    number, height, width = small.shape
    blank = np.zeros((-number % COLUMNS, height, width), np.uint8)
    rows = np.concatenate([small, blank]).reshape(-1, COLUMNS, height, width)
    sheet = rows.swapaxes(1, 2).reshape(-1, COLUMNS * width)
    return sheet, {"width": width, "height": height, "columns": COLUMNS, "number": number}

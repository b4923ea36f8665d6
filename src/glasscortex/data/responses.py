"""Responses of a dictionary's units to presentations, as they lie on disk.

A response is the mean activation of a unit over the tokens of a presentation's window. On disk
they are a Zarr with a group a split, which `xarray.open_datatree` reads: `response`
(presentation, unit) float32 with the coordinates `trial` (presentation), int64, the row of the
presentation in the table of trials, and `unit` (unit). `glasscortex.dictionaries.responses`
computes and writes them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from jaxtyping import Float32, Int64


@dataclass(frozen=True)
class Responses:
    """Units × presentations of one split, in the order of recording."""

    trial: Int64[np.ndarray, " presentations"]
    """Row of each presentation in the table of trials."""
    values: Float32[np.ndarray, "presentations units"]
    """Mean activation over the tokens of the presentation's window."""


def read_responses(path: Path, split: str, rows: slice = slice(None)) -> Responses:
    """Responses to presentations of a split.

    Parameters
    ----------
    path : Path
        The Zarr.
    split : str
        "train", "validation" or "test".
    rows : slice
        Which presentations; without it all.

    Returns
    -------
    Responses
        4 bytes a unit and presentation.
    """
    stored = open_responses(path, split)
    return Responses(stored.trial[rows], np.asarray(stored.values[rows]))


def open_responses(path: Path, split: str) -> Responses:
    """Responses to the presentations of a split that stay on disk.

    Their `values` are an array of zarr, of which parts are read as of one in memory.

    Parameters
    ----------
    path : Path
        The Zarr.
    split : str
        "train", "validation" or "test".
    """
    values: Any = zarr.open_array(path, mode="r", path=f"{split}/response")
    return Responses(read_presented(path, split), values)


def read_presented(path: Path, split: str) -> Int64[np.ndarray, " presentations"]:
    """Row of each presentation of a split in the table of trials.

    Parameters
    ----------
    path : Path
        The Zarr.
    split : str
        "train", "validation" or "test".
    """
    return np.asarray(zarr.open_array(path, mode="r", path=f"{split}/trial")[:])

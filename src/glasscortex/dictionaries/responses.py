"""Responses of a dictionary's units to presentations: computed, and kept on disk.

A response is the mean activation of a unit over the tokens of a presentation's window. On disk
they are a Zarr with a group a split, which `xarray.open_datatree` reads: `response`
(presentation, unit) float32 with the coordinates `trial` (presentation), int64, the row of the
presentation in the table of trials, and `unit` (unit).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import zarr
from jaxtyping import Float32, Int64

from glasscortex.dictionaries.activations import Block, RecordedTokens, hook_of
from glasscortex.dictionaries.base import Dictionary
from glasscortex.dictionaries.rows import RowWriter, consolidate
from glasscortex.words import SPLITS

CHUNK = 1024
"""Presentations in a chunk."""


@dataclass(frozen=True)
class Responses:
    """Units × presentations of one split, in the order of recording."""

    trial: Int64[np.ndarray, " presentations"]
    """Row of each presentation in the table of trials."""
    values: Float32[np.ndarray, "presentations units"]
    """Mean activation over the tokens of the presentation's window."""


def compute_responses(dictionary: Dictionary, tokens: RecordedTokens) -> Responses:
    """Responses of every unit to the presentations of a split.

    Parameters
    ----------
    dictionary : Dictionary
        What encodes the activations.
    tokens : RecordedTokens
        The recorded activations of the split.

    Returns
    -------
    Responses
        Those of the whole split.
    """
    parts = list(_averaged(dictionary, tokens.blocks()))
    return Responses(
        np.concatenate([part.trial for part in parts]),
        np.concatenate([part.values for part in parts]),
    )


def write_responses(path: Path, dictionary: Dictionary, activations: Path) -> None:
    """Write the responses to all presentations of every split.

    Memory holds a block of tokens and two chunks, however long the recording.

    Parameters
    ----------
    path : Path
        The Zarr to make.
    dictionary : Dictionary
        What encodes the activations.
    activations : Path
        The Zarr of the recorded activations.
    """
    root = zarr.create_group(path, attributes={"hook": hook_of(activations)})
    units = np.arange(dictionary.d_sae)
    for split in SPLITS:
        group = root.create_group(split)
        group.create_array("unit", data=units, chunks=units.shape, dimension_names=("unit",))
        writer = RowWriter(group, "presentation", CHUNK)
        writer.column("trial", "i8")
        writer.column("response", "f4", unit=len(units), attributes={"coordinates": "trial"})
        for part in _averaged(dictionary, RecordedTokens(activations, split).blocks()):
            writer.add(trial=part.trial, response=part.values)
        writer.flush()
    consolidate(path)


def read_responses(path: Path, split: str, rows: slice = slice(None)) -> Responses:
    """Responses to presentations of a split.

    Parameters
    ----------
    path : Path
        The Zarr that `write_responses` made.
    split : str
        "train", "validation" or "test".
    rows : slice
        Which presentations; without it all.

    Returns
    -------
    Responses
        4 bytes a unit and presentation.
    """
    trial, values = (
        zarr.open_array(path, mode="r", path=f"{split}/{name}") for name in ("trial", "response")
    )
    return Responses(np.asarray(trial[rows]), np.asarray(values[rows]))


def read_presented(path: Path, split: str) -> Int64[np.ndarray, " presentations"]:
    """Row of each presentation of a split in the table of trials.

    Parameters
    ----------
    path : Path
        The Zarr that `write_responses` made.
    split : str
        "train", "validation" or "test".
    """
    return np.asarray(zarr.open_array(path, mode="r", path=f"{split}/trial")[:])


@torch.no_grad()
def _averaged(dictionary: Dictionary, blocks: Iterable[Block]) -> Iterator[Responses]:
    """Responses to the presentations of blocks of tokens, as soon as all their tokens have come.

    The tokens of a presentation lie together, within a block or across neighbouring ones.
    """
    trial, total, count = np.empty(0, int), np.empty((0, dictionary.d_sae), "f4"), np.empty(0, int)
    for block in blocks:
        first = np.flatnonzero(np.diff(block.trial, prepend=-1))
        trials, counts = block.trial[first], np.diff(first, append=len(block.trial))
        sums = np.add.reduceat(dictionary.encode(block.x).numpy(), first, axis=0)
        if len(trial) and trial[0] == trials[0]:
            sums[0] += total[0]
            counts[0] += count[0]
        else:
            trials = np.concatenate([trial, trials])
            sums = np.concatenate([total, sums])
            counts = np.concatenate([count, counts])
        yield _means(trials[:-1], sums[:-1], counts[:-1])
        trial, total, count = trials[-1:], sums[-1:], counts[-1:]
    yield _means(trial, total, count)


def _means(trial: np.ndarray, sums: np.ndarray, counts: np.ndarray) -> Responses:
    sums /= counts[:, None]
    return Responses(trial, sums)

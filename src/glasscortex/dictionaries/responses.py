"""Responses of a dictionary's units to presentations: computed, and written to disk.

`glasscortex.data.responses` says what they are, and reads them.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
import zarr

from glasscortex.data.responses import Responses
from glasscortex.dictionaries.activations import Block, RecordedTokens, hook_of
from glasscortex.dictionaries.base import Dictionary
from glasscortex.dictionaries.rows import RowWriter, consolidate
from glasscortex.words import SPLITS

CHUNK = 1024
"""Presentations in a chunk."""


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

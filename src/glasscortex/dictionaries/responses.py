"""Responses of an SAE's units to presentations."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64

from glasscortex.dictionaries.activations import Activations
from glasscortex.dictionaries.topk import TopKSae


@torch.no_grad()
def responses(
    sae: TopKSae, activations: Path, split: str
) -> tuple[Int64[np.ndarray, " presentations"], Float[np.ndarray, "presentations width"]]:
    """Mean activation of every unit over the tokens of each presentation's window.

    Parameters
    ----------
    sae : the SAE
    activations : Zarr that `record` wrote
    split : "train", "validation" or "test"

    Returns
    -------
    Row of each presentation in the table of trials, in the order of recording, and the
    responses (presentations, units) float32.
    """
    recorded = Activations(activations)
    trials, sums, counts = [], [], []
    for block in recorded.blocks(split):
        starts = np.flatnonzero(np.diff(block.trial, prepend=-1))
        block_sums = np.add.reduceat(sae.encode(block.x).numpy(), starts, axis=0)
        block_counts = np.diff(starts, append=len(block.trial))
        if trials and trials[-1][-1] == block.trial[0]:
            sums[-1][-1] += block_sums[0]
            counts[-1][-1] += block_counts[0]
            starts, block_sums, block_counts = starts[1:], block_sums[1:], block_counts[1:]
        if len(starts):
            trials.append(block.trial[starts])
            sums.append(block_sums)
            counts.append(block_counts)
    if not trials:
        return np.empty(0, np.int64), np.empty((0, sae.width), np.float32)
    responses = np.concatenate(sums)
    responses /= np.concatenate(counts)[:, None]
    return np.concatenate(trials), responses

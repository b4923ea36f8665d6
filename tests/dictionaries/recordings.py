"""Recorded activations and dictionaries made by hand."""

from pathlib import Path

import numpy as np
import torch
import zarr

from glasscortex.data.store import write_manifest
from glasscortex.dictionaries import TopK
from glasscortex.dictionaries.activations import Writer
from glasscortex.words import SPLITS

HOOK = "latents.1"


def write_activations(folder: Path, windows: dict[str, np.ndarray], first_trial: int = 0) -> Path:
    """Zarr and manifest with the (windows, tokens, dim) of each split."""
    path = folder / f"{HOOK}.zarr"
    root = zarr.create_group(path, attributes={"hook": HOOK})
    dim = next(iter(windows.values())).shape[-1]
    for split in SPLITS:
        writer = Writer(root.create_group(split), dim)
        for x in windows.get(split, ()):
            writer.add(x[None], np.array([first_trial]))
            first_trial += 1
        writer.flush()
    write_manifest(path, path.with_suffix(".json"))
    return path


def random_topk(
    d_in: int = 6, width: int = 10, k: int = 3, seed: int = 0, **settings: float
) -> TopK:
    """A TopK in which nothing is zero."""
    generator = torch.Generator().manual_seed(seed)
    sae = TopK(width=width, k=k, hook=HOOK, **settings).build(d_in).requires_grad_(False)
    for tensor in sae.state_dict().values():
        tensor.copy_(torch.randn(tensor.shape, generator=generator))
    sae.scale.fill_(2.5)
    sae.normalise()
    return sae

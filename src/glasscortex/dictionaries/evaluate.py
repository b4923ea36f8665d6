"""How well an SAE reconstructs, and how sparsely."""

import pandas as pd
import torch

from glasscortex.dictionaries.activations import Activations
from glasscortex.dictionaries.topk import TopKSae


@torch.no_grad()
def reconstruction(sae: TopKSae, activations: Activations, split: str) -> dict[str, float]:
    """Metrics of an SAE on the activations of a split, summed over all tokens.

    Returns
    -------
    fvu : fraction of variance unexplained, Σ‖x − x̂‖² / Σ‖x − x̄‖², x̄ the mean of all tokens
    l0 : mean number of active units on a token
    dead_fraction : share of the units that are active on no token
    """
    _, variance = activations.moments(split)
    device = sae.scale.device
    error, active = 0.0, torch.zeros(sae.width, dtype=torch.long, device=device)
    for block in activations.blocks(split):
        x = block.x.to(device)
        values, units = sae.active(x)
        error += (x - sae.splice(x)).double().square().sum().item()
        active += torch.bincount(units[values > 0], minlength=sae.width)
    tokens = activations.tokens(split)
    return {
        "fvu": error / (variance * tokens),
        "l0": active.sum().item() / tokens,
        "dead_fraction": (active == 0).double().mean().item(),
    }


def metrics(sae: TopKSae, activations: Activations, splits: list[str], named: dict) -> pd.DataFrame:
    """Make the rows of the table `sae`: `named` (model, seed, sae), then the metrics of a split."""
    about = named | {
        "hook": sae.hook,
        "architecture": sae.architecture,
        "width": sae.width,
        "k": sae.k,
    }
    rows = [about | reconstruction(sae, activations, split) | {"split": split} for split in splits]
    return pd.DataFrame(rows)

"""How well a dictionary reconstructs, and how sparsely."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch

from glasscortex.dictionaries.base import Dictionary
from glasscortex.dictionaries.tokens import Tokens


@torch.no_grad()
def reconstruction(dictionary: Dictionary, tokens: Tokens) -> dict[str, float]:
    """Metrics of a dictionary on activations, summed over all tokens.

    Parameters
    ----------
    dictionary : Dictionary
        What encodes and decodes.
    tokens : Tokens
        Activations, best such as it was not fitted to.

    Returns
    -------
    dict
        fvu: fraction of variance unexplained, Σ‖x − x̂‖² / Σ‖x − x̄‖², x̄ the mean of all tokens;
        l0: mean number of active units on a token;
        dead_fraction: share of the units that are active on no token.

    Raises
    ------
    InputError
        The tokens do not vary.
    """
    _, variance = tokens.moments()
    error, active = 0.0, torch.zeros(dictionary.d_sae, dtype=torch.long)
    for rows in tokens.slices():
        x = tokens.read(rows)
        error += (x - dictionary.splice(x)).double().square().sum().item()
        active += (dictionary.encode(x) != 0).sum(0)
    return {
        "fvu": error / (variance * len(tokens)),
        "l0": active.sum().item() / len(tokens),
        "dead_fraction": (active == 0).double().mean().item(),
    }


def metrics(dictionary: Dictionary, splits: Mapping[str, Tokens]) -> pd.DataFrame:
    """Measure a dictionary on the activations of each split.

    Parameters
    ----------
    dictionary : Dictionary
        What encodes and decodes.
    splits : mapping of str to Tokens
        Activations by split.

    Returns
    -------
    pandas.DataFrame
        A row a split: hook, architecture, width, k (missing where it is no setting), what
        `reconstruction` returns, and split.
    """
    about = {
        "hook": dictionary.hook,
        "architecture": dictionary.architecture,
        "width": dictionary.d_sae,
        "k": getattr(dictionary.settings, "k", np.nan),
    }
    return pd.DataFrame(
        [about | reconstruction(dictionary, x) | {"split": name} for name, x in splits.items()]
    )

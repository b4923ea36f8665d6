"""Fitting of a dictionary by gradient descent."""

import copy
import logging
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glasscortex.dictionaries.decoding import Decoding
from glasscortex.dictionaries.objectives import Alone, EndToEnd, Objective, end_to_end
from glasscortex.dictionaries.tokens import Tokens
from glasscortex.errors import InputError

if TYPE_CHECKING:
    from glasscortex.dictionaries.sae import SparseAutoencoder

log = logging.getLogger(__name__)

WARMUP = 0.05
"""Part of the steps over which the learning rate rises."""
DECAY = 0.2
"""Part of the steps over which it falls to zero, at the end."""
RECORDS = 50
"""Rows of the history."""


class DivergenceError(InputError):
    """A fit ended worse than it began."""


def optimise(
    dictionary: "SparseAutoencoder",
    tokens: Tokens,
    decoding: Decoding | None,
    rng: np.random.Generator,
    device: torch.device,
) -> pd.DataFrame:
    """Fit a dictionary by Adam.

    Parameters
    ----------
    dictionary : SparseAutoencoder
        Gets new weights.
    tokens : Tokens
        The training activations.
    decoding : Decoding, optional
        The decoder that they come from.
    rng : numpy.random.Generator
        Of the first atoms and of the order of tokens.
    device : torch.device
        Where to compute, and where the dictionary is left.

    Returns
    -------
    pandas.DataFrame
        See `SparseAutoencoder.history_`.

    Raises
    ------
    DivergenceError
        On the last batch the loss is not finite, or higher than that of the weights that training
        began with and than 1, the variance.
    """
    batches = tokens.batches(dictionary.settings.batch, rng)
    dictionary.initialise(tokens, batches, decoding, rng)
    settings = dictionary.settings
    dictionary.to(device).train()
    objective: Objective = Alone(batches, device)
    if decoding is not None and end_to_end(settings.objective):
        objective = EndToEnd(decoding, settings.objective, rng)
    optimiser = torch.optim.Adam(dictionary.parameters(), lr=settings.learning_rate, fused=True)
    silent = torch.zeros(dictionary.d_sae, dtype=torch.long, device=device)
    rows: list[dict[str, float]] = []
    since: list[dict[str, Tensor]] = []
    every = -(-settings.steps // RECORDS)
    began = copy.deepcopy(dictionary)
    for step in range(1, settings.steps + 1):
        rate = settings.learning_rate * schedule(step, settings.steps)
        optimiser.param_groups[0]["lr"] = rate
        objective.draw()
        dead = silent > settings.dead_after
        seen = objective.backward(dictionary, dead)
        dictionary.project()
        optimiser.step()
        dictionary.normalise()
        silent = (silent + 1).masked_fill(seen.fired, 0)
        since.append(seen.terms)
        if step % every == 0 or step == settings.steps:
            means = {name: _mean([terms[name] for terms in since]) for name in seen.terms}
            silenced = (silent > settings.dead_after).double().mean().item()
            rows.append({"step": step, "learning_rate": rate, **means, "dead_fraction": silenced})
            since = []
            log.info(", ".join(f"{name} {value:.4g}" for name, value in rows[-1].items()))
    start, end = (
        sum(map(float, objective.backward(weights, dead).terms.values()))
        for weights in (began, copy.deepcopy(dictionary))
    )
    if not end <= max(1.0, start):
        raise DivergenceError(
            f"learning_rate {settings.learning_rate:g} is too high: the fit diverged, the loss "
            f"is {end:.3g} at the end, where it began with {start:.3g}: lower it"
        )
    return pd.DataFrame(rows)


def schedule(step: int, steps: int) -> float:
    """Part of the learning rate at a step (1 … steps): warm-up, plateau, linear decay."""
    return min(1.0, step / max(1.0, WARMUP * steps), (steps - step + 1) / (DECAY * steps))


def _mean(values: list[Tensor]) -> float:
    return torch.stack(values).mean().item()

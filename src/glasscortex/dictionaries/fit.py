"""Fitting of a dictionary by gradient descent."""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from glasscortex.dictionaries.tokens import Tokens
from glasscortex.errors import InputError

if TYPE_CHECKING:
    from glasscortex.dictionaries.base import Dictionary

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
    dictionary: "Dictionary", tokens: Tokens, rng: np.random.Generator, device: torch.device
) -> pd.DataFrame:
    """Fit a dictionary by Adam.

    Parameters
    ----------
    dictionary : Dictionary
        Gets new weights.
    tokens : Tokens
        The training activations.
    rng : numpy.random.Generator
        Of the first atoms and of the order of tokens.
    device : torch.device
        Where to compute, and where the dictionary is left.

    Returns
    -------
    pandas.DataFrame
        See `Dictionary.history_`.

    Raises
    ------
    DivergenceError
        The loss is not finite at the end, or higher than at the start and than the mean's.
    """
    settings = dictionary.settings
    batches = tokens.batches(settings.batch, rng)
    initialise(dictionary, tokens, batches, rng)
    dictionary.to(device).train()
    optimiser = torch.optim.Adam(dictionary.parameters(), lr=settings.learning_rate, fused=True)
    silent = torch.zeros(settings.width, dtype=torch.long, device=device)
    history, losses, every = [], [], -(-settings.steps // RECORDS)
    highest = 1.0
    for step in range(1, settings.steps + 1):
        rate = settings.learning_rate * schedule(step, settings.steps)
        optimiser.param_groups[0]["lr"] = rate
        z = dictionary.scaled(next(batches).to(device))
        seen = dictionary.backward(z, silent > settings.dead_after)
        _project(dictionary)
        optimiser.step()
        dictionary.normalise()
        silent = (silent + 1).masked_fill(seen.fired, 0)
        losses.append(seen.fvu)
        if step == 1:
            highest = max(highest, seen.fvu.item())
        if step % every == 0 or step == settings.steps:
            dead = (silent > settings.dead_after).double().mean().item()
            history.append((step, rate, torch.stack(losses).mean().item(), dead))
            losses = []
            log.info("step %d: learning rate %.2g, FVU %.4f, dead %.3f", *history[-1])
    if not history[-1][2] <= highest:
        raise DivergenceError(
            f"learning_rate {settings.learning_rate:g} is too high: the fit diverged, the fraction "
            f"of variance unexplained is {history[-1][2]:.3g} at the end: lower it"
        )
    return pd.DataFrame(history, columns=["step", "learning_rate", "fvu", "dead_fraction"])


@torch.no_grad()
def initialise(
    dictionary: "Dictionary", tokens: Tokens, batches: Iterator[Tensor], rng: np.random.Generator
) -> None:
    """Give a dictionary training activations as atoms, and their transpose as its encoder.

    A little noise keeps atoms apart when there are fewer distinct activations than units.
    """
    mean, variance = tokens.moments()
    dictionary.build(tokens.d_in)
    dictionary.mean.copy_(mean)
    dictionary.scale.fill_((variance / tokens.d_in) ** 0.5)
    settings = dictionary.settings
    some = torch.cat([next(batches) for _ in range(-(-settings.width // settings.batch))])
    noise = rng.normal(scale=0.01, size=(settings.width, tokens.d_in))
    atoms = dictionary.scaled(some[: settings.width]) + torch.from_numpy(noise).float()
    dictionary.W_dec.copy_(F.normalize(atoms, dim=1))
    dictionary.W_enc.copy_(settings.encoder_scale * dictionary.W_dec.T)


def schedule(step: int, steps: int) -> float:
    """Part of the learning rate at a step (1 … steps): warm-up, plateau, linear decay."""
    return min(1.0, step / max(1.0, WARMUP * steps), (steps - step + 1) / (DECAY * steps))


@torch.no_grad()
def _project(dictionary: "Dictionary") -> None:
    """Take from the gradient of the atoms what would only change their norm."""
    gradient, atoms = dictionary.W_dec.grad, dictionary.W_dec
    assert gradient is not None
    gradient -= (gradient * atoms).sum(1, keepdim=True) * atoms

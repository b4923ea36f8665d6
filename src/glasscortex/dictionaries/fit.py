"""Fitting of a TopK SAE."""

import logging
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from glasscortex.config import SaeConfig
from glasscortex.data.store import verify
from glasscortex.dictionaries.activations import Activations
from glasscortex.dictionaries.evaluate import metrics
from glasscortex.dictionaries.gradients import gradients
from glasscortex.dictionaries.topk import TopKSae
from glasscortex.errors import InputError
from glasscortex.files import atomic_write
from glasscortex.words import SPLITS

log = logging.getLogger(__name__)

WARMUP = 0.05
"""Part of the steps over which the learning rate rises."""
DECAY = 0.2
"""Part of the steps over which it falls to zero, at the end."""
RECORDS = 50
"""Rows of the history."""


def fit(
    *,
    activations: Path,
    manifest: Path,
    folder: Path,
    config: SaeConfig,
    model: str,
    seed: int,
    name: str,
) -> None:
    """Fit an SAE to the training activations and write it, its history and its metrics.

    Memory holds the SAE and `BUFFERED` chunks of activations; time grows with steps × batch.

    Parameters
    ----------
    activations, manifest : the recorded activations and their checksums
    folder : receives weights.safetensors, sae.json, history.csv and metrics.csv
    config : see `SaeConfig`
    model, seed, name : of the decoder, of all random numbers, and of the SAE

    Raises
    ------
    InputError
        The activations are not those of the manifest, of another hook, or do not vary.
    """
    torch.set_num_threads(config.threads)
    verify(activations, manifest)
    recorded = Activations(activations)
    if recorded.hook != config.hook:
        raise InputError(
            f"{activations} holds hook {recorded.hook}, but sae.{name}.hook is {config.hook}: "
            "record that hook first"
        )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    sae, history = optimise(recorded, config, rng, device)
    named = {"model": model, "seed": seed, "sae": name}
    table = metrics(sae, recorded, [s for s in SPLITS if recorded.tokens(s)], named)
    sae.save(folder, **named)
    for part, file in ((history, "history.csv"), (table, "metrics.csv")):
        with atomic_write(folder / file) as temporary:
            part.to_csv(temporary, index=False, float_format="%.9g")


def optimise(
    activations: Activations, config: SaeConfig, rng: np.random.Generator, device: torch.device
) -> tuple[TopKSae, pd.DataFrame]:
    """Fit an SAE by Adam on explicit gradients.

    Returns
    -------
    The SAE and its history: step, learning_rate, fvu (mean since the row before) and
    dead_fraction (of the units, silent for `dead_after` batches).
    """
    batches = activations.batches("train", config.batch, rng)
    sae = initialised(activations, config, batches, rng).to(device)
    parameters = dict(sae.named_parameters())
    optimiser = torch.optim.Adam(parameters.values(), lr=config.learning_rate, fused=True)
    idle = torch.zeros(sae.width, dtype=torch.long, device=device)
    history, losses, every = [], [], -(-config.steps // RECORDS)
    for step in range(1, config.steps + 1):
        rate = config.learning_rate * schedule(step, config.steps)
        optimiser.param_groups[0]["lr"] = rate
        z = sae.scaled(next(batches).to(device))
        found = gradients(sae, z, idle > config.dead_after, config.aux_weight)
        for parameter_name, gradient in found.parameters.items():
            parameters[parameter_name].grad = gradient
        _project(sae)
        optimiser.step()
        sae.normalise()
        idle = (idle + 1).masked_fill(found.fired, 0)
        losses.append(found.fvu)
        if step % every == 0 or step == config.steps:
            dead = (idle > config.dead_after).double().mean().item()
            history.append((step, rate, torch.stack(losses).mean().item(), dead))
            losses = []
            log.info("step %d: learning rate %.2g, FVU %.4f, dead %.3f", *history[-1])
    history = pd.DataFrame(history, columns=["step", "learning_rate", "fvu", "dead_fraction"])
    return sae.cpu().eval().requires_grad_(False), history


def initialised(
    activations: Activations, config: SaeConfig, batches, rng: np.random.Generator
) -> TopKSae:
    """An SAE whose atoms are training activations and whose encoder is their transpose.

    A little noise keeps atoms apart when there are fewer distinct activations than units.
    """
    mean, variance = activations.moments("train")
    sae = TopKSae(activations.dim, config.width, config.k, activations.hook)
    sae.mean.copy_(mean)
    sae.scale.fill_((variance / activations.dim) ** 0.5)
    some = torch.cat([next(batches) for _ in range(-(-config.width // config.batch))])
    noise = rng.normal(scale=0.01, size=(config.width, activations.dim))
    with torch.no_grad():
        atoms = sae.scaled(some[: config.width]) + torch.from_numpy(noise).float()
        sae.dictionary.copy_(F.normalize(atoms, dim=1))
        sae.encoder.copy_(config.encoder_scale * sae.dictionary)
    return sae


def schedule(step: int, steps: int) -> float:
    """Part of the learning rate at a step (1 … steps): warm-up, plateau, linear decay."""
    return min(1.0, step / max(1.0, WARMUP * steps), (steps - step + 1) / (DECAY * steps))


@torch.no_grad()
def _project(sae: TopKSae) -> None:
    """Take from the dictionary's gradient what would only change the norm of an atom."""
    gradient: Float[Tensor, "width dim"] = sae.dictionary.grad
    gradient -= (gradient * sae.dictionary).sum(1, keepdim=True) * sae.dictionary

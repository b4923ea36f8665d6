"""The decoder round a dictionary's hook: what a reconstruction changes, and what outputs read."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from glasscortex.data.batches import Batch, Batches, Piece
from glasscortex.decoder.hooks import reading, replacing
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.slopes import passed, slopes

PIECES, WINDOWS = 4, 16
"""Batches of each stimulus, and windows of these, on which slopes of outputs are averaged."""

TEMPERATURE = 4.0
"""At which what the decoder says is compared: as it is, it is so sure of the windows that it was
trained on that hardly a reconstruction moves it, and less sure of all others."""


class Passage(NamedTuple):
    """A batch on its way through the decoder, as it is without a dictionary."""

    batch: Batch
    latents: Float[Tensor, "windows latents dim"]
    """What enters the part of the decoder in which the hook lies."""
    x: Float[Tensor, "windows tokens dim"]
    """Activations at the hook."""
    outputs: dict[str, Float[Tensor, "windows outputs"]]
    """By task."""
    later: dict[str, Float[Tensor, "windows places dim"]]
    """Activations at the hooks that follow, by name."""


@dataclass(frozen=True)
class Decoding:
    """A decoder and the windows on which a dictionary of its activations is fitted.

    Attributes
    ----------
    decoder : Decoder
        In evaluation mode and without gradients.
    hook : str
        The place of the dictionary.
    batches : Batches
        Windows of the presentations.
    mask : numpy.ndarray
        (presentations,) bool: those of the training split.
    """

    decoder: Decoder
    hook: str
    batches: Batches
    mask: np.ndarray

    def passages(self, rng: np.random.Generator) -> Iterator[Passage]:
        """Batches without end, all windows once before the first comes again."""
        pieces = chain.from_iterable(iter(lambda: self.batches.pieces(self.mask, rng), None))
        return map(self.passage, self.batches.read(pieces))

    @torch.no_grad()
    def passage(self, batch: Batch) -> Passage:
        """Decode a batch, and keep what a reconstruction is compared with."""
        batch = batch.to(self._device)
        latents = self.decoder.until(self.hook, batch)
        with reading(self.decoder, self.hook, *self._later) as seen:
            outputs = self.decoder.since(self.hook, latents, batch)
        return Passage(batch, latents, seen.pop(self.hook), outputs, seen)

    def changes(
        self, passage: Passage, reconstruction: Float[Tensor, "tokens dim"]
    ) -> dict[str, Float[Tensor, ""]]:
        """What a reconstruction of the activations changes.

        Parameters
        ----------
        passage : Passage
            As it is.
        reconstruction : Tensor
            Of its activations x, in their own units.

        Returns
        -------
        dict
            decoding: Kullback-Leibler divergence from what the decoder says to what it says with
            the reconstruction in place, both at `TEMPERATURE`, times its square and over the
            logarithm of the number of classes, and of a regression the mean squared difference,
            summed over tasks; downstream: mean squared error of the activations at later hooks,
            over their variance in the batch, mean over the hooks.

        References
        ----------
        Braun et al. 2024, Identifying functionally important features with end-to-end sparse
        dictionary learning, arXiv 2405.12241. Hinton et al. 2015, Distilling the knowledge in a
        neural network, arXiv 1503.02531 (temperature).
        """
        spliced = reconstruction.reshape(passage.x.shape)
        with (
            replacing(self.decoder, self.hook, lambda x: spliced),
            reading(self.decoder, *self._later) as seen,
        ):
            outputs = self.decoder.since(self.hook, passage.latents, passage.batch)
        nothing = spliced.new_zeros(())
        said = [divergence(intact, outputs[task]) for task, intact in passage.outputs.items()]
        errors = [unexplained(intact, seen[hook]) for hook, intact in passage.later.items()]
        return {
            "decoding": sum(said, nothing),
            "downstream": sum(errors, nothing) / max(1, len(errors)),
        }

    @torch.enable_grad()
    def directions(self) -> Float[Tensor, "directions dim"]:
        """Directions in which the activations move the decoder's outputs most.

        Of every output of the heads its slope on the activations, centred over the classes of a
        task, on average over tokens and a few training windows of every stimulus; of a regression
        both signs. Where the readout is linear these are its weights.
        """
        total: dict[str, Tensor] = {}
        for batch in self.batches.read(self._some_of_each_stimulus()):
            run = passed(self.decoder, self.hook, batch.to(self._device))
            for task, output in run.outputs.items():
                own = torch.stack([slope.mean((0, 1)) for _, slope in slopes(output, run)])
                total[task] = total.get(task, torch.zeros_like(own)) + own
        heads = self.decoder.vocabulary.tasks
        of_tasks = [
            total[task] if heads[task].classes else torch.cat([total[task], -total[task]])
            for task in heads
            if task in total
        ]
        found = F.normalize(torch.cat(of_tasks).cpu(), dim=1)
        return found[found.any(1)]

    def _some_of_each_stimulus(self) -> Iterator[Piece]:
        taken: Counter[str] = Counter()
        for piece in self.batches.pieces(self.mask, np.random.default_rng(0)):
            taken[piece.stimulus] += 1
            if taken[piece.stimulus] <= PIECES:
                yield piece._replace(trials=piece.trials[:WINDOWS])

    @property
    def _device(self) -> torch.device:
        return next(self.decoder.parameters()).device

    @property
    def _later(self) -> list[str]:
        """Names of the hooks that follow."""
        if self.hook == "readout":
            return []
        first, depth = self.decoder.first_block(self.hook), self.decoder.config.depth
        return [*(f"latents.{i}" for i in range(first + 1, depth + 1)), "readout"]


def divergence(
    intact: Float[Tensor, "windows outputs"], spliced: Float[Tensor, "windows outputs"]
) -> Float[Tensor, ""]:
    """How far one task's outputs have moved: see `Decoding.changes`."""
    if intact.shape[1] == 1:
        return (intact - spliced).square().mean()
    shown = intact[0].isfinite()
    said, says = (F.log_softmax(output[:, shown] / TEMPERATURE, 1) for output in (intact, spliced))
    moved = F.kl_div(says, said, reduction="batchmean", log_target=True)
    return TEMPERATURE**2 * moved / math.log(max(2, int(shown.sum())))


def unexplained(
    intact: Float[Tensor, "windows places dim"], spliced: Float[Tensor, "windows places dim"]
) -> Float[Tensor, ""]:
    """The mean squared error of activations over their variance."""
    return (intact - spliced).square().mean() / intact.var((0, 1), correction=0).mean()

"""What training lowers: a dictionary's own loss alone, or also what it changes in the decoder."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from glasscortex.config import ObjectiveSettings
from glasscortex.dictionaries.decoding import Decoding

if TYPE_CHECKING:
    from glasscortex.dictionaries.sae import Seen, SparseAutoencoder


class Objective(Protocol):
    """Where batches come from, and the loss on them."""

    def draw(self) -> None:
        """Take the next batch."""

    def backward(self, dictionary: "SparseAutoencoder", dead: Bool[Tensor, " d_sae"]) -> "Seen":
        """Leave the gradients of the loss on the batch in the parameters."""


def end_to_end(weights: ObjectiveSettings) -> bool:
    """Whether the decoder takes part in the loss."""
    return weights.decoding > 0 or weights.downstream > 0


class Alone:
    """The architecture's own loss on activations.

    Parameters
    ----------
    batches : iterator of Tensor
        Activations (tokens, d_in).
    device : torch.device
        Where to compute.
    """

    def __init__(self, batches: Iterator[Float[Tensor, "tokens d_in"]], device: torch.device):
        self.batches, self.device = batches, device

    def draw(self) -> None:
        self.x = next(self.batches).to(self.device)

    def backward(self, dictionary: "SparseAutoencoder", dead: Bool[Tensor, " d_sae"]) -> "Seen":
        return dictionary.backward(dictionary.scaled(self.x), dead)


class EndToEnd:
    """A weighted sum of the architecture's own loss and of what `Decoding.changes` says.

    Parameters
    ----------
    decoding : Decoding
        The decoder, which keeps its weights.
    weights : ObjectiveSettings
        Of the terms.
    rng : numpy.random.Generator
        Of the order of windows.
    """

    def __init__(self, decoding: Decoding, weights: ObjectiveSettings, rng: np.random.Generator):
        self.decoding, self.weights = decoding, weights
        self.passages = decoding.passages(rng)

    def draw(self) -> None:
        self.passage = next(self.passages)

    def backward(self, dictionary: "SparseAutoencoder", dead: Bool[Tensor, " d_sae"]) -> "Seen":
        dictionary.zero_grad()
        step = dictionary.loss(dictionary.scaled(self.passage.x.flatten(0, 1)), dead)
        changes = self.decoding.changes(self.passage, dictionary.unscaled(step.reconstruction))
        weights = dict.fromkeys(step.terms, self.weights.reconstruction)
        weights |= {"decoding": self.weights.decoding, "downstream": self.weights.downstream}
        terms = {
            name: weights[name] * term
            for name, term in (step.terms | changes).items()
            if weights[name]
        }
        return step._replace(terms=terms).backward()

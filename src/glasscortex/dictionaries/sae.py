"""What dictionaries that are trained by gradient descent have in common."""

from collections.abc import Iterator
from typing import ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from glasscortex.config import DictionarySettings
from glasscortex.dictionaries.base import Dictionary
from glasscortex.dictionaries.decoding import Decoding
from glasscortex.dictionaries.fit import optimise
from glasscortex.dictionaries.objectives import end_to_end
from glasscortex.dictionaries.tokens import Tokens

NOISE = 0.01
"""Standard deviation of what is added to activations that training starts at."""


class Seen(NamedTuple):
    """What a training step saw."""

    terms: dict[str, Float[Tensor, ""]]
    """By name, what the loss is the sum of."""
    fired: Bool[Tensor, " d_sae"]
    """Units that were active on some token."""


class Step(NamedTuple):
    """The forward pass of a training step, that gradients go back through."""

    terms: dict[str, Float[Tensor, ""]]
    """By name, what the loss is the sum of; `reconstruction` is the FVU."""
    reconstruction: Float[Tensor, "tokens d_in"]
    """In scaled units."""
    fired: Bool[Tensor, " d_sae"]
    """Units that were active on some token."""

    def backward(self) -> Seen:
        """Leave the gradients of the loss to autograd."""
        torch.stack(list(self.terms.values())).sum().backward()
        return Seen({name: term.detach() for name, term in self.terms.items()}, self.fired)


class SparseAutoencoder(Dictionary):
    """A dictionary that gradient descent fits: an encoder, atoms and a loss of named terms.

        a = codes(z),  ẑ = a W_dec + b_dec,  loss = FVU(z, ẑ) + …

    In memory a unit's weights lie together, in the encoder, too. Time of `fit` grows with
    steps × batch; see `glasscortex.dictionaries.fit` for the training.

    Attributes
    ----------
    W_enc : Tensor (d_in, d_sae)
        Encoder.
    b_enc : Tensor (d_sae,)
        Bias of the encoder.
    W_dec : Tensor (d_sae, d_in)
        The atoms.
    b_dec : Tensor (d_in,)
        Bias of the decoder, which the encoder takes away from its input.
    history_ : pandas.DataFrame
        Course of `fit`: step, learning_rate, a column a term of the loss (mean since the row
        before) and dead_fraction (of the units, silent for `dead_after` batches).
    """

    Settings: ClassVar[type[DictionarySettings]]
    W_enc: Tensor
    b_enc: Tensor

    @property
    def reads_decoder(self) -> bool:
        return end_to_end(self.settings.objective)

    def build(self, d_in: int) -> Self:
        super().build(d_in)
        width = self.settings.width
        self.W_enc = nn.Parameter(torch.zeros(width, d_in).T)
        self.b_enc = nn.Parameter(torch.zeros(width))
        self.W_dec = nn.Parameter(torch.zeros(width, d_in))
        self.b_dec = nn.Parameter(torch.zeros(d_in))
        return self

    @torch.no_grad()
    def initialise(
        self,
        tokens: Tokens,
        batches: Iterator[Tensor],
        decoding: Decoding | None,
        rng: np.random.Generator,
    ) -> None:
        """Make all weights: the scale, and what training starts from.

        Parameters
        ----------
        tokens : Tokens
            The training activations.
        batches : iterator of Tensor
            The same, drawn at random.
        decoding : Decoding, optional
            The decoder that they come from.
        rng : numpy.random.Generator
            Of what is drawn beside.
        """
        self.rescale(tokens)
        self.start(self.first_atoms(self.drawn(self.settings.width, batches, rng), tokens))

    def drawn(
        self, number: int, batches: Iterator[Tensor], rng: np.random.Generator
    ) -> Float[Tensor, "number d_in"]:
        """Scaled activations, with a little noise, which keeps equal ones apart."""
        needed = max(1, -(-number // self.settings.batch))
        some = torch.cat([next(batches) for _ in range(needed)])
        z = self.scaled(some[:number])
        return z + torch.from_numpy(rng.normal(scale=NOISE, size=z.shape)).float()

    def first_atoms(
        self, drawn: Float[Tensor, "d_sae d_in"], tokens: Tokens
    ) -> Float[Tensor, "d_sae d_in"]:
        """Directions of the first atoms: activations, whitened (see `whitened`)."""
        return whitened(drawn, tokens.covariance() / self.scale**2)

    def start(self, atoms: Float[Tensor, "d_sae d_in"]) -> None:
        """Begin with these directions as atoms, and their transpose as encoder."""
        self.tie(F.normalize(atoms, dim=1), self.settings.encoder_scale)

    def tie(self, atoms: Float[Tensor, "d_sae d_in"], gain: float = 1.0) -> None:
        self.W_dec.copy_(atoms)
        self.W_enc.copy_(gain * atoms.T)

    def learn(self, tokens: Tokens, decoding: Decoding | None) -> pd.DataFrame:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return optimise(self, tokens, decoding, np.random.default_rng(self.seed), device)

    def preactivations(self, z: Float[Tensor, "tokens d_in"]) -> Float[Tensor, "tokens d_sae"]:
        """Every unit's input, of scaled activations."""
        return torch.addmm(self.b_enc, z - self.b_dec, self.W_enc)

    def loss(self, z: Float[Tensor, "tokens d_in"], dead: Bool[Tensor, " d_sae"]) -> Step:
        """What training lowers.

        Parameters
        ----------
        z : Tensor
            Scaled activations.
        dead : Tensor
            Units that have been silent for `dead_after` batches.
        """
        return self.step(z, self.codes(z))

    def step(
        self,
        z: Float[Tensor, "tokens d_in"],
        codes: Float[Tensor, "tokens d_sae"],
        **terms: Float[Tensor, ""],
    ) -> Step:
        """A step whose loss is the FVU of what the codes stand for, and further terms."""
        reconstruction = self.reconstruct(codes)
        fvu = (z - reconstruction).square().mean()
        return Step({"reconstruction": fvu} | terms, reconstruction, (codes > 0).any(0))

    def backward(self, z: Float[Tensor, "tokens d_in"], dead: Bool[Tensor, " d_sae"]) -> Seen:
        """Leave the gradients of the loss in the parameters; arguments as of `loss`."""
        self.zero_grad()
        return self.loss(z, dead).backward()

    @torch.no_grad()
    def project(self) -> None:
        """Take from the gradient of the atoms what would only change their norm."""
        gradient, atoms = self.W_dec.grad, self.W_dec
        assert gradient is not None
        gradient -= (gradient * atoms).sum(1, keepdim=True) * atoms

    @torch.no_grad()
    def normalise(self) -> None:
        """Give every atom unit norm."""
        self.W_dec.div_(self.W_dec.norm(dim=1, keepdim=True))


def whitened(
    drawn: Float[Tensor, "tokens d_in"], covariance: Float[Tensor, "d_in d_in"]
) -> Float[Tensor, "tokens d_in"]:
    """Drawn activations, in coordinates in which all directions vary alike.

    Of the activations of a transformer most variance lies in few directions. Atoms that start at
    the activations themselves crowd there, and the others are explained late or never.

    Parameters
    ----------
    drawn : Tensor
        Scaled activations and noise, see `SparseAutoencoder.drawn`.
    covariance : Tensor
        Of scaled activations without it.
    """
    variances, axes = torch.linalg.eigh(covariance.double())
    shrink = (variances.clamp_min(0) + NOISE**2).rsqrt()
    return (drawn.double() @ (axes * shrink) @ axes.T).to(drawn)

"""Transcoder: what a block of the transformer does, as a sum of atoms."""

from typing import Self

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike
from torch import Tensor, nn

from glasscortex.config import TranscoderSettings
from glasscortex.dictionaries.base import Dictionary
from glasscortex.dictionaries.k_sparse import KSparse
from glasscortex.dictionaries.sae import Step
from glasscortex.dictionaries.tokens import ArrayTokens, Tokens
from glasscortex.errors import InputError


class Pairs(ArrayTokens):
    """Activations that go into a block, and those that come out, side by side.

    Parameters
    ----------
    x, y : array_like
        (tokens, d_in) each.

    Raises
    ------
    InputError
        They differ in shape, or hold numbers that are not finite.
    """

    def __init__(self, x: ArrayLike | Tensor, y: ArrayLike | Tensor):
        self.into, self.out = ArrayTokens(x), ArrayTokens(y)
        inside, outside = (t.read(slice(None)) for t in (self.into, self.out))
        if inside.shape != outside.shape:
            raise InputError(
                f"activations of shape {tuple(inside.shape)} before the block and "
                f"{tuple(outside.shape)} after it: give a row a token in both"
            )
        super().__init__(torch.cat([inside, outside], 1))


class Transcoder(KSparse):
    """The k largest units of what goes into a block make what comes out, beside a linear skip.

        a = ReLU(TopK(x W_enc + b_enc)),  ŷ = a W_dec + x W_skip + b_dec

    with x and y scaled apart, and fitted to `Pairs`. `encode` takes what goes in; `decode` gives
    what the codes add to the output, and `splice` all of it.

    Attributes
    ----------
    W_skip : Tensor (d_in, d_in)
        What goes through unencoded.
    out_mean, out_scale : Tensor
        As mean and scale, of what comes out.

    References
    ----------
    Dunefsky, Chlenski and Nanda 2024, Transcoders find interpretable LLM feature circuits, arXiv
    2406.11944. Paulo, Shabalin and Belrose 2025, Transcoders beat sparse autoencoders for
    interpretability, arXiv 2501.18823 (the skip).
    """

    architecture = "transcoder"
    Settings = TranscoderSettings
    out_mean: Tensor
    out_scale: Tensor

    def build(self, d_in: int) -> Self:
        super().build(d_in)
        self.W_skip = nn.Parameter(torch.zeros(d_in, d_in))
        self.register_buffer("out_mean", torch.zeros(d_in))
        self.register_buffer("out_scale", torch.ones(()))
        return self

    @torch.no_grad()
    def rescale(self, tokens: Tokens) -> None:
        """Make all weights, and take means and scales from the training activations."""
        if not isinstance(tokens, Pairs):
            raise InputError("transcoder: fit it to Pairs(x, y), what goes in and what comes out")
        Dictionary.rescale(self, tokens.into)
        mean, variance = tokens.out.moments()
        self.out_mean.copy_(mean)
        self.out_scale.fill_((variance / self.d_in) ** 0.5)

    def first_atoms(
        self, drawn: Float[Tensor, "d_sae pair"], tokens: Tokens
    ) -> Float[Tensor, "d_sae pair"]:
        """The pairs themselves: what goes in beside what comes of it."""
        return drawn

    def start(self, atoms: Float[Tensor, "d_sae pair"]) -> None:
        """Begin with what comes out as atoms, and what goes in as encoder."""
        into, out = atoms.chunk(2, 1)
        self.W_dec.copy_(F.normalize(out, dim=1))
        self.W_enc.copy_(self.settings.encoder_scale * F.normalize(into, dim=1).T)

    def scaled(self, x: Float[Tensor, "*tokens d"]) -> Float[Tensor, "*tokens d"]:
        """Scaled inputs, or scaled pairs side by side."""
        if x.shape[-1] == self.d_in:
            return super().scaled(x)
        into, out = x.chunk(2, -1)
        return torch.cat([super().scaled(into), (out - self.out_mean) / self.out_scale], -1)

    def unscaled(self, z: Float[Tensor, "*tokens d_in"]) -> Float[Tensor, "*tokens d_in"]:
        """Outputs in their own units."""
        return self.out_mean + self.out_scale * z

    def preactivations(self, z: Float[Tensor, "tokens d_in"]) -> Float[Tensor, "tokens d_sae"]:
        """Every unit's input, of scaled inputs."""
        return torch.addmm(self.b_enc, z, self.W_enc)

    def splice(self, x: Float[Tensor, "*tokens d_in"]) -> Float[Tensor, "*tokens d_in"]:
        """The output of the block, reconstructed from its input."""
        return self.decode(self.encode(x)) + self.out_scale * (self.scaled(x) @ self.W_skip)

    def loss(self, z: Float[Tensor, "tokens pair"], dead: Bool[Tensor, " d_sae"]) -> Step:
        """What training lowers; arguments as elsewhere, with scaled pairs side by side."""
        into, out = z.chunk(2, 1)
        preactivations = self.preactivations(into)
        codes = self.activate(preactivations)
        reconstruction = self.reconstruct(codes) + into @ self.W_skip
        error = out - reconstruction
        terms = {"reconstruction": error.square().mean()}
        return Step(
            terms | self.auxiliary(error, preactivations, dead), reconstruction, (codes > 0).any(0)
        )

"""TopK on random directions of which only the atoms are fitted: what encoding must beat."""

from typing import Self

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from glasscortex.config import FrozenSettings
from glasscortex.dictionaries.base import Dictionary
from glasscortex.dictionaries.decoding import Decoding
from glasscortex.dictionaries.k_sparse import largest
from glasscortex.dictionaries.least_squares import least_squares
from glasscortex.dictionaries.tokens import Tokens


class Frozen(Dictionary):
    """A control: the encoder is random, and only atoms and gains are fitted.

        a = g ReLU(TopK(z W_enc)),  ẑ = a W_dec + b_dec

    with random unit directions W_enc; g W_dec and b_dec are the least squares on all training
    activations, summed chunk by chunk.

    Attributes
    ----------
    W_enc : Tensor (d_in, d_sae)
        Random directions.
    gain : Tensor (d_sae,)
        Of each unit, so that atoms have unit norm.
    """

    architecture = "frozen"
    Settings = FrozenSettings
    W_enc: Tensor
    gain: Tensor

    def build(self, d_in: int) -> Self:
        super().build(d_in)
        width = self.settings.width
        self.register_buffer("W_enc", torch.zeros(d_in, width))
        self.register_buffer("gain", torch.ones(width))
        self.register_buffer("W_dec", torch.zeros(width, d_in))
        self.register_buffer("b_dec", torch.zeros(d_in))
        return self

    def tie(self, atoms: Float[Tensor, "d_sae d_in"], gain: float = 1.0) -> None:
        self.W_dec.copy_(atoms)
        self.W_enc.copy_(atoms.T)
        self.gain.fill_(gain)

    @torch.no_grad()
    def learn(self, tokens: Tokens, decoding: Decoding | None) -> pd.DataFrame:
        self.rescale(tokens)
        rng = np.random.default_rng(self.seed)
        self.tie(
            F.normalize(torch.from_numpy(rng.standard_normal(self.W_dec.shape)).float(), dim=1)
        )
        overlaps = torch.zeros(self.d_sae + 1, self.d_sae + 1, dtype=torch.float64)
        products = torch.zeros(self.d_sae + 1, tokens.d_in, dtype=torch.float64)
        for rows in tokens.slices():
            z = self.scaled(tokens.read(rows))
            a = F.pad(self.codes(z), (0, 1), value=1.0).double()  # a constant, for the bias
            overlaps += a.T @ a
            products += a.T @ z.double()
        fitted = least_squares(overlaps, products)
        atoms, bias = fitted[:-1], fitted[-1]
        self.gain.copy_(atoms.norm(dim=1))
        alive = self.gain > 0
        self.W_dec[alive] = F.normalize(atoms[alive], dim=1)
        self.b_dec.copy_(bias)
        return pd.DataFrame(columns=["step"])

    def codes(self, z: Float[Tensor, "tokens d_in"]) -> Float[Tensor, "tokens d_sae"]:
        return self.gain * largest(z @ self.W_enc, self.settings.k)

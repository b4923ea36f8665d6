"""Bases: as many signed codes as there are directions, and a linear map there and back."""

from abc import abstractmethod
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from glasscortex.config import BasisSettings
from glasscortex.dictionaries.base import Dictionary
from glasscortex.dictionaries.decoding import Decoding
from glasscortex.dictionaries.tokens import Tokens


class Basis(Dictionary):
    """Directions whose products with an activation are its codes, of either sign.

        a = z W_enc,  ẑ = a W_dec,  W_dec = W_enc⁺

    where W_enc⁺ is the pseudo-inverse, with unit rows: a whole basis gives back what went in, and
    fewer directions its projection on their span.

    Attributes
    ----------
    W_enc : Tensor (d_in, d_sae)
        The directions, at the length that gives the atoms unit norm.
    """

    Settings: ClassVar[type[BasisSettings]] = BasisSettings
    W_enc: Tensor

    @abstractmethod
    def directions(
        self, tokens: Tokens, rng: np.random.Generator
    ) -> Float[Tensor, "directions d_in"]:
        """What codes are products with, of activations whose mean and scale are known."""

    def count(self, d_in: int) -> int:
        """How many directions there are."""
        return d_in

    def build(self, d_in: int) -> Self:
        super().build(d_in)
        units = self.count(d_in)
        self.register_buffer("W_enc", torch.zeros(d_in, units))
        self.register_buffer("W_dec", torch.zeros(units, d_in))
        self.register_buffer("b_dec", torch.zeros(d_in))
        return self

    def tie(self, atoms: Float[Tensor, "d_sae d_in"], gain: float = 1.0) -> None:
        self.W_dec.copy_(atoms)
        self.W_enc.copy_(gain * atoms.T)

    @torch.no_grad()
    def learn(self, tokens: Tokens, decoding: Decoding | None) -> pd.DataFrame:
        self.rescale(tokens)
        directions = self.directions(tokens, np.random.default_rng(self.seed)).double()
        atoms = torch.linalg.pinv(directions).T
        norms = atoms.norm(dim=1, keepdim=True)
        self.W_dec.copy_(atoms / norms)
        self.W_enc.copy_((directions * norms).T)
        return pd.DataFrame(columns=["step"])

    def codes(self, z: Float[Tensor, "tokens d_in"]) -> Float[Tensor, "tokens d_sae"]:
        return z @ self.W_enc

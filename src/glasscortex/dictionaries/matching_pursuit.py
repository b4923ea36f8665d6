"""Sparse autoencoder whose encoder is matching pursuit."""

from typing import Self

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from glasscortex.config import MatchingPursuitSettings
from glasscortex.dictionaries.base import Dictionary
from glasscortex.dictionaries.sae import SparseAutoencoder


class MatchingPursuit(SparseAutoencoder):
    """Dictionary that encodes by matching pursuit: no encoder but its atoms.

        r⁰ = z − b_dec,  j = argmax rᵗ W_decᵀ,  v = ReLU(rᵗ · W_dec[j]),
        a_j ← a_j + v,  rᵗ⁺¹ = rᵗ − v W_dec[j],  k times

    Each atom explains what those before left, so that correlated atoms need not share the
    input. Fewer than k units are active if an atom is drawn again or none points along the rest.

    References
    ----------
    Costa et al. 2025, From flat to hierarchical: extracting sparse representations with matching
    pursuit, arXiv 2506.03093. Mallat and Zhang 1993, IEEE Trans Signal Process 41:3397.
    """

    architecture = "matching_pursuit"
    Settings = MatchingPursuitSettings

    def build(self, d_in: int) -> Self:
        Dictionary.build(self, d_in)
        self.W_dec = nn.Parameter(torch.zeros(self.settings.width, d_in))
        self.b_dec = nn.Parameter(torch.zeros(d_in))
        return self

    def start(self, atoms: Float[Tensor, "d_sae d_in"]) -> None:
        """Begin with these directions as atoms."""
        self.tie(F.normalize(atoms, dim=1))

    def tie(self, atoms: Float[Tensor, "d_sae d_in"], gain: float = 1.0) -> None:
        self.W_dec.copy_(atoms)

    def preactivations(self, z: Float[Tensor, "tokens d_in"]) -> Float[Tensor, "tokens d_sae"]:
        """Products of the atoms with scaled activations."""
        return (z - self.b_dec) @ self.W_dec.T

    def codes(self, z: Float[Tensor, "tokens d_in"]) -> Float[Tensor, "tokens d_sae"]:
        products, overlaps = self.preactivations(z), self.W_dec @ self.W_dec.T
        codes = torch.zeros_like(products)
        for _ in range(self.settings.k):
            value, unit = products.max(1, keepdim=True)
            value = value.relu()
            codes = codes.scatter_add(1, unit, value)
            products = products - value * overlaps[unit.squeeze(1)]
        return codes

"""TopK sparse autoencoder whose encoder is aligned with its atoms."""

from typing import Self

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from glasscortex.config import KSparseSettings
from glasscortex.dictionaries.k_sparse import KSparse


class Aligned(KSparse):
    """TopK in which every unit's encoder has the product one with its own atom.

        W_enc[:, j] = v_j + (1 − v_j · d_j) d_j,  d_j = W_dec[j],  ‖d_j‖ = 1

    with v free: what an atom adds alone is read as what it is. The constraint is the paper's; that
    the encoder is v moved along the atom is the choice made here.

    Attributes
    ----------
    free : Tensor (d_in, d_sae)
        The v_j, whose part along the atom does not matter.

    References
    ----------
    Aligned training: a parameter-free method to improve feature quality and stability of sparse
    autoencoders, 2026, arXiv 2605.18629.
    """

    architecture = "aligned"
    Settings = KSparseSettings

    def build(self, d_in: int) -> Self:
        super().build(d_in)
        self.free = nn.Parameter(self.W_enc.detach().clone())
        del self.W_enc
        self.register_buffer("W_enc", torch.zeros(self.d_sae, d_in).T)
        return self

    def start(self, atoms: Float[Tensor, "d_sae d_in"]) -> None:
        """Begin with these directions as atoms, and the same as encoder."""
        self.tie(F.normalize(atoms, dim=1))

    def tie(self, atoms: Float[Tensor, "d_sae d_in"], gain: float = 1.0) -> None:
        self.W_dec.copy_(atoms)
        self.free.copy_(atoms.T)
        self.normalise()

    def preactivations(self, z: Float[Tensor, "tokens d_in"]) -> Float[Tensor, "tokens d_sae"]:
        if self.training:
            self._align()
        return super().preactivations(z)

    @torch.no_grad()
    def normalise(self) -> None:
        """Give every atom unit norm, and its encoder the product one with it."""
        super().normalise()
        self._align()

    def _align(self) -> None:
        atoms = self.W_dec.T
        self.W_enc = self.free + (1 - (self.free * atoms).sum(0)) * atoms

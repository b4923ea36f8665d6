"""Archetypal TopK sparse autoencoder."""

from typing import Self

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from glasscortex.config import ArchetypalSettings
from glasscortex.dictionaries.k_sparse import KSparse
from glasscortex.dictionaries.tokens import Tokens


class Archetypal(KSparse):
    """Relaxed archetypal SAE (RA-SAE): TopK whose atoms are mixtures of activations.

        W_dec ∝ A C + Λ,  A ≥ 0,  Σ_i A[j, i] = 1,  ‖Λ[j]‖ ≤ δ

    with unit rows. The rows of C, d_sae training activations of unit norm, stay as they were
    drawn; the mixture A and the relaxation Λ are learnt. Atoms that lie near activations are
    more stable over seeds than free ones.

    References
    ----------
    Fel et al. 2025, Archetypal SAE: adaptive and stable dictionary learning for concept
    extraction in large vision models, arXiv 2502.12892.
    """

    architecture = "archetypal"
    Settings = ArchetypalSettings
    points: Tensor

    def build(self, d_in: int) -> Self:
        super().build(d_in)
        width = self.settings.width
        del self.W_dec
        self.register_buffer("W_dec", torch.zeros(width, d_in))
        self.register_buffer("points", torch.zeros(width, d_in))
        self.mixture = nn.Parameter(torch.eye(width))
        self.relaxation = nn.Parameter(torch.zeros(width, d_in))
        return self

    def first_atoms(
        self, drawn: Float[Tensor, "d_sae d_in"], tokens: Tokens
    ) -> Float[Tensor, "d_sae d_in"]:
        """The activations themselves, of which all atoms are mixtures."""
        return drawn

    def tie(self, atoms: Float[Tensor, "d_sae d_in"], gain: float = 1.0) -> None:
        self.points.copy_(atoms)
        super().tie(atoms, gain)

    def preactivations(self, z: Float[Tensor, "tokens d_in"]) -> Float[Tensor, "tokens d_sae"]:
        if self.training:
            self._mix()
        return super().preactivations(z)

    def project(self) -> None:
        """Nothing: the norm of the atoms is taken out where they are mixed."""

    @torch.no_grad()
    def normalise(self) -> None:
        """Keep mixtures convex and the relaxation within its limit."""
        self.mixture.clamp_(min=0)
        self.mixture.div_(self.mixture.sum(1, keepdim=True).clamp(min=1e-8))
        self.relaxation.copy_(torch.renorm(self.relaxation, 2, 0, self.settings.relaxation))
        self._mix()

    def _mix(self) -> None:
        self.W_dec = F.normalize(self.mixture @ self.points + self.relaxation, dim=1)

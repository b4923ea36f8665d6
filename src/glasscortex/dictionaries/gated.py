"""Gated sparse autoencoder."""

from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from glasscortex.config import GatedSettings
from glasscortex.dictionaries.sae import SparseAutoencoder, Step


class Gated(SparseAutoencoder):
    """Sparse autoencoder that decides apart whether a unit is active, and how much.

        π = (z − b_dec) W_enc + b_enc
        a = [π > 0] ReLU((z − b_dec) W_enc exp(r) + b_magnitude)
        loss = FVU(z, ẑ) + λ ‖ReLU(π)‖₁ / d_in + FVU(z, ReLU(π) W_dec + b_dec)

    so that the penalty, which is on the gate, does not shrink the codes. The last term lets the
    gate learn; W_dec and b_dec count as constants in it.

    References
    ----------
    Rajamanoharan et al. 2024, Improving dictionary learning with gated sparse autoencoders,
    arXiv 2404.16014.
    """

    architecture = "gated"
    Settings = GatedSettings

    def build(self, d_in: int) -> Self:
        super().build(d_in)
        self.r = nn.Parameter(torch.zeros(self.settings.width))
        self.b_magnitude = nn.Parameter(torch.zeros(self.settings.width))
        return self

    def codes(self, z: Float[Tensor, "tokens d_in"]) -> Float[Tensor, "tokens d_sae"]:
        return self._opened(self.preactivations(z))

    def loss(self, z: Float[Tensor, "tokens d_in"], dead: Bool[Tensor, " d_sae"]) -> Step:
        gate = self.preactivations(z)
        opening = gate.relu()
        seen = opening @ self.W_dec.detach() + self.b_dec.detach()
        return self.step(
            z,
            self._opened(gate),
            sparsity=self.settings.sparsity * opening.sum() / z.numel(),
            auxiliary=(z - seen).square().mean(),
        )

    def _opened(self, gate: Tensor) -> Tensor:
        return (gate > 0) * ((gate - self.b_enc) * self.r.exp() + self.b_magnitude).relu()

"""JumpReLU sparse autoencoder."""

import math
from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from glasscortex.config import JumpReluSettings
from glasscortex.dictionaries.sae import SparseAutoencoder, Step


class JumpRelu(SparseAutoencoder):
    """Sparse autoencoder whose units have a threshold each, learnt under an L0 penalty.

        a = p [p > θ],  p = (z − b_dec) W_enc + b_enc
        loss = FVU(z, ẑ) + λ ‖a‖₀ / d_in

    The gradients of the thresholds are straight-through estimates, from activations within half
    a bandwidth ε of them: ∂a/∂θ = −θ/ε and ∂‖a‖₀/∂θ = −1/ε there. θ = exp(log_threshold).

    References
    ----------
    Rajamanoharan et al. 2024, Jumping ahead: improving reconstruction fidelity with JumpReLU
    sparse autoencoders, arXiv 2407.14435.
    """

    architecture = "jump_relu"
    Settings = JumpReluSettings

    def build(self, d_in: int) -> Self:
        super().build(d_in)
        start = torch.full((self.settings.width,), math.log(self.settings.threshold))
        self.log_threshold = nn.Parameter(start)
        return self

    def codes(self, z: Float[Tensor, "tokens d_in"]) -> Float[Tensor, "tokens d_sae"]:
        return self._jump(z)[0]

    def loss(self, z: Float[Tensor, "tokens d_in"], dead: Bool[Tensor, " d_sae"]) -> Step:
        codes, active = self._jump(z)
        return self.step(z, codes, sparsity=self.settings.sparsity * active.sum() / z.numel())

    def _jump(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Codes, and which are active as ones and zeros, both with gradients for θ."""
        p, theta = self.preactivations(z), self.log_threshold.exp()
        active = (p > theta).to(p.dtype)
        near = ((p - theta).detach().abs() < self.settings.bandwidth / 2).to(p.dtype)
        through = near * (theta.detach() - theta) / self.settings.bandwidth  # zero, but its slope
        return p * active + theta.detach() * through, active + through

"""BatchTopK sparse autoencoder."""

from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from glasscortex.config import TopKSettings
from glasscortex.dictionaries.base import Dictionary, Step

SMOOTHING = 0.99
"""Weight of the past in the running mean of the threshold."""


class BatchTopK(Dictionary):
    """Sparse autoencoder that keeps the largest units of a batch, k a token on average.

        a = ReLU(p) [p > θ],  p = (z − b_dec) W_enc + b_enc

    In training θ is such that k activations a token are kept; afterwards it is the running mean
    of the smallest that were, so that a token's codes do not depend on its neighbours. The loss
    is that of TopK: the fraction of variance unexplained, and AuxK, by which the largest of the
    n dead units, at most d_in / 2 on a token, reconstruct what is left.

    References
    ----------
    Bussmann et al. 2024, BatchTopK sparse autoencoders, arXiv 2412.06410.
    """

    architecture = "batch_topk"
    Settings = TopKSettings
    threshold: Tensor

    def build(self, d_in: int) -> Self:
        super().build(d_in)
        self.register_buffer("threshold", torch.full((), -1.0))
        return self

    def codes(self, z: Float[Tensor, "tokens d_in"]) -> Float[Tensor, "tokens d_sae"]:
        activations = self.preactivations(z).relu()
        return activations * (activations > self.threshold)

    def loss(
        self, z: Float[Tensor, "tokens d_in"], dead: Bool[Tensor, " d_sae"]
    ) -> tuple[Float[Tensor, ""], Step]:
        preactivations = self.preactivations(z)
        activations = preactivations.relu()
        kept = activations.flatten().topk(self.settings.k * len(z), sorted=False)
        smallest = kept.values.detach().min()
        self.threshold.lerp_(smallest, 1 - SMOOTHING if self.threshold >= 0 else 1.0)
        codes = activations * (activations >= smallest)
        error = z - self.b_dec - codes @ self.W_dec
        fvu = error.square().mean()
        step = Step(fvu.detach(), (codes > 0).any(0))
        if not self.settings.aux_weight or not dead.any():
            return fvu, step
        most = self.d_in // 2
        among = dead.nonzero().flatten()
        values, index = preactivations[:, among].topk(min(len(among), most))
        revived = torch.zeros_like(activations).scatter(1, among[index], values.relu())
        left = (error.detach() - revived @ self.W_dec).square().mean()
        return fvu + self.settings.aux_weight * min(1, len(among) / most) * left, step

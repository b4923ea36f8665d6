"""BatchTopK sparse autoencoder."""

from typing import ClassVar, Self

import torch
from jaxtyping import Float
from torch import Tensor

from glasscortex.config import KSparseSettings, TopKSettings
from glasscortex.dictionaries.k_sparse import KSparse

SMOOTHING = 0.99
"""Weight of the past in the running mean of the threshold."""


class BatchTopK(KSparse):
    """Sparse autoencoder that keeps the largest units of a batch, k a token on average.

        a = ReLU(p) [p > θ],  p = (z − b_dec) W_enc + b_enc

    In training θ is such that k activations a token are kept; afterwards it is the running mean
    of the smallest that were, so that a token's codes do not depend on its neighbours. The loss
    is that of TopK.

    References
    ----------
    Bussmann et al. 2024, BatchTopK sparse autoencoders, arXiv 2412.06410.
    """

    architecture = "batch_topk"
    Settings: ClassVar[type[KSparseSettings]] = TopKSettings
    threshold: Tensor

    def build(self, d_in: int) -> Self:
        super().build(d_in)
        self.register_buffer("threshold", torch.full((), -1.0))
        return self

    def activate(
        self, preactivations: Float[Tensor, "tokens d_sae"]
    ) -> Float[Tensor, "tokens d_sae"]:
        activations = preactivations.relu()
        threshold = self.training_threshold(activations) if self.training else self.threshold
        return activations * (activations >= threshold)

    def training_threshold(self, activations: Float[Tensor, "tokens d_sae"]) -> Float[Tensor, ""]:
        """The smallest that is kept of a batch, which the running mean follows."""
        smallest = self._smallest(activations)
        self.threshold.lerp_(smallest, 1 - SMOOTHING if self.threshold >= 0 else 1.0)
        return smallest

    def calibrate(self, z: Float[Tensor, "tokens d_in"]) -> None:
        self.threshold.copy_(self._smallest(self.preactivations(z).relu()))

    def _smallest(self, activations: Float[Tensor, "tokens d_sae"]) -> Float[Tensor, ""]:
        count = self.settings.k * len(activations)
        return activations.detach().flatten().topk(count, sorted=False).values.min()

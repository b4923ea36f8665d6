"""Autoencoders that keep the largest units, k a token, and revive the dead."""

from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from glasscortex.config import KSparseSettings
from glasscortex.dictionaries.sae import SparseAutoencoder, Step


class KSparse(SparseAutoencoder):
    """The k largest units of every token, fitted to the FVU and AuxK.

        a = ReLU(TopK(p)),  p = (z − b_dec) W_enc + b_enc
        loss = FVU(z, ẑ) + w min(1, n / (d_in / 2)) ‖z − ẑ − ê‖² / d_in

    where ê is what the largest of the n dead units, at most d_in / 2 on a token, make of what is
    left, which counts as a constant there.

    References
    ----------
    Gao et al. 2024, Scaling and evaluating sparse autoencoders, arXiv 2406.04093.
    """

    Settings: ClassVar[type[KSparseSettings]]

    def activate(self, preactivations: Float[Tensor, "tokens d_sae"]) -> Tensor:
        """Codes of every unit's input."""
        return largest(preactivations, self.settings.k)

    def codes(self, z: Float[Tensor, "tokens d_in"]) -> Float[Tensor, "tokens d_sae"]:
        return self.activate(self.preactivations(z))

    def loss(self, z: Float[Tensor, "tokens d_in"], dead: Bool[Tensor, " d_sae"]) -> Step:
        preactivations = self.preactivations(z)
        codes = self.activate(preactivations)
        step = self.step(z, codes, **self.further(z, codes))
        return step._replace(
            terms=step.terms | self.auxiliary(z - step.reconstruction, preactivations, dead)
        )

    def further(
        self, z: Float[Tensor, "tokens d_in"], codes: Float[Tensor, "tokens d_sae"]
    ) -> dict[str, Float[Tensor, ""]]:
        """Terms of the loss beside the FVU and AuxK, by name."""
        return {}

    def auxiliary(
        self,
        error: Float[Tensor, "tokens d_in"],
        preactivations: Float[Tensor, "tokens d_sae"],
        dead: Bool[Tensor, " d_sae"],
    ) -> dict[str, Float[Tensor, ""]]:
        """AuxK, or nothing where its weight is zero."""
        if not self.settings.aux_weight:
            return {}
        if not dead.any():
            return {"auxiliary": error.new_zeros(())}
        most, among = self.d_in // 2, dead.nonzero().flatten()
        revived = torch.zeros_like(preactivations)
        revived[:, among] = largest(preactivations[:, among], min(len(among), most))
        left = (error.detach() - revived @ self.W_dec).square().mean()
        return {"auxiliary": self.settings.aux_weight * min(1, len(among) / most) * left}


def largest(values: Float[Tensor, "tokens units"], k: int) -> Float[Tensor, "tokens units"]:
    """The k largest values of each token where they are above zero, and zero elsewhere."""
    kept = values.topk(k, sorted=False)
    return torch.zeros_like(values).scatter(1, kept.indices, kept.values.relu())

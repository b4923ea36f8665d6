"""Gradients of the TopK SAE's loss, written out so that only active units cost anything.

With B tokens z of unit mean square in `dim` dimensions, reconstruction ẑ and residual e = z − ẑ,

    loss = Σ‖e‖² / (B dim)  +  w min(1, n / (dim / 2)) Σ‖e − ê‖² / (B dim)

The first term is the fraction of variance unexplained. The second is AuxK (Gao et al. 2024,
arXiv 2406.04093): ê is what the largest of the n dead units, at most dim / 2 on a token, make of
the residual, which counts as a constant there. Codes are a sparse matrix, and both of its
products, codes · dictionary and codesᵀ · gradient, are an `embedding_bag`: over the units of a
token and, after one sort, over the tokens of a unit.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from glasscortex.dictionaries.topk import TopKSae


@dataclass
class Gradients:
    """Gradients of the loss, and what the forward pass saw."""

    parameters: dict[str, Tensor]
    """By the name of the SAE's parameter."""
    fvu: Float[Tensor, ""]
    """The loss without AuxK."""
    fired: Bool[Tensor, " width"]
    """Units that were active on some token."""


@torch.no_grad()
def gradients(
    sae: TopKSae,
    z: Float[Tensor, "tokens dim"],
    dead: Bool[Tensor, " width"],
    aux_weight: float,
) -> Gradients:
    """Gradients of the loss on scaled activations.

    Parameters
    ----------
    sae : the SAE
    z : scaled activations, see `TopKSae.scaled`
    dead : units that AuxK revives
    aux_weight : weight w of AuxK
    """
    inputs = z - sae.b_dec
    preactivations = sae.preactivations(z)
    codes = _Codes(*preactivations.topk(sae.k, sorted=False), sae)
    error = codes.reconstruction - inputs
    per_error = 2 / z.numel()
    total = codes.backward(error * per_error, inputs)
    total["b_dec"] += error.sum(0) * per_error

    if aux_weight and dead.any():
        most = sae.dim // 2
        among = dead.nonzero().flatten()
        values, index = preactivations[:, among].topk(min(len(among), most), sorted=False)
        revived = _Codes(values, among[index], sae)
        weight = aux_weight * min(1, len(among) / most)
        aux_error = revived.reconstruction + error
        for name, gradient in revived.backward(aux_error * (weight * per_error), inputs).items():
            total[name] += gradient
    return Gradients(total, error.square().sum() / z.numel(), codes.fired)


class _Codes:
    """Active units of a batch, their reconstruction, and the way back through it."""

    def __init__(
        self, values: Float[Tensor, "tokens k"], units: Int[Tensor, "tokens k"], sae: TopKSae
    ):
        self.sae = sae
        self.units = units
        self.values = values.relu()
        self.reconstruction = self._decode(self.values)

    def _decode(self, values):
        atoms = self.sae.dictionary.detach()
        return F.embedding_bag(self.units, atoms, per_sample_weights=values, mode="sum")

    @property
    def fired(self) -> Bool[Tensor, " width"]:
        fired = torch.zeros(self.sae.width, dtype=torch.bool, device=self.units.device)
        return fired.index_fill_(0, self.units[self.values > 0], True)

    def backward(self, output: Float[Tensor, "tokens dim"], inputs: Tensor) -> dict[str, Tensor]:
        """Gradients of the parameters, given that of the reconstruction."""
        slope = torch.func.vjp(self._decode, self.values)[1](output)[0] * (self.values > 0)
        flat = self.units.flatten()
        order = flat.argsort()
        token = order // self.units.shape[1]
        count = torch.bincount(flat, minlength=self.sae.width)
        first = count.cumsum(0) - count

        def over_tokens(weights: Tensor, rows: Tensor) -> Tensor:
            weights = weights.flatten()[order]
            return F.embedding_bag(token, rows, first, per_sample_weights=weights, mode="sum")

        bias = over_tokens(slope, torch.ones_like(inputs[:, :1])).squeeze(1)
        return {
            "encoder": over_tokens(slope, inputs),
            "encoder_bias": bias,
            "dictionary": over_tokens(self.values, output),
            "b_dec": -(bias @ self.sae.encoder),
        }

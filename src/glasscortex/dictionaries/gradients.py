"""Gradients of the TopK SAE's loss, written out so that only active units cost anything.

With B tokens z of unit mean square in d_in dimensions, reconstruction ẑ and residual e = z − ẑ,

    loss = Σ‖e‖² / (B d_in)  +  w min(1, n / (d_in / 2)) Σ‖e − ê‖² / (B d_in)

The first term is the fraction of variance unexplained. The second is AuxK (Gao et al. 2024,
arXiv 2406.04093): ê is what the largest of the n dead units, at most d_in / 2 on a token, make of
the residual, which counts as a constant there. Codes are a sparse matrix, and both of its
products, codes · W_dec and codesᵀ · gradient, are an `embedding_bag`: over the units of a
token and, after one sort, over the tokens of a unit. Only the choice of units looks at all of
them, see `glasscortex.dictionaries.selection`.
"""

from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from glasscortex.dictionaries.selection import by_unit, largest

if TYPE_CHECKING:
    from glasscortex.dictionaries.topk import TopK


class Gradients(NamedTuple):
    """Gradients of the loss, and what the forward pass saw."""

    by_name: dict[str, Tensor]
    """Of every parameter."""
    fvu: Float[Tensor, ""]
    """The loss without AuxK."""
    fired: Bool[Tensor, " d_sae"]
    """Units that were active on some token."""


@torch.no_grad()
def gradients(
    topk: "TopK", z: Float[Tensor, "tokens d_in"], dead: Bool[Tensor, " d_sae"]
) -> Gradients:
    """Gradients of the loss on scaled activations.

    Parameters
    ----------
    topk : TopK
        The dictionary; its setting `aux_weight` is the weight w of AuxK.
    z : Tensor
        Scaled activations, see `Dictionary.scaled`.
    dead : Tensor
        Units that AuxK revives.

    Returns
    -------
    Gradients
        That of W_enc lies in memory as W_enc does.
    """
    inputs = z - topk.b_dec
    encoder, bias = topk.W_enc.detach().T, topk.b_enc.detach()
    codes = _Codes(*largest(inputs, encoder, bias, topk.settings.k), topk)
    error = codes.reconstruction - inputs
    per_error = 2 / z.numel()
    total = codes.backward(error * per_error, inputs)
    total["b_dec"] += error.sum(0) * per_error

    if topk.settings.aux_weight and dead.any():
        most = topk.d_in // 2
        among = dead.nonzero().flatten()
        values, index = largest(inputs, encoder[among], bias[among], min(len(among), most))
        revived = _Codes(values, among[index], topk)
        weight = topk.settings.aux_weight * min(1, len(among) / most)
        aux_error = revived.reconstruction + error
        for name, gradient in revived.backward(aux_error * (weight * per_error), inputs).items():
            total[name] += gradient
    return Gradients(total, error.square().sum() / z.numel(), codes.fired)


class _Codes:
    """Active units of a batch, their reconstruction, and the way back through it."""

    def __init__(
        self, values: Float[Tensor, "tokens k"], units: Int[Tensor, "tokens k"], topk: "TopK"
    ):
        atoms = topk.W_dec.detach()
        self.topk, self.units, self.values = topk, units, values.relu()
        self.reconstruction, self._back = torch.func.vjp(
            lambda weights: F.embedding_bag(units, atoms, per_sample_weights=weights, mode="sum"),
            self.values,
        )[:2]

    @property
    def fired(self) -> Bool[Tensor, " d_sae"]:
        fired = torch.zeros(self.topk.d_sae, dtype=torch.bool, device=self.units.device)
        return fired.index_fill_(0, self.units[self.values > 0], True)

    def backward(self, output: Float[Tensor, "tokens d_in"], inputs: Tensor) -> dict[str, Tensor]:
        """Gradients of the parameters, given that of the reconstruction."""
        slope = self._back(output)[0] * (self.values > 0)
        order, token, first = by_unit(self.units, self.topk.d_sae)

        def over_tokens(weights: Tensor, rows: Tensor) -> Tensor:
            weights = weights.flatten()[order]
            return F.embedding_bag(token, rows, first, per_sample_weights=weights, mode="sum")

        bias = over_tokens(slope, torch.ones_like(inputs[:, :1])).squeeze(1)
        return {
            "W_enc": over_tokens(slope, inputs).T,
            "b_enc": bias,
            "W_dec": over_tokens(self.values, output),
            "b_dec": -(bias @ self.topk.W_enc.T),
        }

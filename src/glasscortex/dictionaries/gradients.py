"""Gradients of the TopK SAE's loss, written out so that only active units cost anything.

With B tokens z of unit mean square in d_in dimensions, reconstruction ẑ and residual e = z − ẑ,

    loss = Σ‖e‖² / (B d_in)  +  w min(1, n / (d_in / 2)) Σ‖e − ê‖² / (B d_in)

The first term is the fraction of variance unexplained. The second is AuxK (Gao et al. 2024,
arXiv 2406.04093): ê is what the largest of the n dead units, at most d_in / 2 on a token, make of
the residual, which counts as a constant there. Only the choice of units looks at all of them, see
`glasscortex.dictionaries.selection`; all else is two compiled loops over the active ones. On a
CPU, that is: elsewhere dense products are cheap, and autograd does.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int, Int64
from numba import njit
from torch import Tensor

from glasscortex.dictionaries.selection import largest

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
        self.topk, self.units, self.values = topk, units, values.relu()
        self.active = self.values.numpy(), units.numpy(), topk.W_dec.detach().numpy()
        self.reconstruction = values.new_zeros(len(values), topk.d_in)
        _sum_atoms(*self.active, self.reconstruction.numpy())

    @property
    def fired(self) -> Bool[Tensor, " d_sae"]:
        fired = torch.zeros(self.topk.d_sae, dtype=torch.bool)
        return fired.index_fill_(0, self.units[self.values > 0], True)

    def backward(
        self, output: Float[Tensor, "tokens d_in"], inputs: Float[Tensor, "tokens d_in"]
    ) -> dict[str, Tensor]:
        """Gradients of the parameters, given that of the reconstruction."""
        encoder, atoms = torch.zeros(2, self.topk.d_sae, self.topk.d_in)
        bias = torch.zeros(self.topk.d_sae)
        gradients = (t.numpy() for t in (encoder, bias, atoms))
        _add_gradients(*self.active, inputs.numpy(), output.numpy(), *gradients)
        return {
            "W_enc": encoder.T,
            "b_enc": bias,
            "W_dec": atoms,
            "b_dec": -(bias @ self.topk.W_enc.T),
        }


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _sum_atoms(
    values: Float32[np.ndarray, "tokens k"],
    units: Int64[np.ndarray, "tokens k"],
    atoms: Float32[np.ndarray, "d_sae d_in"],
    sums: Float32[np.ndarray, "tokens d_in"],
) -> None:
    """Add the atoms of each token's active units, times their values."""
    for token in range(len(units)):
        for i in range(units.shape[1]):
            value, atom = values[token, i], atoms[units[token, i]]
            if value > 0:
                for j in range(len(atom)):
                    sums[token, j] += value * atom[j]


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _add_gradients(
    values: Float32[np.ndarray, "tokens k"],
    units: Int64[np.ndarray, "tokens k"],
    atoms: Float32[np.ndarray, "d_sae d_in"],
    inputs: Float32[np.ndarray, "tokens d_in"],
    output: Float32[np.ndarray, "tokens d_in"],
    of_encoder: Float32[np.ndarray, "d_sae d_in"],
    of_bias: Float32[np.ndarray, " d_sae"],
    of_atoms: Float32[np.ndarray, "d_sae d_in"],
) -> None:
    """Add what each token's active units contribute, given the gradient of `_sum_atoms`."""
    for token in range(len(units)):
        for i in range(units.shape[1]):
            value, unit = values[token, i], units[token, i]
            if value > 0:
                slope = np.float32(0)
                for j in range(atoms.shape[1]):
                    slope += output[token, j] * atoms[unit, j]
                of_bias[unit] += slope
                for j in range(atoms.shape[1]):
                    of_encoder[unit, j] += slope * inputs[token, j]
                    of_atoms[unit, j] += value * output[token, j]

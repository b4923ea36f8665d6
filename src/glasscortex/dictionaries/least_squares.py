"""Atoms that reconstruct best, given codes."""

import torch
from jaxtyping import Float
from torch import Tensor

RIDGE = 1e-6
"""Times the mean square of the codes, so that units that never fire get zeros."""


def least_squares(
    overlaps: Float[Tensor, "units units"], products: Float[Tensor, "units d_in"]
) -> Float[Tensor, "units d_in"]:
    """Atoms, of any length, that reconstruct z best from codes a.

    Parameters
    ----------
    overlaps : Tensor
        aᵀ a, summed over tokens.
    products : Tensor
        aᵀ z.
    """
    overlaps = overlaps.double()
    ridge = RIDGE * overlaps.diagonal().mean() * torch.eye(len(overlaps), dtype=torch.float64)
    return torch.linalg.solve(overlaps + ridge, products.double()).float()

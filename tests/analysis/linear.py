"""A dictionary whose algebra is known: signed codes, linear in the activations."""

import torch
from torch import Tensor


class Linear:
    """Codes x W, and the sum of atoms that they stand for."""

    def __init__(self, directions: Tensor):
        self.directions, self.d_sae = directions, len(directions)

    def encode(self, x: Tensor) -> Tensor:
        return x @ self.directions.T

    def decode(self, codes: Tensor) -> Tensor:
        return codes @ self.directions


class Constant(Linear):
    """The same codes everywhere."""

    def encode(self, x: Tensor) -> Tensor:
        return torch.arange(self.d_sae).expand(*x.shape[:-1], -1).float()

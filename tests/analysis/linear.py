"""A dictionary whose algebra is known, linear in activations, and a decoder that is not."""

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


def disturbed(decoder, sd: float):
    """Random in every layer: nothing is linear but what must be."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.add_(sd * torch.randn(parameter.shape, generator=generator))
    return decoder

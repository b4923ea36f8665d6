"""Dropout with a quarter of a random number each.

One random number an element is what dropout costs on a CPU. Here a 64-bit draw serves four:
16 bits each, so a rate is rounded to a multiple of 2⁻¹⁶, and what is kept is scaled to match.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Dropout(nn.Dropout):
    """Each element is 0 with probability `p` in training, the others are scaled up."""

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or self.p == 0 or not input.is_cpu:
            return F.dropout(input, self.p, self.training)
        kept = uniform_16_bit(input.shape) >= threshold(self.p)
        return input * kept.to(input.dtype).mul_(gain(self.p))


def uniform_16_bit(shape: torch.Size) -> Tensor:
    """Uniform over all integers of 16 bits, on the CPU."""
    draws = torch.empty(-(-shape.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
    return draws.view(torch.int16)[: shape.numel()].view(shape)


def threshold(rate: float) -> int:
    """The lowest 16-bit integer that is kept."""
    return round(rate * 2**16) - 2**15


def gain(rate: float) -> float:
    """One over the share that is kept."""
    return 2**16 / (2**16 - round(rate * 2**16))

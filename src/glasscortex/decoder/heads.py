"""From what the queries read to the outputs of a task."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class StepwiseLinear(nn.Linear):
    """A linear map of each of the first `steps` steps of a window, averaged over its steps."""

    def __init__(self, dim: int, steps: int, outputs: int):
        super().__init__(steps * dim, outputs)

    def forward(self, x: Float[Tensor, "windows steps dim"]) -> Float[Tensor, "windows outputs"]:
        return super().forward(self.features(x))

    def features(self, x: Float[Tensor, "windows steps dim"]) -> Float[Tensor, "windows features"]:
        """What the weights multiply: the steps side by side, zero where a window has none."""
        flat = x.flatten(1) / x.shape[1]
        return F.pad(flat, (0, self.in_features - flat.shape[1]))

    @torch.no_grad()
    def start(
        self, weight: Float[Tensor, "outputs features"], bias: Float[Tensor, " outputs"]
    ) -> None:
        """Take these weights, given for what `features` returns."""
        self.weight.copy_(weight)
        self.bias.copy_(bias)

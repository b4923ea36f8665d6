"""Attention with rotary time, and the feed-forward layer."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class HookPoint(nn.Identity):
    """A named place where activations pass unchanged, unless a hook reads or replaces them."""


class Rotary(nn.Module):
    """Rotary time embedding: pairs of features turn with time, at log-spaced periods.

    Su et al. 2021 (arXiv 2104.09864), with times in seconds as in POYO
    (Azabou et al. 2023, arXiv 2310.16046).
    """

    def __init__(self, head_dim: int, periods_s: tuple[float, float]):
        super().__init__()
        shortest, longest = torch.tensor(periods_s).log()
        periods = torch.linspace(shortest, longest, head_dim // 2).exp()
        self.register_buffer("omega", 2 * torch.pi / periods, persistent=False)

    def forward(self, times_s: Float[Tensor, " tokens"]) -> Float[Tensor, "2 tokens features"]:
        """Cosine and sine of every feature's angle at each time."""
        angle = (times_s[:, None] * self.omega).repeat(1, 2)
        return torch.stack([angle.cos(), angle.sin()])


def turn(
    x: Float[Tensor, "... tokens features"], angles: Float[Tensor, "2 tokens features"]
) -> Float[Tensor, "... tokens features"]:
    """Rotate the feature pairs (i, i + features / 2) of `x` by `angles`."""
    first, second = x.chunk(2, dim=-1)
    return x * angles[0] + torch.cat([-second, first], dim=-1) * angles[1]


class Attention(nn.Module):
    """Multi-head attention of queries to keys and values, turned by time."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim, bias=False)
        self.key_value = nn.Linear(dim, 2 * dim, bias=False)
        self.out = nn.Linear(dim, dim)

    def forward(
        self,
        queries: Float[Tensor, "windows queries dim"],
        context: Float[Tensor, "windows tokens dim"],
        query_angles: Float[Tensor, "2 queries features"],
        context_angles: Float[Tensor, "2 tokens features"],
    ) -> Float[Tensor, "windows queries dim"]:
        key, value = map(self.split, self.key_value(context).chunk(2, dim=-1))
        return self.mix(queries, turn(key, context_angles), value, query_angles)

    def mix(
        self,
        queries: Float[Tensor, "windows queries dim"],
        key: Float[Tensor, "windows heads tokens features"],
        value: Float[Tensor, "windows heads tokens features"],
        query_angles: Float[Tensor, "2 queries features"],
    ) -> Float[Tensor, "windows queries dim"]:
        """What the queries read from keys that are already turned, and their values."""
        query = turn(self.split(self.query(queries)), query_angles)
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def split(
        self, x: Float[Tensor, "... tokens dim"]
    ) -> Float[Tensor, "... heads tokens features"]:
        """One row a head."""
        return x.unflatten(-1, (self.heads, -1)).transpose(-2, -3)


class FeedForward(nn.Module):
    """GEGLU feed-forward layer (Shazeer 2020, arXiv 2002.05202), four times as wide inside."""

    def __init__(self, dim: int, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.wide = nn.Linear(dim, 8 * dim)
        self.narrow = nn.Linear(4 * dim, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Float[Tensor, "windows tokens dim"]
    ) -> Float[Tensor, "windows tokens dim"]:
        value, gate = self.wide(self.norm(x)).chunk(2, dim=-1)
        return self.narrow(self.dropout(value * F.gelu(gate)))


class CellEncoder(nn.Module):
    """Latents read the patches of all cells, then pass a feed-forward layer.

    The token of a patch x of cell c is (W x + b) ⊙ e_c. It is not normalised, so that its key
    and value are linear in x, with one matrix a cell and time; these are made once a batch, and
    the tokens never. What is read is scaled by √tokens: the mean of that many independent
    responses would else be too small to learn from.
    """

    def __init__(self, dim: int, heads: int, patch_frames: int, dropout: float):
        super().__init__()
        self.value = nn.Linear(patch_frames, dim)
        self.norm = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.feed_forward = FeedForward(dim, dropout)
        self.dropout = nn.Dropout(dropout)
        self._start_as_population_vector()

    def _start_as_population_vector(self) -> None:
        """Every latent first reads Σ_c (mean of x_c) e_c, turned, and attends almost evenly.

        Random filters and projections would hide that sum at the start, and with it most of
        what a window says.
        """
        dim = self.attention.out.in_features
        mean = 1 / self.value.in_features
        nn.init.normal_(self.value.weight, mean, 0.25 * mean)
        nn.init.zeros_(self.value.bias)
        with torch.no_grad():
            self.attention.key_value.weight[:dim] *= 0.3
        nn.init.orthogonal_(self.attention.key_value.weight[dim:])
        nn.init.orthogonal_(self.attention.out.weight)

    def forward(
        self,
        latents: Float[Tensor, "windows latents dim"],
        patches: Float[Tensor, "windows cells patches frames"],
        cells: Float[Tensor, "cells dim"],
        latent_angles: Float[Tensor, "2 latents features"],
        patch_angles: Float[Tensor, "2 patches features"],
    ) -> Float[Tensor, "windows latents dim"]:
        tokens = patches.shape[1] * patches.shape[2]
        key, value = self._keys_and_values(patches, cells, patch_angles)
        read = self.attention.mix(self.norm(latents), key, value, latent_angles)
        latents = latents + self.dropout(read * math.sqrt(tokens))
        return latents + self.feed_forward(latents)

    def _keys_and_values(self, patches, cells, patch_angles):
        """Two tensors (windows, heads, cells × patches, features), the keys turned by time."""
        affine = torch.cat([self.value.weight.T, self.value.bias[None]])
        gated = affine * cells[:, None]
        key, value = map(self.attention.split, self.attention.key_value(gated).chunk(2, dim=-1))
        key = turn(key[:, None], patch_angles[:, :, None, None])
        rows = patches.permute(1, 2, 0, 3).flatten(0, 1)

        def apply(maps: Float[Tensor, "cells patches heads frames features"]):
            maps = maps.transpose(2, 3).flatten(0, 1).flatten(2)
            tokens = torch.baddbmm(maps[:, -1:], rows, maps[:, :-1])
            return self.attention.split(tokens.transpose(0, 1))

        return apply(key), apply(value[:, None].expand_as(key))


class CrossBlock(nn.Module):
    """Queries read from a context, then pass a feed-forward layer."""

    def __init__(self, dim: int, heads: int, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.feed_forward = FeedForward(dim, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        queries: Float[Tensor, "windows queries dim"],
        context: Float[Tensor, "windows tokens dim"],
        query_angles: Float[Tensor, "2 queries features"],
        context_angles: Float[Tensor, "2 tokens features"],
    ) -> Float[Tensor, "windows queries dim"]:
        read = self.attention(self.norm(queries), context, query_angles, context_angles)
        queries = queries + self.dropout(read)
        return queries + self.feed_forward(queries)


class SelfBlock(nn.Module):
    """Self-attention of the latents, then a feed-forward layer, with a hook point after each."""

    def __init__(self, dim: int, heads: int, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.feed_forward = FeedForward(dim, dropout)
        self.dropout = nn.Dropout(dropout)
        self.attention_hook = HookPoint()
        self.mlp_hook = HookPoint()

    def forward(
        self,
        latents: Float[Tensor, "windows latents dim"],
        angles: Float[Tensor, "2 latents features"],
    ) -> Float[Tensor, "windows latents dim"]:
        normed = self.norm(latents)
        attended = self.attention(normed, normed, angles, angles)
        latents = latents + self.dropout(self.attention_hook(attended))
        return latents + self.mlp_hook(self.feed_forward(latents))

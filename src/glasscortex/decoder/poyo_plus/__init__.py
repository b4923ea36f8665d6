"""The layers of POYO+ for calcium traces, with one token a frame and cell.

Azabou et al. 2023 (arXiv 2310.16046) and 2025 (ICLR, POYO+). A token is a linear map of ΔF/F
beside the cell's embedding, normalised before the latents read it. Half of each head's features
turn with time, also those of the values, and what is read is turned back. Attention weights,
the inside of the feed-forward layers and what each block adds are dropped at random.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from glasscortex.config import PoyoPlusConfig
from glasscortex.decoder.dropout import Dropout
from glasscortex.decoder.layers import FeedForward, HookPoint, Rotary, rotate
from glasscortex.decoder.poyo_plus.dropped_attention import dropped_attention
from glasscortex.decoder.poyo_plus.token_attention import token_attention

EMBEDDING_SD = 0.02

MLP_RATIO = 4
"""Width of the feed-forward layers, over dim."""


class PoyoPlus(nn.Module):
    """Cells' values in, what each query reads out; the interface of `layers.Transformer`.

    Parameters
    ----------
    config : PoyoPlusConfig
        Sizes of the layers.
    sample_rate_hz : float
        Rate of the windows.
    """

    STARTS_LINEAR = False
    EMBEDDING_SDS = (EMBEDDING_SD, EMBEDDING_SD, EMBEDDING_SD)

    def __init__(self, config: PoyoPlusConfig, sample_rate_hz: float):
        super().__init__()
        self.patch_frames, self.cell_dim = 1, config.dim // 2
        self.sample_rate_hz, self.latent_step_s = sample_rate_hz, config.latent_step_s
        self.latent_embedding = nn.Parameter(
            EMBEDDING_SD * torch.randn(config.latents_per_step, config.dim)
        )
        turning = config.head_dim // 2
        self.rotary = Rotary(config.head_dim, config.rotary_periods_s, turning)
        self.encoder = TokenEncoder(config)
        self.blocks = nn.ModuleList(SelfBlock(config) for _ in range(config.depth))
        self.reader = Reader(config)

    def steps(self, samples: int) -> int:
        """How many steps `read` returns: the label's time alone."""
        return 1

    def encode(
        self,
        patches: Float[Tensor, "windows cells frames 1"],
        cells: Float[Tensor, "cells half_dim"],
    ) -> Float[Tensor, "windows latents dim"]:
        """What the latents read from the cells."""
        frames = patches.shape[2]
        times = (torch.arange(frames, device=patches.device) + 0.5) / self.sample_rate_hz
        steps = max(1, round(frames / self.sample_rate_hz / self.latent_step_s))
        latents = self.latent_embedding.repeat(steps, 1)
        return self.encoder(
            latents.expand(len(patches), -1, -1),
            patches,
            cells,
            self.angles(latents[None]),
            self.rotary(times),
        )

    def angles(
        self, latents: Float[Tensor, "windows latents dim"]
    ) -> Float[Tensor, "2 latents features"]:
        """The latents' places in time, as `blocks` take them."""
        each = len(self.latent_embedding)
        steps = torch.arange(latents.shape[1] // each, device=latents.device)
        return self.rotary(((steps + 0.5) * self.latent_step_s).repeat_interleave(each))

    def read(
        self,
        queries: Float[Tensor, "queries dim"],
        latents: Float[Tensor, "windows latents dim"],
        label_s: float,
    ) -> Float[Tensor, "windows 1 queries dim"]:
        """What the queries read at the label's time."""
        label = self.rotary(torch.tensor([label_s], device=latents.device))
        queries = queries.expand(len(latents), -1, -1)
        return self.reader(queries, latents, label, self.angles(latents))[:, None]


class TimedAttention(nn.Module):
    """Attention whose projections turn with time.

    What it reads from stands at few times, equally many rows at each and in their order. So the
    weights of a projection are turned, once a batch and time, and the activations never.

    Parameters
    ----------
    config : PoyoPlusConfig
        Sizes of the layers.
    heads : int
        Number of heads.
    turns_values : bool
        Turn the values too, and turn back what is read.
    """

    def __init__(self, config: PoyoPlusConfig, heads: int, turns_values: bool = True):
        super().__init__()
        inner = heads * config.head_dim
        self.heads, self.turns_values = heads, turns_values
        self.rate = config.attention_dropout
        self.query = nn.Linear(config.dim, inner, bias=False)
        self.key = nn.Linear(config.dim, inner, bias=False)
        self.value = nn.Linear(config.dim, inner, bias=False)
        self.out = nn.Linear(inner, config.dim)

    def forward(
        self,
        queries: Float[Tensor, "windows queries dim"],
        context: Float[Tensor, "windows tokens dim"],
        query_angles: Float[Tensor, "2 query_times features"],
        context_angles: Float[Tensor, "2 times features"],
    ) -> Float[Tensor, "windows queries dim"]:
        query = self.project(self.query, queries, query_angles)
        key = self.project(self.key, context, context_angles)
        value = self.project(self.value, context, context_angles if self.turns_values else None)
        rate = self.rate if self.training else 0.0
        return self.combine(dropped_attention(query, key, value, rate), query_angles)

    def project(
        self,
        linear: nn.Linear,
        x: Float[Tensor, "windows rows dim"],
        angles: Float[Tensor, "2 times features"] | None,
    ) -> Float[Tensor, "windows heads rows features"]:
        """Rows of `x` projected by `linear`, one row a head, turned by `angles`."""
        if angles is None:
            return linear(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        weight = linear.weight.unflatten(0, (self.heads, -1)).permute(2, 0, 1)
        turned = rotate(weight, angles[:, :, None, None]).flatten(2)
        rows = torch.bmm(_by_time(x, len(turned)), turned)
        rows = rows.unflatten(1, (len(x), -1)).unflatten(-1, (self.heads, -1))
        return rows.permute(1, 3, 0, 2, 4).flatten(2, 3)

    def combine(
        self,
        read: Float[Tensor, "windows heads queries features"],
        angles: Float[Tensor, "2 query_times features"],
    ) -> Float[Tensor, "windows queries dim"]:
        """What all heads read, turned back by `angles`, in one row a query."""
        rows = read.transpose(1, 2).flatten(2)
        if not self.turns_values:
            return self.out(rows)
        weight = self.out.weight.unflatten(1, (self.heads, -1))
        turned = rotate(weight, angles[:, :, None, None]).flatten(2).mT
        rows = torch.bmm(_by_time(rows, len(turned)), turned)
        return rows.unflatten(1, (len(read), -1)).transpose(0, 1).flatten(1, 2) + self.out.bias


def _by_time(x: Float[Tensor, "windows rows dim"], times: int) -> Float[Tensor, "times rows dim"]:
    return x.unflatten(1, (times, -1)).transpose(0, 1).flatten(1, 2)


class TokenEncoder(nn.Module):
    """Latents read one token a frame and cell, then pass a feed-forward layer.

    Memory in training grows with windows × heads × latents × tokens: the attention weights.
    """

    def __init__(self, config: PoyoPlusConfig):
        super().__init__()
        self.latents_per_step = config.latents_per_step
        self.value = nn.Linear(1, config.dim // 2)
        self.norm = nn.LayerNorm(config.dim)
        self.token_norm = nn.LayerNorm(config.dim)
        self.attention = TimedAttention(config, config.cross_heads)
        self.feed_forward = FeedForward(config.dim, MLP_RATIO, config.feature_dropout)
        nn.init.trunc_normal_(self.value.weight, std=EMBEDDING_SD)
        nn.init.zeros_(self.value.bias)

    def forward(
        self,
        latents: Float[Tensor, "windows latents dim"],
        patches: Float[Tensor, "windows cells frames 1"],
        cells: Float[Tensor, "cells half_dim"],
        latent_angles: Float[Tensor, "2 latents features"],
        frame_angles: Float[Tensor, "2 frames features"],
    ) -> Float[Tensor, "windows latents dim"]:
        """The latents must be the same in every window."""
        values, angles = patches[..., 0].mT, latent_angles[:, :: self.latents_per_step]
        queries = self.norm(latents[:1])
        if values.is_cpu:
            query = self.attention.project(self.attention.query, queries, angles)[0]
            read = self.attention.combine(self._read(query, values, cells, frame_angles), angles)
        else:
            tokens = self.token_norm(self.tokens(values, cells)).flatten(1, 2)
            read = self.attention(queries.expand_as(latents), tokens, angles, frame_angles)
        latents = latents + read
        return latents + self.feed_forward(latents)

    def tokens(
        self, values: Float[Tensor, "windows frames cells"], cells: Float[Tensor, "cells half_dim"]
    ) -> Float[Tensor, "windows frames cells dim"]:
        """The tokens, before they are normalised."""
        mapped = self.value(values[..., None])
        return torch.cat([mapped, cells.expand(*values.shape[:2], -1, -1)], dim=-1)

    def _read(self, query, values, cells, frame_angles):
        """What the queries read from the normalised tokens, which are never formed."""
        slope = torch.cat([self.value.weight[:, 0], torch.zeros_like(cells[0])])
        fixed = torch.cat([self.value.bias.expand_as(cells), cells], dim=-1)
        slope, fixed = slope - slope.mean(), fixed - fixed.mean(-1, keepdim=True)
        variance = fixed.square().mean(-1) + 2 * values * (fixed * slope).mean(-1)
        variance = variance + values.square() * slope.square().mean()
        inverse_sd = torch.rsqrt(variance + self.token_norm.eps)
        parts = torch.cat(
            [torch.cat([fixed, slope[None]]) * self.token_norm.weight, self.token_norm.bias[None]]
        )
        at_frames = parts.expand(frame_angles.shape[1], -1, -1).flatten(0, 1)[None]
        key, value = (
            self.attention.project(linear, at_frames, frame_angles)[0].unflatten(
                1, (-1, len(parts))
            )
            for linear in (self.attention.key, self.attention.value)
        )
        scores = torch.einsum("hqd,hfcd->hqfc", query / math.sqrt(query.shape[-1]), key)
        rate = self.attention.rate if self.training else 0.0
        values = inverse_sd * values
        return token_attention(inverse_sd, values, scores, value.permute(0, 3, 1, 2), rate)


class SelfBlock(nn.Module):
    """Self-attention of the latents, then a feed-forward layer, with a hook point after each."""

    def __init__(self, config: PoyoPlusConfig):
        super().__init__()
        self.latents_per_step = config.latents_per_step
        self.norm = nn.LayerNorm(config.dim)
        self.attention = TimedAttention(config, config.heads)
        self.feed_forward = FeedForward(config.dim, MLP_RATIO, config.feature_dropout)
        self.dropout = Dropout(config.block_dropout)
        self.attention_hook = HookPoint()
        self.mlp_hook = HookPoint()

    def forward(
        self,
        latents: Float[Tensor, "windows latents dim"],
        angles: Float[Tensor, "2 latents features"],
    ) -> Float[Tensor, "windows latents dim"]:
        normed, angles = self.norm(latents), angles[:, :: self.latents_per_step]
        attended = self.attention(normed, normed, angles, angles)
        latents = latents + self.dropout(self.attention_hook(attended))
        return latents + self.dropout(self.mlp_hook(self.feed_forward(latents)))


class Reader(nn.Module):
    """Queries read from the latents, then pass a feed-forward layer."""

    def __init__(self, config: PoyoPlusConfig):
        super().__init__()
        self.latents_per_step = config.latents_per_step
        self.norm = nn.LayerNorm(config.dim)
        self.latent_norm = nn.LayerNorm(config.dim)
        self.attention = TimedAttention(config, config.cross_heads, turns_values=False)
        self.feed_forward = FeedForward(config.dim, MLP_RATIO, config.feature_dropout)

    def forward(
        self,
        queries: Float[Tensor, "windows queries dim"],
        latents: Float[Tensor, "windows latents dim"],
        query_angles: Float[Tensor, "2 1 features"],
        latent_angles: Float[Tensor, "2 latents features"],
    ) -> Float[Tensor, "windows queries dim"]:
        angles = latent_angles[:, :: self.latents_per_step]
        read = self.attention(self.norm(queries), self.latent_norm(latents), query_angles, angles)
        queries = queries + read
        return queries + self.feed_forward(queries)

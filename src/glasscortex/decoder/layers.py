"""The layers of the transformer: cells to latents, among latents, and latents to queries."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from glasscortex.config import ModelConfig
from glasscortex.decoder.dropout import Dropout


class HookPoint(nn.Identity):
    """A named place where activations pass unchanged, unless a hook reads or replaces them."""


class Rotary(nn.Module):
    """Rotary time embedding: pairs of features turn with time, at log-spaced periods.

    Su et al. 2021 (arXiv 2104.09864), with times in seconds as in POYO
    (Azabou et al. 2023, arXiv 2310.16046).

    Parameters
    ----------
    head_dim : int
        Features of a head.
    periods_s : tuple of float
        Shortest and longest period, in seconds.
    turning : int, optional
        Features that turn; all by default.
    """

    omega: Tensor

    def __init__(self, head_dim: int, periods_s: tuple[float, float], turning: int | None = None):
        super().__init__()
        pairs = (turning or head_dim) // 2
        shortest, longest = torch.tensor(periods_s).log()
        periods = torch.linspace(shortest, longest, pairs).exp()
        omega = F.pad(2 * torch.pi / periods, (0, head_dim // 2 - pairs))
        self.register_buffer("omega", omega, persistent=False)

    def forward(self, times_s: Float[Tensor, " tokens"]) -> Float[Tensor, "2 tokens features"]:
        """Cosine and sine of every feature's angle at each time, for `rotate`.

        The sine of a pair's first feature is negative.
        """
        angle = times_s[:, None] * self.omega
        cosine, sine = angle.cos(), angle.sin()
        return torch.stack([torch.cat([cosine, cosine], -1), torch.cat([-sine, sine], -1)])


def rotate(
    x: Float[Tensor, "... tokens features"], angles: Float[Tensor, "2 tokens features"]
) -> Float[Tensor, "... tokens features"]:
    """Rotate the feature pairs (i, i + features / 2) of `x` by `angles`."""
    return torch.addcmul(x * angles[0], x.roll(x.shape[-1] // 2, dims=-1), angles[1])


class Attention(nn.Module):
    """Multi-head attention of queries to a context; both turn with time where angles are given."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim, bias=False)
        self.key_value = nn.Linear(dim, 2 * dim, bias=False)
        self.out = nn.Linear(dim, dim)

    def forward(
        self,
        queries: Float[Tensor, "rows queries dim"],
        context: Float[Tensor, "windows tokens dim"],
        angles: Float[Tensor, "2 tokens features"] | None = None,
    ) -> Float[Tensor, "windows queries dim"]:
        """With angles, queries and tokens stand at the same times.

        One row of queries may serve all windows.
        """
        query = self.split(self.query(queries)).expand(len(context), -1, -1, -1)
        key, value = map(self.split, self.key_value(context).chunk(2, dim=-1))
        if angles is not None:
            query, key = rotate(query, angles), rotate(key, angles)
        return self.mix(query, key, value)

    def mix(
        self,
        query: Float[Tensor, "windows heads queries features"],
        key: Float[Tensor, "windows heads tokens features"],
        value: Float[Tensor, "windows heads tokens features"],
    ) -> Float[Tensor, "windows queries dim"]:
        """What the queries read."""
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def split(
        self, x: Float[Tensor, "... tokens dim"]
    ) -> Float[Tensor, "... heads tokens features"]:
        """One row a head."""
        return x.unflatten(-1, (self.heads, -1)).transpose(-2, -3)

    def init_even(self) -> None:
        """Attend evenly at first, and pass on what is read as it is."""
        dim = self.out.in_features
        with torch.no_grad():
            nn.init.zeros_(self.key_value.weight[:dim])
            nn.init.eye_(self.key_value.weight[dim:])
        nn.init.eye_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def zero_init(self) -> None:
        """Add nothing at first."""
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)


class FeedForward(nn.Module):
    """GEGLU feed-forward layer (Shazeer 2020, arXiv 2002.05202), `ratio` times as wide inside."""

    def __init__(self, dim: int, ratio: int, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.wide = nn.Linear(dim, 2 * ratio * dim)
        self.narrow = nn.Linear(ratio * dim, dim)
        self.dropout = Dropout(dropout)

    def forward(
        self, x: Float[Tensor, "windows tokens dim"]
    ) -> Float[Tensor, "windows tokens dim"]:
        value, gate = self.wide(self.norm(x)).chunk(2, dim=-1)
        return self.narrow(self.dropout(value * F.gelu(gate)))

    def zero_init(self) -> None:
        """Add nothing at first."""
        nn.init.zeros_(self.narrow.weight)
        nn.init.zeros_(self.narrow.bias)


USUAL_MAGNITUDE = 0.5
"""Mean magnitude of a cell, about: from .1 to .65 in windows of sparse and of busy cells."""


class CellEncoder(nn.Module):
    """The latents of a time step read the cells' patches of that step.

    The token of a patch x of cell c is (W x + b) ⊙ e_c + m f_c, with e_c and f_c the halves of the
    cell's embedding, and m the magnitude of its activity: the mean of abs (x), less what is usual.
    How strongly a cell fluctuates tells of the state of the mouse where the level of its activity
    does not. A token is not normalised, so that its key and value are linear in x and m, with one
    matrix a cell, and the latents start alike in every window and step. So scores and what is read
    come from x and m themselves, through products that are made once a batch; tokens, keys and
    values never are. What is read is scaled by √cells: the mean of that many independent responses
    would else be too small to learn from.

    Every latent first reads Σ_c (mean of x_c) e_c + m_c f_c, turned: random filters and projections
    would hide that sum, and with it most of what a window says.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.value = nn.Linear(config.patch_frames, config.dim)
        self.norm = nn.LayerNorm(config.dim)
        self.attention = Attention(config.dim, config.heads)
        self.feed_forward = FeedForward(config.dim, config.mlp_ratio, config.feature_dropout)
        self.dropout = Dropout(config.feature_dropout)
        self.shown = 1 - config.cell_dropout
        nn.init.constant_(self.value.weight, 1 / config.patch_frames)
        nn.init.zeros_(self.value.bias)
        self.attention.init_even()
        self.feed_forward.zero_init()

    def forward(
        self,
        latents: Float[Tensor, "latents_per_step dim"],
        patches: Float[Tensor, "windows cells steps frames"],
        cells: Float[Tensor, "cells halves"],
    ) -> Float[Tensor, "windows latents dim"]:
        x = patches.permute(1, 0, 2, 3).flatten(1, 2)
        magnitude = x.abs().mean(dim=-1, keepdim=True) - USUAL_MAGNITUDE
        read = self._read(latents, torch.cat([x, magnitude, torch.ones_like(magnitude)], -1), cells)
        session = len(cells) / self.shown if self.training else len(cells)
        latents = latents + self.dropout(read * math.sqrt(session))
        latents = latents + self.feed_forward(latents)
        return latents.unflatten(0, (len(patches), -1)).flatten(1, 2)

    def tokens(self, cells: Float[Tensor, "cells halves"]) -> Float[Tensor, "cells affine dim"]:
        """Each cell's token as a linear map of its patch followed by its magnitude and 1."""
        gated, magnitude = cells[:, None].chunk(2, dim=-1)
        return torch.cat(
            [self.value.weight.T * gated, magnitude, self.value.bias[None] * gated], dim=1
        )

    def _read(
        self,
        latents: Float[Tensor, "latents_per_step dim"],
        x: Float[Tensor, "cells rows affine"],
        cells: Float[Tensor, "cells halves"],
    ) -> Float[Tensor, "rows latents_per_step dim"]:
        """What the latents read of each row, a step of a window: what `tokens` are linear in."""
        key, value = self.attention.key_value(self.tokens(cells)).chunk(2, dim=-1)
        query, key, value = map(
            self.attention.split, (self.attention.query(self.norm(latents)), key, value)
        )
        scale = 1 / math.sqrt(query.shape[-1])
        asked = torch.einsum("hld,chfd->cfhl", query * scale, key).flatten(2)
        weights = torch.bmm(x, asked).softmax(dim=0)
        seen = torch.einsum("crq,crf->qrcf", weights, x).unflatten(0, (len(query), -1))
        read = seen.flatten(3).flatten(1, 2) @ value.transpose(0, 1).flatten(1, 2)
        read = read.unflatten(1, (-1, x.shape[1])).permute(2, 1, 0, 3).flatten(2)
        return self.attention.out(read)


class SelfBlock(nn.Module):
    """Self-attention of the latents, then a feed-forward layer, with a hook point after each."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.norm = nn.LayerNorm(config.dim)
        self.attention = Attention(config.dim, config.heads)
        self.feed_forward = FeedForward(config.dim, config.mlp_ratio, config.feature_dropout)
        self.dropout = Dropout(config.feature_dropout)
        self.attention_hook = HookPoint()
        self.mlp_hook = HookPoint()
        self.attention.zero_init()
        self.feed_forward.zero_init()

    def forward(
        self,
        latents: Float[Tensor, "windows latents dim"],
        angles: Float[Tensor, "2 latents features"],
    ) -> Float[Tensor, "windows latents dim"]:
        normed = self.norm(latents)
        attended = self.attention(normed, normed, angles)
        latents = latents + self.dropout(self.attention_hook(attended))
        return latents + self.mlp_hook(self.feed_forward(latents))


class Reader(nn.Module):
    """In every time step the queries read the latents of that step."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.norm = nn.LayerNorm(config.dim)
        self.attention = Attention(config.dim, config.heads)
        self.dropout = Dropout(config.feature_dropout)
        self.attention.init_even()

    def forward(
        self,
        queries: Float[Tensor, "queries dim"],
        latents: Float[Tensor, "windows steps latents_per_step dim"],
    ) -> Float[Tensor, "windows steps queries dim"]:
        context = latents.flatten(0, 1)
        read = self.attention(self.norm(queries)[None], context)
        return (queries + self.dropout(read)).unflatten(0, latents.shape[:2])


class Transformer(nn.Module):
    """Cells' patches in, what each query reads out.

    A patch is a time step. The latents of a step read the cells in that step, then all latents
    one another, and the queries read the latents step by step.

    Parameters
    ----------
    config : ModelConfig
        Sizes of the layers.
    sample_rate_hz : float
        Rate of the windows.
    """

    STARTS_LINEAR = True
    """Whether training starts at what linear decoders know, or at random."""

    EMBEDDING_SDS = (1.0, 0.1, 1.0)
    """Standard deviations that embeddings of cells, sessions and tasks start with."""

    def __init__(self, config: ModelConfig, sample_rate_hz: float):
        super().__init__()
        self.patch_frames, self.cell_dim = config.patch_frames, 2 * config.dim
        self.step_s = config.patch_frames / sample_rate_hz
        self.latent_embedding = nn.Parameter(0.1 * torch.randn(config.latents_per_step, config.dim))
        self.rotary = Rotary(config.dim // config.heads, config.rotary_periods_s)
        self.encoder = CellEncoder(config)
        self.blocks = nn.ModuleList(SelfBlock(config) for _ in range(config.depth))
        self.reader = Reader(config)

    def steps(self, samples: int) -> int:
        """How many steps `read` returns for a window."""
        return -(-samples // self.patch_frames)

    def encode(
        self,
        patches: Float[Tensor, "windows cells steps frames"],
        cells: Float[Tensor, "cells halves"],
    ) -> Float[Tensor, "windows latents dim"]:
        """What the latents read from the cells."""
        return self.encoder(self.latent_embedding, patches, cells)

    def angles(
        self, latents: Float[Tensor, "windows latents dim"]
    ) -> Float[Tensor, "2 latents features"]:
        """The latents' places in time, as `blocks` take them."""
        each = len(self.latent_embedding)
        steps = torch.arange(latents.shape[1] // each, device=latents.device)
        return self.rotary(((steps + 0.5) * self.step_s).repeat_interleave(each))

    def read(
        self,
        queries: Float[Tensor, "queries dim"],
        latents: Float[Tensor, "windows latents dim"],
        label_s: float,
    ) -> Float[Tensor, "windows steps queries dim"]:
        """What the queries read in every step, wherever in the window the label lies."""
        return self.reader(queries, latents.unflatten(1, (-1, len(self.latent_embedding))))

"""Attention to normalised tokens of one value each, without forming the tokens.

A token is fixed_c + x slope for the value x of cell c, then normalised. With r one over its
standard deviation and s = x r, its key is r A_c + s B + C, turned to the time of its frame, and
so is its value. The queries are the same in every window: their products with A, B and C are made
once a batch, and a window's scores take three multiplications each, not one a feature.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.amp import custom_bwd, custom_fwd

from glasscortex.decoder.poyo_plus.dropped_attention import CACHED, mix, parts, unmix


def token_attention(
    inverse_sd: Float[Tensor, "windows frames cells"],
    scaled: Float[Tensor, "windows frames cells"],
    scores: Float[Tensor, "heads queries frames cells+2"],
    values: Float[Tensor, "heads features frames cells+2"],
    rate: float,
) -> Float[Tensor, "windows heads queries features"]:
    """What the queries read from the tokens of all frames and cells.

    Parameters
    ----------
    inverse_sd, scaled : torch.Tensor
        r and s of every token.
    scores, values : torch.Tensor
        Products of the queries with A of each cell, B and C, and the values.
    rate : float
        Probability that an attention weight is dropped.

    Returns
    -------
    torch.Tensor
        (windows, heads, queries, features).
    """
    return _TokenAttention.apply(inverse_sd, scaled, scores, values, rate)


class _TokenAttention(torch.autograd.Function):
    @staticmethod
    @custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    def forward(ctx, r, s, scores, values, rate):
        tables = _Table(scores), _Table(values)
        windows, (heads, queries) = len(r), scores.shape[:2]
        weights = r.new_empty(windows, heads * queries, *r.shape[1:])
        read = r.new_empty(windows, heads, queries, values.shape[1])
        ctx.windows = max(1, CACHED // weights[0].numel())
        for r_, s_, scores_, read_ in parts(ctx.windows, r, s, weights, read):
            tables[0].apply(r_, s_, out=scores_)
            value = tables[1].apply(r_, s_)
            mix(_by_head(scores_, heads), _by_head(value, heads).mT, rate, read_.flatten(0, 1))
        ctx.rate, ctx.tables = rate, tables
        ctx.save_for_backward(r, s, weights, read)
        return read

    @staticmethod
    @custom_bwd(device_type="cpu")
    def backward(ctx, gradient):
        r, s, weights, read = ctx.saved_tensors
        heads = gradient.shape[1]
        to_r, to_s = torch.zeros_like(r), torch.zeros_like(s)
        for table in ctx.tables:
            table.clear()
        everything = r, s, weights, read, gradient.contiguous(), to_r, to_s
        for r_, s_, kept, read_, gradient_, *to_tokens in parts(ctx.windows, *everything):
            value = _by_head(ctx.tables[1].apply(r_, s_), heads).mT
            there = read_.flatten(0, 1), gradient_.flatten(0, 1)
            to_scores, to_value = unmix(_by_head(kept, heads), value, *there, ctx.rate)
            for table, change in zip(ctx.tables, (to_scores, to_value.mT)):
                table.add_gradient(change.reshape(len(r_), -1, *r.shape[1:]), r_, s_, *to_tokens)
        return to_r, to_s, *(table.gradient() for table in ctx.tables), None


class _Table:
    """Rows r A + s B + C of the tokens of some windows, and their gradients."""

    def __init__(self, table: Float[Tensor, "heads rows frames cells+2"]):
        self.shape = table.shape
        table = table.flatten(0, 1)
        self.cell, self.shared = table[..., :-2].contiguous(), table[..., -2:].contiguous()

    def apply(self, r, s, out=None) -> Float[Tensor, "windows rows frames cells"]:
        out = torch.mul(self.cell, r[:, None], out=out)
        slope, offset = self.shared.unsqueeze(-2).unbind(-1)
        return out.addcmul_(slope, s[:, None]).add_(offset)

    def clear(self) -> None:
        self.to_cell, self.to_shared = torch.zeros_like(self.cell), torch.zeros_like(self.shared)

    def add_gradient(self, change, r, s, to_r, to_s) -> None:
        for window, of_window in zip(change, r):
            self.to_cell.addcmul_(window, of_window)
        self.to_shared[..., 0] += (change * s[:, None]).sum((0, -1))
        self.to_shared[..., 1] += change.sum((0, -1))
        to_r += (change * self.cell).sum(1)
        to_s += (change * self.shared[..., :1]).sum(1)

    def gradient(self) -> Float[Tensor, "heads rows frames cells+2"]:
        return torch.cat([self.to_cell, self.to_shared], -1).view(self.shape)


def _by_head(rows: Tensor, heads: int) -> Float[Tensor, "windows*heads rows tokens"]:
    return rows.flatten(2).unflatten(1, (heads, -1)).flatten(0, 1)

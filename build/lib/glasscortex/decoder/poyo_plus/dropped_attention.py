"""Attention whose weights are dropped at random, without the slow path.

Dropout of attention weights rules out the fused kernels of a CPU. Here the sign of a stored
weight says whether it was dropped, and few windows are worked on at a time, so that what passes
between the products stays in the cache.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.amp import custom_bwd, custom_fwd

from glasscortex.decoder.dropout import gain, threshold, uniform_16_bit

CACHED = 2**18
"""Weights that are worked on at a time."""


def dropped_attention(
    query: Float[Tensor, "windows heads queries features"],
    key: Float[Tensor, "windows heads tokens features"],
    value: Float[Tensor, "windows heads tokens features"],
    rate: float,
) -> Float[Tensor, "windows heads queries features"]:
    """Scaled dot-product attention; each weight is dropped with probability `rate`.

    Memory holds the weights once; see `dropout` for the random numbers.
    """
    if rate == 0 or not query.is_cpu:
        return F.scaled_dot_product_attention(query, key, value, dropout_p=rate)
    return _DroppedAttention.apply(query.contiguous(), key.contiguous(), value.contiguous(), rate)


def mix(scores: Tensor, value: Tensor, rate: float, read: Tensor) -> None:
    """Turn scores (…, queries, tokens) into signed weights, in place, and write what they read."""
    torch.softmax(scores, -1, out=scores)
    if rate:
        sign = uniform_16_bit(scores.shape).to(scores.dtype).add_(0.5 - threshold(rate))
        scores.copysign_(sign)
    torch.baddbmm(read, scores.clamp_min(0), value, beta=0, alpha=gain(rate), out=read)


def unmix(weights: Tensor, value: Tensor, read: Tensor, gradient: Tensor, rate: float):
    """Gradients of the scores and of the values, from that of what was read."""
    kept, scaled = weights.clamp_min(0), gradient * gain(rate)
    # the derivative of softmax, P (dP − Σ P dP): the sum is what was read times its gradient
    mean = (gradient * read).sum(-1, keepdim=True)
    to_scores = torch.bmm(scaled, value.mT).mul_(kept).addcmul_(weights.abs(), mean, value=-1)
    return to_scores, torch.bmm(scaled.mT, kept).mT


class _DroppedAttention(torch.autograd.Function):
    @staticmethod
    @custom_fwd(device_type="cpu", cast_inputs=torch.float32)
    def forward(ctx, query, key, value, rate):
        shape = query.shape
        ctx.rate, ctx.scale = rate, 1 / math.sqrt(query.shape[-1])
        query, key, value = (x.flatten(0, 1) for x in (query, key, value))
        weights, read = query.new_empty(*query.shape[:2], key.shape[1]), torch.empty_like(query)
        ctx.rows = max(1, CACHED // weights[0].numel())
        for q, k, v, scores, out in parts(ctx.rows, query, key, value, weights, read):
            torch.baddbmm(scores, q, k.mT, beta=0, alpha=ctx.scale, out=scores)
            mix(scores, v, rate, out)
        ctx.save_for_backward(query, key, value, weights, read)
        return read.view(shape)

    @staticmethod
    @custom_bwd(device_type="cpu")
    def backward(ctx, gradient):
        query, key, value, weights, read = ctx.saved_tensors
        gradients = [torch.empty_like(x) for x in (query, key, value)]
        everything = query, key, value, weights, read, gradient.flatten(0, 1), *gradients
        for q, k, v, p, out, g, to_q, to_k, to_v in parts(ctx.rows, *everything):
            to_scores, to_v[:] = unmix(p, v, out, g, ctx.rate)
            to_scores *= ctx.scale
            torch.bmm(to_scores, k, out=to_q)
            torch.bmm(to_scores.mT, q, out=to_k)
        return *(x.view(*gradient.shape[:2], *x.shape[1:]) for x in gradients), None


def parts(rows: int, *tensors: Tensor):
    """That many rows of all tensors at a time."""
    return zip(*(x.split(rows) for x in tensors))

"""Which units are active: the k largest of every token, on a CPU.

PyTorch's `topk` would take most of a training step; compiled loops take a half of its time or less.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float, Float32, Int, Int64
from numba import njit
from torch import Tensor

SPARE = 4
"""Units beyond k that a token's coarse product nominates."""
TOGETHER = 256
"""Tokens whose products are in memory at once."""
MAGNITUDE = np.int32(0x7FFFFFFF)
"""All bits of a float32 but its sign."""


def largest(
    inputs: Float[Tensor, "tokens d_in"],
    encoder: Float[Tensor, "d_sae d_in"],
    bias: Float[Tensor, " d_sae"],
    k: int,
) -> tuple[Float[Tensor, "tokens k"], Int[Tensor, "tokens k"]]:
    """The k largest of inputs · encoderᵀ + bias, and their units, in no order.

    A product in bfloat16 (where the processor has it) nominates k + 4 units a token,
    whose values are then computed in float32. A unit is missed only if the rounding puts five
    smaller ones before it.

    Parameters
    ----------
    inputs : Tensor
        A row a token.
    encoder : Tensor
        A row a unit, contiguous.
    bias : Tensor
        Of the units.
    k : int
        At most the number of units.

    Returns
    -------
    tuple of Tensor
        Values and units.

    Examples
    --------
    >>> values, units = largest(torch.tensor([[1.0, 0.0]]), torch.eye(2), torch.zeros(2), 1)
    >>> values.tolist(), units.tolist()
    ([[1.0]], [[0]])
    """
    values, units = inputs.new_empty(len(inputs), k), torch.empty(len(inputs), k, dtype=torch.long)
    for some, *out in zip(*(t.split(TOGETHER) for t in (inputs, values, units)), strict=True):
        with _coarse_products():
            coarse = torch.addmm(bias, some, encoder.T)
        arrays = (t.numpy() for t in (coarse, some, encoder, bias, *out))
        _largest(min(k + SPARE, len(bias)), *arrays)
    return values, units


@contextmanager
def _coarse_products() -> Iterator[None]:
    matmul = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = matmul.fp32_precision
    matmul.fp32_precision = "bf16"
    try:
        yield
    finally:
        matmul.fp32_precision = before


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _largest(
    nominated: int,
    coarse: Float32[np.ndarray, "tokens d_sae"],
    inputs: Float32[np.ndarray, "tokens d_in"],
    encoder: Float32[np.ndarray, "d_sae d_in"],
    bias: Float32[np.ndarray, " d_sae"],
    values: Float32[np.ndarray, "tokens k"],
    units: Int64[np.ndarray, "tokens k"],
) -> None:
    """Fill `values` and `units`."""
    k = units.shape[1]
    scratch = _scratch(coarse.shape[1], nominated)
    value, unit = np.empty(nominated, np.float32), np.empty(nominated, np.int64)
    for token in range(len(coarse)):
        _nominate(coarse[token].view(np.int32), nominated, unit, scratch)
        for i in range(nominated):
            product = np.float32(0)
            for j in range(inputs.shape[1]):
                product += inputs[token, j] * encoder[unit[i], j]
            value[i] = product + bias[unit[i]]
        for left in range(nominated, k, -1):
            least = np.argmin(value[:left])
            value[least], unit[least] = value[left - 1], unit[left - 1]
        values[token], units[token] = value[:k], unit[:k]


@njit(cache=True)
def _scratch(width: int, k: int):
    """Ranks of all units, the best of each lane, and units and ranks that are still in play."""
    lanes = min(width, 4 * k)
    rank, best = np.empty(width, np.int32), np.empty(lanes, np.int32)
    return rank, best, np.empty(width + 1, np.int64), np.empty(width + 1, np.int32)


@njit(cache=True)
def _nominate(bits, k: int, unit, scratch) -> None:
    """Fill `unit` with the k largest of float32 numbers that are given as bits.

    Units are dealt to lanes, and the k largest are in the k lanes with the largest maxima: what is
    smaller than all of these maxima is not looked at again.
    """
    rank, best, candidate, candidate_rank = scratch
    width, lanes = len(rank), len(best)
    for j in range(width):
        rank[j] = bits[j] ^ ((bits[j] >> 31) & MAGNITUDE)  # integers in the order of the floats
    best[:] = rank[:lanes]
    for start in range(lanes, width, lanes):
        for lane in range(min(lanes, width - start)):
            best[lane] = max(best[lane], rank[start + lane])
    least = _kth(best, k)
    found = 0
    for lane in range(lanes):
        if best[lane] >= least:
            for j in range(lane, width, lanes):
                candidate[found], candidate_rank[found] = j, rank[j]
                found += rank[j] >= least
    least = _kth(candidate_rank[:found], k)
    filled = 0
    for i in range(found):
        if candidate_rank[i] > least:
            unit[filled] = candidate[i]
            filled += 1
    for i in range(found):
        if candidate_rank[i] == least and filled < k:
            unit[filled] = candidate[i]
            filled += 1


@njit(cache=True)
def _kth(rank, k: int):
    """A number that k are no smaller than, or the k-th largest if equals allow none.

    By bisection: counting what is no smaller is one vectorised loop.
    """
    low, high = np.int64(rank.min()), np.int64(rank.max()) + 1
    while high - low > 1:
        middle = np.int32((low + high) >> 1)
        count = np.int32(0)
        for j in range(len(rank)):
            count += np.int32(rank[j] >= middle)
        if count == k:
            return middle
        if count > k:
            low = np.int64(middle)
        else:
            high = np.int64(middle)
    return np.int32(low)

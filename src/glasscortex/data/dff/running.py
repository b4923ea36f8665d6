"""Running order statistics and modes of one trace, exact, at a cost that the window hardly changes.

A running rank follows Huang et al. (1979), with the ranks of the whole trace in place of grey
levels: the values in the window are set bits, one a rank, and a finger points to the wanted one.
When the window moves, one bit is set, one is cleared, and the finger goes to the next or previous
set bit, or stays. A second bitmap of the words that are not empty lets it jump over the rest.

References
----------
T. Huang, G. Yang, G. Tang. A fast two-dimensional median filtering algorithm. IEEE Transactions
on Acoustics, Speech, and Signal Processing 27, 13-18 (1979).
"""

from typing import Any, Literal

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

ONE, LOW, SIX, TWELVE, ALL = (np.uint64(value) for value in (1, 63, 6, 12, 2**64 - 1))
"""A word has 64 = 2**6 bits; a word of the second bitmap stands for 2**12 ranks."""

compiled_call: Any = intrinsic
"""Numba's types do not say that the context is no argument of a call."""


class Sorted:
    """A trace between equal values beyond its ends, sorted once for windows of any length.

    Parameters
    ----------
    trace : numpy.ndarray
        (frames,), finite.
    longest : int
        Frames of the longest window, odd.
    mode : {"constant", "symmetric"}
        What stands beyond the ends: "constant" (zeros, as AllenSDK has it) or "symmetric" (the
        trace mirrored, its last frame repeated).
    """

    def __init__(
        self, trace: np.ndarray, longest: int, mode: Literal["constant", "symmetric"] = "constant"
    ):
        self._half = longest // 2
        padded = np.pad(trace, self._half, mode=mode)
        order = np.argsort(padded)
        self._values, self._ranks = _ranked(padded, order)
        self._frames = len(trace)

    def rank(self, window: int, place: int) -> np.ndarray:
        """The value at a place (0: the smallest) of the sorted window around each frame, (frames,).

        `window` is odd and no longer than `longest`.
        """
        first = self._half - window // 2
        ranks = self._ranks[first : first + self._frames + window - 1]
        return _running_rank(self._values, ranks, window, place)

    def median(self, window: int) -> np.ndarray:
        """The median of the window around each frame, (frames,)."""
        return self.rank(window, window // 2)


def running_mode(trace: np.ndarray, window: int) -> np.ndarray:
    """The most frequent integer around each frame, as AllenSDK's `movingmode_fast` finds it.

    Values are rounded to integers (of a trace that goes below 0: counted from its minimum). The
    window holds the frame, `window // 2 - 1` before it and `window // 2` after it, cut at the
    ends. A mode stays until another value is more frequent; where the mode itself leaves the window
    the smallest of the most frequent values follows.

    Parameters
    ----------
    trace : numpy.ndarray
        (frames,), finite.
    window : int
        Frames, even, shorter than the trace.
    """
    lowest = min(trace.min(), 0)
    levels = np.rint(trace - lowest).astype(np.int64)
    return _running_mode(levels, window // 2) + lowest


@compiled_call
def _lowest_bit(typing_context, word):
    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], context.get_constant(types.boolean, False))

    return types.uint64(types.uint64), generate


@compiled_call
def _zeros_above(typing_context, word):
    def generate(context, builder, signature, arguments):
        return builder.ctlz(arguments[0], context.get_constant(types.boolean, False))

    return types.uint64(types.uint64), generate


@njit(nogil=True, cache=True)
def _ranked(values, order):
    ordered, ranks = np.empty_like(values), np.empty(len(values), np.uint32)
    for rank in range(len(values)):
        ordered[rank] = values[order[rank]]
        ranks[order[rank]] = rank
    return ordered, ranks


@njit(nogil=True, cache=True)
def _next(bits, used, at):
    """The next set bit above `at`; there is one."""
    word = at >> SIX
    rest = bits[word] & (ALL << (at & LOW) << ONE)
    if rest:
        return (word << SIX) | _lowest_bit(rest)
    group = word >> SIX
    rest = used[group] & (ALL << (word & LOW) << ONE)
    while not rest:
        group += ONE
        rest = used[group]
    word = (group << SIX) | _lowest_bit(rest)
    return (word << SIX) | _lowest_bit(bits[word])


@njit(nogil=True, cache=True)
def _previous(bits, used, at):
    """The next set bit below `at`; there is one."""
    word = at >> SIX
    rest = bits[word] & ((ONE << (at & LOW)) - ONE)
    if rest:
        return (word << SIX) | (LOW - _zeros_above(rest))
    group = word >> SIX
    rest = used[group] & ((ONE << (word & LOW)) - ONE)
    while not rest:
        group -= ONE
        rest = used[group]
    word = (group << SIX) | (LOW - _zeros_above(rest))
    return (word << SIX) | (LOW - _zeros_above(bits[word]))


@njit(nogil=True, cache=True)
def _running_rank(values, ranks, window, place):
    bits = np.zeros((len(values) >> 6) + 1, np.uint64)
    used = np.zeros((len(values) >> 12) + 1, np.uint64)
    for i in range(window):
        new = np.uint64(ranks[i])
        bits[new >> SIX] |= ONE << (new & LOW)
        used[new >> TWELVE] |= ONE << ((new >> SIX) & LOW)
    at = np.uint64(ranks[:window].min())
    for _ in range(place):
        at = _next(bits, used, at)
    result = np.empty(len(ranks) - window + 1, values.dtype)
    result[0] = values[at]
    for i in range(len(result) - 1):
        old, new = np.uint64(ranks[i]), np.uint64(ranks[i + window])
        bits[new >> SIX] |= ONE << (new & LOW)
        used[new >> TWELVE] |= ONE << ((new >> SIX) & LOW)
        if new < at <= old:
            at = _previous(bits, used, at)
        elif old <= at < new:
            at = _next(bits, used, at)
        bits[old >> SIX] ^= ONE << (old & LOW)
        if not bits[old >> SIX]:
            used[old >> TWELVE] ^= ONE << ((old >> SIX) & LOW)
        result[i + 1] = values[at]
    return result


@njit(nogil=True, cache=True)
def _running_mode(levels, half):
    counts = np.zeros(levels.max() + 1, np.int64)
    for level in levels[:half]:
        counts[level] += 1
    mode = np.argmax(counts)
    result = np.empty(len(levels))
    for i in range(len(levels)):
        if i >= half:
            old = levels[i - half]
            counts[old] -= 1
            if old == mode:
                mode = np.argmax(counts)
        if i + half < len(levels):
            new = levels[i + half]
            counts[new] += 1
            if counts[new] > counts[mode]:
                mode = new
        result[i] = mode
    return result


@njit(nogil=True, cache=True)
def running_mean(trace, window):
    """The mean around each frame, as AllenSDK's `movingaverage` takes it.

    The window is that of `running_mode`. In its first half window AllenSDK divides by one frame
    fewer than it adds, so the mean is too large there, by a share of 2 / window at most; this is
    kept.

    Parameters
    ----------
    trace : numpy.ndarray
        (frames,)
    window : int
        Frames, even, shorter than the trace.
    """
    half, frames = window // 2, len(trace)
    result = np.empty(frames)
    total = trace[:half].sum()
    for i in range(half):
        total += trace[i + half]
        result[i] = total / (half + i)
    total = trace[: 2 * half].sum()
    for i in range(half, frames - half):
        total = total - trace[i - half] + trace[i + half]
        result[i] = total / window
    for i in range(frames - half, frames):
        total -= trace[i - half]
        result[i] = total / (half - 1 + frames - i)
    return result

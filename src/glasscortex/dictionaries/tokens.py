"""Tokens that a dictionary is fitted on: an array, or anything that is read piece by piece."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from glasscortex.errors import InputError


class Tokens(ABC):
    """Activations, one row a token, of which few are in memory at a time."""

    chunk: ClassVar[int] = 8192
    """Tokens that are read together."""
    buffered: ClassVar[int] = 32
    """Chunks that are shuffled together: 64 MiB of 64-dimensional tokens."""

    d_in: int
    """Features of a token."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of tokens."""

    @abstractmethod
    def __str__(self) -> str:
        """What they are, in the words of an error."""

    @abstractmethod
    def read(self, rows: slice) -> Float[Tensor, "tokens d_in"]:
        """Some neighbouring tokens."""

    def slices(self) -> Iterator[slice]:
        """The rows of each chunk, in order."""
        for first in range(0, len(self), self.chunk):
            yield slice(first, first + self.chunk)

    def moments(self) -> tuple[Float[Tensor, " d_in"], float]:
        """Mean of all tokens, and their mean squared distance from it (both in double).

        Raises
        ------
        InputError
            There are no tokens, or all are alike.
        """
        total, squares = torch.zeros(self.d_in, dtype=torch.float64), 0.0
        for rows in self.slices():
            x = self.read(rows).double()
            total += x.sum(0)
            squares += x.square().sum().item()
        mean = total / max(1, len(self))
        variance = squares / max(1, len(self)) - mean.square().sum().item()
        if not variance > 1e-12 * squares:
            raise InputError(f"{self} do not vary: choose another hook or add presentations")
        return mean, variance

    def covariance(self) -> Float[Tensor, "d_in d_in"]:
        """Mean product of the tokens' distances from their mean (in double)."""
        mean, _ = self.moments()
        total = torch.zeros(self.d_in, self.d_in, dtype=torch.float64)
        for rows in self.slices():
            x = self.read(rows).double() - mean
            total += x.T @ x
        return total / len(self)

    def batches(self, size: int, rng: np.random.Generator) -> Iterator[Float[Tensor, "size d_in"]]:
        """Endless batches in random order: each pass gives every token once.

        A pass takes the chunks in random order and shuffles the tokens of `buffered` chunks
        together, so that memory does not grow with the recording.
        """
        firsts = np.arange(0, len(self), self.chunk)
        held = np.empty((0, self.d_in), np.float32)
        while True:
            order = rng.permutation(firsts)
            for group in np.split(order, range(self.buffered, len(order), self.buffered)):
                sizes = np.minimum(self.chunk, len(self) - group)
                places = rng.permutation(sizes.sum()) + len(held)
                rows = np.empty((len(held) + len(places), self.d_in), np.float32)
                rows[: len(held)] = held
                for first in group:
                    x = self.read(slice(first, first + self.chunk))
                    rows[places[: len(x)]] = x
                    places = places[len(x) :]
                stop = len(rows) // size * size
                for first in range(0, stop, size):
                    yield torch.from_numpy(rows[first : first + size])
                held = rows[stop:].copy()


class ArrayTokens(Tokens):
    """Tokens in memory.

    Parameters
    ----------
    x : array_like
        Activations (tokens, d_in).

    Raises
    ------
    InputError
        x has another number of dimensions, or numbers that are not finite.
    """

    def __init__(self, x: ArrayLike | Tensor):
        self._x = torch.as_tensor(x, dtype=torch.float32)
        if self._x.ndim != 2:
            raise InputError(f"activations of shape {tuple(self._x.shape)}: give (tokens, d_in)")
        if not self._x.isfinite().all():
            raise InputError("activations hold NaN or infinite numbers: remove those tokens")
        self.d_in = self._x.shape[1]

    def __len__(self) -> int:
        return len(self._x)

    def __str__(self) -> str:
        return f"the {len(self)} tokens"

    def read(self, rows: slice) -> Float[Tensor, "tokens d_in"]:
        return self._x[rows]

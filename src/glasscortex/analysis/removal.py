"""Edit activations: take units out, or keep them alone, or exchange what a subspace holds."""

import zlib

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from glasscortex.data.batches import Batch
from glasscortex.dictionaries import Dictionary


def atoms(sae: Dictionary) -> Float[Tensor, "width dim"]:
    """What one unit of activation adds to the reconstruction, in the activations' own units."""
    codes = torch.eye(sae.d_sae)
    return sae.decode(codes) - sae.decode(torch.zeros_like(codes))


class EncodedBatch:
    """The codes of the batch at hand, computed once for all conditions.

    Parameters
    ----------
    sae : Dictionary
    """

    def __init__(self, sae: Dictionary):
        self.atoms = atoms(sae)
        self._sae = sae
        self._batch: Batch | None = None

    def _turn_to(self, batch: Batch) -> None:
        if batch is not self._batch:
            self._batch = batch
            self._codes: Tensor | None = None
            self._donors: dict[bytes, Tensor] = {}
            self._exchanged: dict[int, Tensor] = {}

    def codes(
        self, x: Float[Tensor, "windows tokens dim"], batch: Batch
    ) -> Float[Tensor, "width windows tokens"]:
        """Codes of the activations of a batch, which must be the same on every call.

        Units come first: taking some of them is then a copy of rows.
        """
        self._turn_to(batch)
        if self._codes is None:
            self._codes = self._sae.encode(x).movedim(-1, 0).contiguous()
        return self._codes

    def donors(self, labels: np.ndarray | None, batch: Batch, seed: int) -> Tensor:
        """A window for each to take codes from, see `drawn_donors`; all conditions share it."""
        self._turn_to(batch)
        own = labels[batch.trials] if labels is not None else np.full(len(batch.trials), np.nan)
        key = own.tobytes()
        if key not in self._donors:
            place = f"{batch.session_id} {batch.stimulus} {batch.trials[0]}"
            rng = np.random.default_rng([seed, zlib.crc32(place.encode())])
            self._donors[key] = torch.from_numpy(drawn_donors(own, rng))
        return self._donors[key]

    def exchanged(
        self,
        x: Float[Tensor, "windows tokens dim"],
        labels: np.ndarray | None,
        batch: Batch,
        seed: int,
    ) -> Float[Tensor, "width windows tokens"]:
        """What the codes of each window change by when they become those of its donor."""
        codes, donors = self.codes(x, batch), self.donors(labels, batch, seed)
        if id(donors) not in self._exchanged:
            self._exchanged[id(donors)] = codes[:, donors] - codes
        return self._exchanged[id(donors)]


class Removal:
    """An edit of activations that replaces some units' part in them,

        x' = x + Σ_{j∈S} (a'_j − a_j) d_j

    so that what the SAE does not explain stays. The new activation a' is 0 (`zero`); the unit's
    mean (`mean`); or what the unit does, token by token, in another window of the same session
    and stimulus with another label (`resample`; any other window where labels do not apply).

    Parameters
    ----------
    encoded : EncodedBatch
        Codes and atoms.
    units : tuple of int
        The units S.
    method : str
        "zero", "mean" or "resample".
    mean : Tensor, shape (units,)
        Mean activation of every unit.
    labels : ndarray, shape (presentations,), or None
        Classes of the variable, NaN where it does not apply; None if it has none.
    seed : int
        Of the draw of windows.
    """

    def __init__(
        self,
        encoded: EncodedBatch,
        units: tuple[int, ...],
        method: str,
        mean: Float[Tensor, " width"],
        labels: np.ndarray | None,
        seed: int,
    ):
        self._encoded, self._labels, self._seed = encoded, labels, seed
        self._units, self._method = torch.tensor(units, dtype=torch.long), method
        self._atoms = encoded.atoms[self._units]
        self._mean = mean[self._units]

    def __call__(
        self, x: Float[Tensor, "windows tokens dim"], batch: Batch
    ) -> Float[Tensor, "windows tokens dim"]:
        return self._added(x, self._change(x, batch))

    def _change(
        self, x: Float[Tensor, "windows tokens dim"], batch: Batch
    ) -> Float[Tensor, "units windows tokens"]:
        if self._method == "resample":
            return self._encoded.exchanged(x, self._labels, batch, self._seed)[self._units]
        change = -self._encoded.codes(x, batch)[self._units]
        return change + self._mean[:, None, None] if self._method == "mean" else change

    def _added(self, x: Tensor, change: Tensor) -> Tensor:
        return torch.addmm(x.flatten(0, 1), change.flatten(1).T, self._atoms).reshape(x.shape)


class Keeping(Removal):
    """An edit that keeps some units' part alone,

        x' = y + Σ_{j∈S} (a_j − b_j) d_j

    where y are the activations of the window that `resample` takes from, and b its codes: all
    other units, and what the dictionary does not explain, are another window's.
    """

    def __call__(
        self, x: Float[Tensor, "windows tokens dim"], batch: Batch
    ) -> Float[Tensor, "windows tokens dim"]:
        donors = self._encoded.donors(self._labels, batch, self._seed)
        return self._added(x[donors], -self._change(x, batch))


class Exchange:
    """An edit that exchanges what a subspace holds with the window that `resample` takes from,

        x' = x + g P (y − x)

    Parameters
    ----------
    encoded : EncodedBatch
        Draws the windows.
    projection : Tensor, shape (dim, dim)
        P, times g.
    labels : ndarray, shape (presentations,), or None
        See `Removal`.
    seed : int
        Of the draw of windows.
    """

    def __init__(
        self,
        encoded: EncodedBatch,
        projection: Float[Tensor, "dim dim"],
        labels: np.ndarray | None,
        seed: int,
    ):
        self._encoded, self._projection = encoded, projection
        self._labels, self._seed = labels, seed

    def __call__(
        self, x: Float[Tensor, "windows tokens dim"], batch: Batch
    ) -> Float[Tensor, "windows tokens dim"]:
        donors = self._encoded.donors(self._labels, batch, self._seed)
        return x + (x[donors] - x) @ self._projection


def drawn_donors(labels: np.ndarray, rng: np.random.Generator) -> Int64[np.ndarray, " windows"]:
    """Another window for each, with another label; NaN differs from every label.

    A window that no other differs from stays its own.
    """
    differs = labels[:, None] != labels[None]
    np.fill_diagonal(differs, False)
    lot = np.where(differs, rng.random(differs.shape), -1.0)
    return np.where(differs.any(axis=1), lot.argmax(axis=1), np.arange(len(labels)))

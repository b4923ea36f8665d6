"""Take units of an SAE out of the activations, and leave everything else."""

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
        self._donors: dict[bytes, Tensor] = {}

    def codes(
        self, x: Float[Tensor, "windows tokens dim"], batch: Batch
    ) -> Float[Tensor, "width windows tokens"]:
        """Codes of the activations of a batch, which must be the same on every call.

        Units come first: taking some of them is then a copy of rows.
        """
        if batch is not self._batch:
            self._batch, self._donors = batch, {}
            self._codes = self._sae.encode(x).movedim(-1, 0).contiguous()
        return self._codes

    def donors(self, labels: np.ndarray | None, batch: Batch, seed: int) -> Tensor:
        """A window for each to take codes from, see `drawn_donors`; all conditions share it."""
        own = labels[batch.trials] if labels is not None else np.full(len(batch.trials), np.nan)
        key = own.tobytes()
        if key not in self._donors:
            place = f"{batch.session_id} {batch.stimulus} {batch.trials[0]}"
            rng = np.random.default_rng([seed, zlib.crc32(place.encode())])
            self._donors[key] = torch.from_numpy(drawn_donors(own, rng))
        return self._donors[key]


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
        change = -self._encoded.codes(x, batch)[self._units]
        if self._method == "mean":
            change += self._mean[:, None, None]
        elif self._method == "resample":
            change -= change[:, self._encoded.donors(self._labels, batch, self._seed)]
        return x + (change.flatten(1).T @ self._atoms).reshape(x.shape)


def drawn_donors(labels: np.ndarray, rng: np.random.Generator) -> Int64[np.ndarray, " windows"]:
    """Another window for each, with another label; NaN differs from every label.

    A window that no other differs from stays its own.
    """
    differs = labels[:, None] != labels[None]
    np.fill_diagonal(differs, False)
    lot = np.where(differs, rng.random(differs.shape), -1.0)
    return np.where(differs.any(axis=1), lot.argmax(axis=1), np.arange(len(labels)))

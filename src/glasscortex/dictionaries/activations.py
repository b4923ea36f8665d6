"""Activations of one hook on disk: written batch by batch, read chunk by chunk.

A Zarr group a split, each with `x` (token, feature) float32 and `trial` (token,) int64, the row
of the token's window in the table of trials. The tokens of a window lie together.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import zarr
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from glasscortex.data.batches import Batches
from glasscortex.decoder.hooks import activations
from glasscortex.decoder.model import Decoder
from glasscortex.dictionaries.rows import RowWriter
from glasscortex.dictionaries.tokens import Tokens
from glasscortex.words import SPLITS


@torch.no_grad()
def write_activations(path: Path, decoder: Decoder, batches: Batches, hook: str) -> None:
    """Write the activations of a hook on every presentation of every split.

    Memory holds one batch of windows, one chunk and the decoder, with the embeddings of all its
    cells.

    Parameters
    ----------
    path : Path
        The Zarr to make.
    decoder : Decoder
        The decoder, in evaluation mode.
    batches : Batches
        Windows of the presentations.
    hook : str
        Place in the transformer, see `Decoder.hooks`.

    Raises
    ------
    InputError
        The decoder has no hook of that name.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    decoder.to(device)
    root = zarr.create_group(path, attributes={"hook": hook})
    for split in SPLITS:
        writer = Writer(root.create_group(split), decoder.config.dim)
        for batch in batches.ordered((batches.trials["split"] == split).to_numpy()):
            x = activations(decoder, hook, batch.to(device))
            writer.add(x.cpu().numpy(), batch.trials)
        writer.flush()


class Writer:
    """Append the tokens of windows to a group, in whole chunks.

    Parameters
    ----------
    group : zarr.Group
        The group of a split.
    d_in : int
        Features of a token.
    """

    def __init__(self, group: zarr.Group, d_in: int):
        self._rows = RowWriter(group, "token", Tokens.chunk)
        self._rows.column("x", "f4", feature=d_in, attributes={"coordinates": "trial"})
        self._rows.column("trial", "i8")

    def add(
        self, x: Float32[np.ndarray, "windows tokens d_in"], trials: Int64[np.ndarray, " windows"]
    ) -> None:
        """Add the tokens of windows and the trial of each window."""
        self._rows.add(x=x.reshape(-1, x.shape[-1]), trial=np.repeat(trials, x.shape[1]))

    def flush(self) -> None:
        """Write what is left."""
        self._rows.flush()


class Block(NamedTuple):
    """Tokens that were read together."""

    x: Float[Tensor, "tokens d_in"]
    trial: Int64[np.ndarray, " tokens"]


class RecordedTokens(Tokens):
    """The recorded activations of one split.

    Parameters
    ----------
    path : Path
        The Zarr that `write_activations` made.
    split : str
        "train", "validation" or "test".
    """

    def __init__(self, path: Path, split: str):
        group = zarr.open_group(path, mode="r")
        self.path, self.split, self.hook = path, split, str(group.attrs["hook"])
        self._x, self._trial = (_array(group, f"{split}/{name}") for name in ("x", "trial"))
        self.d_in: int = self._x.shape[1]

    def __len__(self) -> int:
        return self._x.shape[0]

    def __str__(self) -> str:
        return f"{self.path}: the {len(self)} {self.split} activations of {self.hook}"

    def read(self, rows: slice) -> Float[Tensor, "tokens d_in"]:
        return torch.from_numpy(self._x[rows])

    def blocks(self) -> Iterator[Block]:
        """All tokens in their order and the trial of each, a chunk at a time."""
        for rows in self.slices():
            yield Block(self.read(rows), np.asarray(self._trial[rows]))


def hook_of(path: Path) -> str:
    """The place in the transformer whose activations a Zarr holds."""
    return str(zarr.open_group(path, mode="r").attrs["hook"])


def _array(group: zarr.Group, name: str) -> zarr.Array:
    array = group[name]
    assert isinstance(array, zarr.Array)
    return array

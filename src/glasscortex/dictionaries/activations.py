"""Activations of one hook on disk: written batch by batch, read chunk by chunk.

A Zarr group a split, each with `x` (tokens, dim) float32 and `trial` (tokens,) int64, the row of
the token's window in the table of trials. The tokens of a window lie together.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
import zarr
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from glasscortex.data.batches import Batches
from glasscortex.data.store import write_manifest
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.evaluate import EVALUATION_BATCH
from glasscortex.decoder.hooks import reading
from glasscortex.decoder.model import Decoder
from glasscortex.dictionaries.rows import RowWriter
from glasscortex.errors import InputError
from glasscortex.files import atomic_write
from glasscortex.words import SPLITS

CHUNK = 8192
"""Tokens in a chunk."""
BUFFERED = 32
"""Chunks that are shuffled together: 64 MiB of 64-dimensional tokens."""


@torch.no_grad()
def record(
    *, decoder: Path, trials: Path, windows: Path, hook: str, out: Path, manifest: Path
) -> None:
    """Write the activations of a hook on every presentation of every split.

    Memory holds one batch of windows, one chunk, the table of trials and the decoder, with the
    embeddings of all its cells. One thread: the result does not depend on the machine's cores.

    Parameters
    ----------
    decoder : folder of the decoder
    trials : parquet table of presentations
    windows : folder of the sessions' windows
    hook : place in the transformer, see `Decoder.hooks`
    out : Zarr
    manifest : checksums of its files
    """
    torch.set_num_threads(1)
    model = Decoder.load(decoder)
    table = pd.read_parquet(trials)
    batches = Batches(WindowsFolder(windows), table, model.vocabulary, EVALUATION_BATCH)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    with atomic_write(out) as temporary:
        root = zarr.create_group(temporary, attributes={"hook": hook})
        for split in SPLITS:
            writer = Writer(root.create_group(split), model.config.dim)
            for batch in batches.ordered((table["split"] == split).to_numpy()):
                with reading(model, hook) as seen:
                    model(batch.to(device))
                writer.add(seen.value.cpu().numpy(), batch.trials)
            writer.flush()
    write_manifest(out, manifest, hook=hook)


class Writer:
    """Append the tokens of windows to a group, in whole chunks.

    Parameters
    ----------
    group : zarr.Group
        The group of a split.
    dim : int
        Features of a token.
    """

    def __init__(self, group: zarr.Group, dim: int):
        self._rows = RowWriter(group, "token", CHUNK)
        self._rows.column("x", "f4", dim=dim, attributes={"coordinates": "trial"})
        self._rows.column("trial", "i8")

    def add(
        self, x: Float32[np.ndarray, "windows tokens dim"], trials: Int64[np.ndarray, " windows"]
    ) -> None:
        """Add the tokens of windows and the trial of each window."""
        self._rows.add(x=x.reshape(-1, x.shape[-1]), trial=np.repeat(trials, x.shape[1]))

    def flush(self) -> None:
        """Write what is left."""
        self._rows.flush()


class Block(NamedTuple):
    """Tokens that were read together."""

    x: Float[Tensor, "tokens dim"]
    trial: np.ndarray


class Activations:
    """The recorded activations of one hook.

    Parameters
    ----------
    path : Zarr that `record` wrote
    """

    def __init__(self, path: Path):
        self.path = path
        self._root = zarr.open_group(path, mode="r")
        self.hook: str = self._root.attrs["hook"]
        self.dim: int = self._root["train/x"].shape[1]

    def tokens(self, split: str) -> int:
        """Number of tokens of a split."""
        return self._root[split]["x"].shape[0]

    def blocks(self, split: str) -> Iterator[Block]:
        """All tokens in their order, a chunk at a time."""
        group = self._root[split]
        for start in range(0, self.tokens(split), CHUNK):
            rows = slice(start, start + CHUNK)
            yield Block(torch.from_numpy(group["x"][rows]), group["trial"][rows])

    def moments(self, split: str) -> tuple[Float[Tensor, " dim"], float]:
        """Mean of all tokens, and their mean squared distance from it (both in double).

        Raises
        ------
        InputError
            The split has no tokens, or all are alike.
        """
        total, squares = torch.zeros(self.dim, dtype=torch.float64), 0.0
        for block in self.blocks(split):
            x = block.x.double()
            total += x.sum(0)
            squares += x.square().sum().item()
        tokens = self.tokens(split)
        mean = total / max(1, tokens)
        variance = squares / max(1, tokens) - mean.square().sum().item()
        if not variance > 1e-12 * squares:
            raise InputError(
                f"{self.path}: the {tokens} {split} activations of {self.hook} do not vary: "
                "choose another sae.hook or add presentations"
            )
        return mean, variance

    def batches(
        self, split: str, size: int, rng: np.random.Generator
    ) -> Iterator[Float[Tensor, "size dim"]]:
        """Endless batches in random order: each pass gives every token once.

        A pass takes the chunks in random order and shuffles the tokens of `BUFFERED` chunks
        together, so that memory does not grow with the recording.
        """
        x, tokens = self._root[split]["x"], self.tokens(split)
        starts = np.arange(0, tokens, CHUNK)
        held = np.empty((0, self.dim), np.float32)
        while True:
            order = rng.permutation(starts)
            for first in range(0, len(order), BUFFERED):
                some = order[first : first + BUFFERED]
                places = rng.permutation(np.minimum(CHUNK, tokens - some).sum()) + len(held)
                rows = np.empty((len(held) + len(places), self.dim), np.float32)
                rows[: len(held)] = held
                for start in some:
                    chunk = x[start : start + CHUNK]
                    rows[places[: len(chunk)]] = chunk
                    places = places[len(chunk) :]
                stop = len(rows) // size * size
                for start in range(0, stop, size):
                    yield torch.from_numpy(rows[start : start + size])
                held = rows[stop:].copy()

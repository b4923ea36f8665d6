"""Train the transformer, or make one of its controls."""

import hashlib
import json
from pathlib import Path

import torch

from glasscortex.config import DecoderConfig, TaskNames
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder import train as training
from glasscortex.decoder.checkpoint import Checkpoint
from glasscortex.files import atomic_write, checksum
from glasscortex.stages.arguments import Folder, Input
from glasscortex.tables import read_definitions, read_trials, write_table


def train(
    *,
    trials: Input,
    windows: Folder,
    folder: Folder,
    checkpoint: Folder,
    config: DecoderConfig,
    tasks: TaskNames,
    model: str,
    seed: int,
) -> None:
    """Train the transformer, or make one of its controls.

    A run that was killed goes on from `checkpoint`, which is removed at the end; on a CPU it ends
    with the same bytes.

    Parameters
    ----------
    trials : pathlib.Path
        Parquet table of presentations.
    windows : pathlib.Path
        Folder of the sessions' windows.
    folder : pathlib.Path
        Receives weights.safetensors, decoder.json and history.csv, and, where training did not
        start at random embeddings, start.safetensors.
    checkpoint : pathlib.Path
        File of the state a few minutes ago.
    config : DecoderConfig
        The transformer and its training.
    tasks : tuple of str or "all"
        Names of the tasks.
    model : str
        See `glasscortex.decoder.train.train`.
    seed : int
        Of all that is random.
    """
    table = read_trials(trials)
    settings = config.model_dump_json(exclude={"train": {"checkpoint_minutes"}})
    files = [trials, *(windows / f"{session}.h5" for session in table["session_id"].unique())]
    kept = Checkpoint(checkpoint, _identity(files, settings, tasks, model, seed))
    asked = table, WindowsFolder(windows), config, tasks, model, seed, kept
    result = training.train(*asked, definitions=read_definitions(trials))
    with atomic_write(folder) as temporary:
        temporary.mkdir()
        result.decoder.save(temporary)
        if result.projection:
            result.projection.save(temporary)
        write_table(result.history, temporary / "history.csv", model=model, seed=seed)
    kept.remove()


def _identity(files: list[Path], *settings) -> str:
    """What a checkpoint must share with a run to be its own."""
    parts = [*map(checksum, files), *settings, torch.__version__]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

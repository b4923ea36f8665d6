"""Training of the transformer, and its controls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glasscortex.config import DecoderConfig, TaskNames, TrainConfig
from glasscortex.data.batches import Batches
from glasscortex.data.vocabulary import Vocabulary
from glasscortex.data.windows import WindowsReader
from glasscortex.decoder.calibration import calibrate
from glasscortex.decoder.checkpoint import Checkpoint
from glasscortex.decoder.devices import is_out_of_memory, on_devices
from glasscortex.decoder.model import Decoder, transformer_config
from glasscortex.decoder.optimisation import HISTORY, Optimisation
from glasscortex.decoder.start import Projection, start
from glasscortex.errors import InputError
from glasscortex.tasks import ALLEN, Definitions, label_column

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass(frozen=True)
class Training:
    """What a training leaves.

    Attributes
    ----------
    decoder : Decoder
        In evaluation mode, with the weights of the best epoch.
    history : pandas.DataFrame
        epoch, train_loss, validation_loss, epoch 0 being the start; no row where nothing was
        optimised.
    projection : Projection or None
        What gives the cells of other sessions their start; None where embeddings start at random.
    """

    decoder: Decoder
    history: pd.DataFrame
    projection: Projection | None


def train(
    trials: pd.DataFrame,
    windows: Mapping[str, WindowsReader],
    config: DecoderConfig,
    tasks: TaskNames = "all",
    model: str = "trained",
    seed: int = 0,
    checkpoint: Checkpoint | None = None,
    definitions: Definitions = ALLEN,
) -> Training:
    """Train one decoder.

    Memory holds a few batches of windows, the table of trials, four times the weights, and at the
    start the linear weights of all cells (cells × classes, see `start`), in each process; time
    grows with windows × cells.

    Parameters
    ----------
    trials : pandas.DataFrame
        Presentations of all sessions, with label columns, see `glasscortex.data.labels`.
    windows : mapping of str to WindowsReader
        Reader of each session's windows.
    config : DecoderConfig
        The transformer and its training.
    tasks : tuple of str or "all"
        Names of the tasks.
    model : str
        "trained"; "start" is what training starts from; "untrained" keeps the random weights;
        "shuffled" learns labels that were permuted within each session, stimulus and split.
    seed : int
        Of all that is random.
    checkpoint : Checkpoint or None
        Where a run that may be killed keeps its state every few minutes, and goes on from; on a
        CPU it ends with the same bytes.
    definitions : Definitions
        What the tasks are.

    Returns
    -------
    Training
        The decoder, its history and its start.

    Raises
    ------
    InputError
        There is nothing to decode, the loss is no longer a number, memory ran out, or there are
        too few GPUs.
    """
    torch.set_num_threads(config.train.threads)
    decoder = untrained(trials, windows, config, tasks, seed, definitions)
    nothing = pd.DataFrame(columns=HISTORY)
    if model == "untrained":
        return Training(decoder, nothing, None)
    if model == "shuffled":
        trials = shuffled_labels(trials, seed)
    batches = Batches(windows, trials, decoder.vocabulary, config.train.batch)
    projection = None
    if model == "start" or decoder.transformer.STARTS_LINEAR:
        projection = _started(decoder, batches, seed)
        calibrate(decoder, batches, regressions=model == "start")
    if model == "start":
        return Training(decoder, nothing, projection)
    history = _optimised(decoder, batches, config.train, seed, checkpoint)
    calibrate(decoder, batches)
    return Training(decoder, history, projection)


def untrained(
    trials: pd.DataFrame,
    windows: Mapping[str, WindowsReader],
    config: DecoderConfig,
    tasks: TaskNames,
    seed: int,
    definitions: Definitions = ALLEN,
) -> Decoder:
    """The decoder of these presentations with random weights.

    Parameters
    ----------
    trials : pandas.DataFrame
        Presentations of all sessions, with label columns.
    windows : mapping of str to WindowsReader
        Reader of each session's windows.
    config : DecoderConfig
        The transformer.
    tasks : tuple of str or "all"
        Names of the tasks.
    seed : int
        Of the weights.
    definitions : Definitions
        What the tasks are.

    Returns
    -------
    Decoder
        In evaluation mode.

    Raises
    ------
    InputError
        There is nothing to decode.
    """
    torch.manual_seed(seed)
    readers = {session: windows[session] for session in trials["session_id"].unique()}
    cells = {session: tuple(reader.cells) for session, reader in readers.items()}
    samples = {name: shape[2] for r in readers.values() for name, shape in r.shapes.items()}
    vocabulary = Vocabulary.of(trials, cells, samples, tasks, definitions)
    if not vocabulary.tasks:
        raise InputError(
            f"no task can be decoded from {len(cells)} session(s): add sessions or tasks"
        )
    rate = next(iter(readers.values())).sample_rate_hz
    return Decoder(transformer_config(config), vocabulary, rate).eval()


def shuffled_labels(trials: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The trials with all labels of a presentation given to another one.

    Presentations trade places within session, stimulus and split; those of the test split
    keep their true labels.

    Parameters
    ----------
    trials : pandas.DataFrame
        Presentations, with label columns.
    seed : int
        Of the permutations.

    Returns
    -------
    pandas.DataFrame
        The same rows and columns.
    """
    rng = np.random.default_rng(seed)
    columns = [column for column in trials if column.startswith(label_column(""))]
    labels = trials[columns].to_numpy(copy=True)
    for (_, _, split), rows in trials.groupby(["session_id", "stimulus", "split"]).indices.items():
        if split != "test":
            labels[rows] = labels[rng.permutation(rows)]
    return trials.assign(**dict(zip(columns, labels.T)))


def _started(decoder: Decoder, batches: Batches, seed: int) -> Projection:
    try:
        return start(decoder, batches, seed)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise InputError(
            "memory ran out before the first step: lower decoder.train.batch, or decoder.model.dim"
        ) from None


def _optimised(
    decoder: Decoder,
    batches: Batches,
    config: TrainConfig,
    seed: int,
    checkpoint: Checkpoint | None,
) -> pd.DataFrame:
    """Train the decoder in place; its history."""
    rows = torch.full((config.epochs + 1, len(HISTORY)), torch.nan, dtype=torch.float64)
    rows.share_memory_()
    on_devices(config, _optimise, decoder, batches, config, seed, checkpoint, rows)
    history = pd.DataFrame(rows[rows[:, 0].isfinite()].numpy(), columns=HISTORY)
    return history.astype({"epoch": int})


def _optimise(
    fabric: "Fabric",
    decoder: Decoder,
    batches: Batches,
    config: TrainConfig,
    seed: int,
    checkpoint: Checkpoint | None,
    rows: Tensor,
) -> None:
    """What every process does; the first writes the history into `rows`."""
    if fabric.global_rank > 0:  # dropout drops something else in every process
        torch.manual_seed(np.random.SeedSequence([seed, fabric.global_rank]).generate_state(1)[0])
    history = Optimisation(fabric, decoder, batches, config, seed, checkpoint).run()
    if fabric.is_global_zero:
        rows[: len(history)] = torch.from_numpy(history.to_numpy(np.float64))

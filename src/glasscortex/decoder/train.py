"""Training of the transformer, and its two controls."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from glasscortex.config import DecoderConfig
from glasscortex.data.batches import Batches
from glasscortex.data.vocabulary import Vocabulary
from glasscortex.data.windows import SessionWindows
from glasscortex.decoder.calibration import calibrate
from glasscortex.decoder.devices import is_out_of_memory, on_devices
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.optimisation import HISTORY, Optimisation
from glasscortex.decoder.start import Projection, start
from glasscortex.errors import InputError
from glasscortex.files import sha256, whole
from glasscortex.words import BEHAVIOUR_VARIABLES, STIMULUS_VARIABLES

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def train(
    *,
    trials: Path,
    windows: Path,
    folder: Path,
    checkpoint: Path,
    config: DecoderConfig,
    tasks,
    model: str,
    seed: int,
) -> None:
    """Train one decoder and write it to `folder`.

    Memory holds a few batches of windows, the table of trials, four times the weights, and at the
    start the linear weights of all cells (cells × classes, see `start`), in each process; time
    grows with windows × cells. A run that was killed goes on from `checkpoint`; on a CPU it ends
    with the same bytes.

    Parameters
    ----------
    trials : parquet table of presentations
    windows : folder of the sessions' windows
    folder : receives weights.safetensors, decoder.json and history.csv, and, where training did
        not start at random embeddings, start.safetensors
    checkpoint : state a few minutes ago; removed at the end
    model : "trained"; "start" is what training starts from; "untrained" keeps the random
        weights; "shuffled" learns labels that were permuted within each session, stimulus and
        split
    """
    if model in ("start", "untrained"):
        torch.set_num_threads(config.train.threads)
        table = pd.read_parquet(trials)
        decoder = untrained(table, windows, config, tasks, seed)
        projection = None
        if model == "start":
            batches = Batches(windows, table, decoder.vocabulary, config.train.batch)
            projection = start(decoder, batches, seed)
            calibrate(decoder, batches)
        _write(folder, decoder, projection, pd.DataFrame(columns=HISTORY), model, seed)
    else:
        inputs = trials, windows, folder, checkpoint, config, tasks, model, seed
        on_devices(config.train, _fit, *inputs)
    checkpoint.unlink(missing_ok=True)


def untrained(
    trials: pd.DataFrame, windows: Path, config: DecoderConfig, tasks, seed: int
) -> Decoder:
    """The decoder of these presentations with random weights.

    Parameters
    ----------
    trials : table of presentations
    windows : folder of the sessions' windows
    config : the transformer
    tasks : names of the tasks, or "all"
    seed : of the weights

    Raises
    ------
    InputError
        There is nothing to decode.
    """
    torch.manual_seed(seed)
    readers = {s: SessionWindows(windows / f"{s}.h5") for s in trials["session_id"].unique()}
    cells = {session: tuple(reader.cells) for session, reader in readers.items()}
    samples = {name: shape[2] for r in readers.values() for name, shape in r.shapes.items()}
    vocabulary = Vocabulary.of(trials, cells, samples, tasks)
    if not vocabulary.tasks:
        raise InputError(f"no task can be decoded from {windows}: add sessions or tasks")
    rate = next(iter(readers.values())).sample_rate_hz
    return Decoder(config.transformer, vocabulary, rate)


def _fit(
    fabric: "Fabric",
    trials: Path,
    windows: Path,
    folder: Path,
    checkpoint: Path,
    config: DecoderConfig,
    tasks,
    model: str,
    seed: int,
) -> None:
    """What every process does; the first writes."""
    table = pd.read_parquet(trials)
    decoder = untrained(table, windows, config, tasks, seed)
    if model == "shuffled":
        table = shuffled_labels(table, seed)
    batches = Batches(windows, table, decoder.vocabulary, config.train.batch)
    identity, projection = None, None
    if config.transformer.starts_linear:
        try:
            projection = start(decoder, batches, seed)
            calibrate(decoder, batches, regressions=False)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            raise InputError(
                "memory ran out before the first step: lower decoder.train.batch, or "
                "decoder.model.dim"
            ) from None
    if fabric.is_global_zero:
        inputs = [trials, *(windows / f"{session}.h5" for session in decoder.vocabulary.sessions)]
        identity = _identity(config, decoder.vocabulary, model, seed, inputs)
    identity = fabric.broadcast(identity)
    if fabric.global_rank > 0:  # dropout drops something else in every process
        torch.manual_seed(np.random.SeedSequence([seed, fabric.global_rank]).generate_state(1)[0])
    history = Optimisation(fabric, decoder, batches, config.train, seed, checkpoint, identity).run()
    calibrate(decoder, batches)
    if fabric.is_global_zero:
        _write(folder, decoder, projection, history, model, seed)


def _write(
    folder: Path,
    decoder: Decoder,
    projection: Projection | None,
    history: pd.DataFrame,
    model: str,
    seed: int,
) -> None:
    with whole(folder) as temporary:
        temporary.mkdir()
        decoder.save(temporary)
        if projection:
            projection.save(temporary)
        named = history.assign(model=model, seed=seed)[["model", "seed", *HISTORY]]
        named.to_csv(temporary / "history.csv", index=False, float_format="%.9g")


def shuffled_labels(trials: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The trials with all labels of a presentation given to another one.

    Presentations trade places within session, stimulus and split; those of the test split
    keep their true labels.
    """
    rng = np.random.default_rng(seed)
    columns = [*STIMULUS_VARIABLES, *BEHAVIOUR_VARIABLES]
    labels = trials[columns].to_numpy(copy=True)
    for (_, _, split), rows in trials.groupby(["session_id", "stimulus", "split"]).indices.items():
        if split != "test":
            labels[rows] = labels[rng.permutation(rows)]
    return trials.assign(**dict(zip(columns, labels.T)))


def _identity(
    config: DecoderConfig, vocabulary: Vocabulary, model: str, seed: int, inputs: list[Path]
) -> str:
    """What a checkpoint must share with a run to be its own."""
    contents = [sha256(path) for path in inputs]
    settings = [
        config.model_dump_json(exclude={"train": {"checkpoint_minutes"}}),
        vocabulary.to_dict(),
        *(model, seed),
    ]
    parts = [*settings, contents, torch.__version__]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

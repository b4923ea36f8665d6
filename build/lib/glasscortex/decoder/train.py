"""Training of the transformer, and its two controls."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from glasscortex.config import DecoderConfig
from glasscortex.data.batches import Batches
from glasscortex.data.vocabulary import Vocabulary
from glasscortex.data.windows import SessionWindows
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.optimisation import HISTORY, Optimisation
from glasscortex.decoder.tuning import tuned_embeddings
from glasscortex.errors import InputError
from glasscortex.files import sha256, whole
from glasscortex.words import BEHAVIOUR_VARIABLES, STIMULUS_VARIABLES


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

    Memory holds one batch of windows, the table of trials, four times the weights, and at the
    start the tuning of all cells (cells × classes, see `tuned_embeddings`); time grows with
    windows × cells. A run that was killed goes on from `checkpoint`; on a CPU it ends with the
    same bytes.

    Parameters
    ----------
    trials : parquet table of presentations
    windows : folder of the sessions' windows
    folder : receives weights.safetensors, decoder.json and history.csv
    checkpoint : state after the last epoch; removed at the end
    model : "trained"; "untrained" keeps the random weights; "shuffled" learns labels that
        were permuted within each session, stimulus and split
    """
    torch.set_num_threads(config.train.threads)
    torch.manual_seed(seed)
    table = pd.read_parquet(trials)
    readers = {s: SessionWindows(windows / f"{s}.h5") for s in table["session_id"].unique()}
    vocabulary = Vocabulary.of(table, {s: tuple(r.cells) for s, r in readers.items()}, tasks)
    if not vocabulary.tasks:
        raise InputError(f"no task can be decoded from {trials}: add sessions or tasks")
    rate = next(iter(readers.values())).sample_rate_hz
    if model == "shuffled":
        table = shuffled_labels(table, seed)
    decoder = Decoder(config.model, vocabulary, rate)
    if model == "untrained":
        history = pd.DataFrame(columns=HISTORY)
    else:
        batches = Batches(windows, table, vocabulary, config.train.batch)
        decoder.start_cells(tuned_embeddings(batches, config.model.dim, seed))
        inputs = [trials, *(windows / f"{session}.h5" for session in readers)]
        identity = _identity(config, vocabulary, model, seed, inputs)
        history = Optimisation(decoder, batches, config.train, seed, checkpoint, identity).run()
    with whole(folder) as temporary:
        temporary.mkdir()
        decoder.save(temporary)
        history.to_csv(temporary / "history.csv", index=False, float_format="%.9g")
    checkpoint.unlink(missing_ok=True)


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
    settings = [config.model_dump_json(), vocabulary.to_dict(), model, seed]
    parts = [*settings, contents, torch.__version__]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

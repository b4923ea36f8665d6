"""Score the transformer with a dictionary spliced in."""

import zlib

import torch

from glasscortex.config import SpliceConfig
from glasscortex.data.batches import Batches
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.evaluate import EVALUATION_BATCH
from glasscortex.decoder.model import Decoder
from glasscortex.dictionaries import Dictionary
from glasscortex.dictionaries.splice import spliced_scores
from glasscortex.stages.arguments import Folder, Input, Output
from glasscortex.tables import read_table, read_trials, write_table


def splice(
    *,
    decoder: Folder,
    folder: Folder,
    trials: Input,
    sessions: Input,
    windows: Folder,
    table: Output,
    model: str,
    seed: int,
    sae: str,
    config: SpliceConfig,
) -> None:
    """Score the transformer with a dictionary spliced in."""
    torch.set_num_threads(config.threads)
    transformer = Decoder.load(decoder)
    batches = Batches(
        WindowsFolder(windows),
        read_trials(trials),
        transformer.vocabulary,
        EVALUATION_BATCH,
    )
    key = [seed, zlib.crc32(f"splice {sae}".encode())]
    mice = read_table(sessions).set_index("session_id")["mouse"]
    dictionary = Dictionary.load(folder)
    scores = spliced_scores(transformer, dictionary, batches, mice, config.margin, key)
    write_table(scores, table, model=model, seed=seed, sae=sae)

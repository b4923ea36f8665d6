"""Score a transformer on the held-out splits."""

import torch

from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder import evaluate as evaluation
from glasscortex.decoder.model import Decoder
from glasscortex.stages.arguments import Folder, Input, Output, Threads
from glasscortex.tables import read_trials, write_table


def evaluate(
    *,
    decoder: Folder,
    trials: Input,
    windows: Folder,
    scores: Output,
    model: str,
    seed: int,
    threads: Threads,
) -> None:
    """Score a transformer on the held-out splits."""
    torch.set_num_threads(threads)
    table = evaluation.evaluate(
        Decoder.load(decoder), read_trials(trials), WindowsFolder(windows), seed
    )
    write_table(table, scores, model=model, seed=seed)

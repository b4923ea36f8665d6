"""Score a transformer on the held-out splits."""

import torch

from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.confusions import confusions
from glasscortex.decoder.evaluate import predict_held_out
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.scores import decoding_scores
from glasscortex.stages.arguments import Folder, Input, Output, Threads
from glasscortex.tables import read_trials, write_table


def evaluate(
    *,
    decoder: Folder,
    trials: Input,
    windows: Folder,
    scores: Output,
    confusion: Output,
    model: str,
    seed: int,
    threads: Threads,
) -> None:
    """Score a transformer on the held-out splits, and count what it takes for what.

    Parameters
    ----------
    decoder : Path
        Folder of the decoder.
    trials : Path
        Table of presentations.
    windows : Path
        Folder of the sessions' windows.
    scores, confusion : Path
        What `decoding_scores` and `confusions` return.
    model, seed : str, int
        Of the decoder; the seed also of the intervals.
    threads : int
    """
    torch.set_num_threads(threads)
    presented = read_trials(trials)
    transformer = Decoder.load(decoder)
    known = transformer.vocabulary.definitions
    predicted = predict_held_out(transformer, presented, WindowsFolder(windows))
    table = decoding_scores(presented, predicted, seed, known)
    write_table(table, scores, model=model, seed=seed)
    write_table(confusions(presented, predicted, known), confusion, model=model, seed=seed)

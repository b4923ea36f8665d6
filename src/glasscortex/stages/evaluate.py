"""Score a transformer on the held-out splits."""

from glasscortex.decoder import evaluate as evaluation
from glasscortex.stages.arguments import Folder, Input, Output, Threads


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
    evaluation.evaluate(
        decoder=decoder,
        trials=trials,
        windows=windows,
        model=model,
        seed=seed,
        threads=threads,
        out=scores,
    )

"""Train the transformer, or make one of its controls."""

from glasscortex.config import DecoderConfig
from glasscortex.decoder import train as training
from glasscortex.stages.arguments import Folder, Input
from glasscortex.tasks import TaskNames


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
    """Train the transformer, or make one of its controls."""
    training.train(
        trials=trials,
        windows=windows,
        folder=folder,
        checkpoint=checkpoint,
        config=config,
        tasks=tasks,
        model=model,
        seed=seed,
    )

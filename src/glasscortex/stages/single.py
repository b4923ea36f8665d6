"""Train and score a transformer of each session alone."""

from glasscortex.config import DecoderConfig
from glasscortex.decoder.baselines import single as alone
from glasscortex.stages.arguments import Folder, Input, Output, Threads
from glasscortex.tasks import TaskNames


def single(
    *,
    trials: Input,
    windows: Folder,
    scores: Output,
    tasks: TaskNames,
    config: DecoderConfig,
    threads: Threads,
) -> None:
    """Train and score a transformer of each session alone."""
    alone.single(
        trials=trials,
        windows=windows,
        config=config,
        tasks=tasks,
        out=scores,
        processes=threads,
    )

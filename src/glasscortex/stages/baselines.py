"""Fit and score a simpler decoder of each session and task."""

from glasscortex.config import BaselineConfig
from glasscortex.decoder import baselines as simpler
from glasscortex.stages.arguments import Folder, Input, Output, Threads
from glasscortex.tasks import TaskNames


def baselines(
    *,
    trials: Input,
    windows: Folder,
    scores: Output,
    baseline: str,
    tasks: TaskNames,
    config: BaselineConfig,
    threads: Threads,
) -> None:
    """Fit and score a simpler decoder of each session and task."""
    simpler.baselines(
        trials=trials,
        windows=windows,
        config=config,
        tasks=tasks,
        out=scores,
        model=baseline,
        processes=threads,
    )

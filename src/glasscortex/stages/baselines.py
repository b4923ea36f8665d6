"""Fit and score a simpler decoder of each session."""

from glasscortex.config import BaselineConfig, DecoderConfig, TaskNames
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder import baselines as simpler
from glasscortex.stages.arguments import Folder, Input, Output, Threads
from glasscortex.tables import read_definitions, read_trials, write_table


def baselines(
    *,
    trials: Input,
    windows: Folder,
    scores: Output,
    baseline: str,
    tasks: TaskNames,
    config: BaselineConfig | DecoderConfig,
    threads: Threads,
) -> None:
    """Fit and score a simpler decoder of each session."""
    table = simpler.baselines(
        read_trials(trials),
        WindowsFolder(windows),
        baseline,
        config,
        tasks,
        threads,
        definitions=read_definitions(trials),
    )
    write_table(table, scores, model=baseline, seed=0)

"""A terminal on which progress can be read.

`.snakemake/log` has all that Snakemake says, and so has the terminal of whoever asks for it, by
--verbose, --printshellcmds, --quiet or a logger of their own.
"""

import functools
from collections import Counter

from snakemake.logging import logger

from glasscortex.config import Config
from glasscortex.run.progress import TYPICAL_SECONDS, Progress
from glasscortex.run.timings import mean_seconds


def show_progress(workflow, config: Config) -> None:
    """Say less than Snakemake does, where it would speak to the terminal in its own words.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
        The run.
    config : Config
        The whole configuration.
    """

    def remaining() -> Counter[str]:
        return Counter(job.rule.name for job in workflow.dag.needrun_jobs())

    @functools.cache
    def expected(rule: str) -> float | None:
        """Seconds that a job took in an earlier run, or takes in the demonstration."""
        earlier = mean_seconds(config.results / "benchmarks", rule)
        typical = TYPICAL_SECONDS.get(rule, 1.0) if config.source == "simulated" else None
        return earlier or typical

    settings = workflow.output_settings
    if settings.dryrun or settings.verbose or settings.printshellcmds or settings.quiet:
        return
    for handler in [h for h in logger.handlers if h.name == "DefaultStreamHandler"]:
        logger.removeHandler(handler)
        logger.addHandler(
            Progress(
                handler.stream,
                handler.formatter,
                terminal=not handler.nocolor,
                remaining=remaining,
                expected=expected,
                cores=workflow.resource_settings.cores or 1,
            )
        )

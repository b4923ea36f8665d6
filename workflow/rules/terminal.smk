"""A terminal on which progress can be read.

`.snakemake/log` has all that Snakemake says, and so has the terminal of whoever asks for it, by
--verbose, --printshellcmds, --quiet or a logger of their own.
"""

from collections import Counter

from snakemake.logging import logger

from glasscortex.progress import Progress, TYPICAL_SECONDS
from glasscortex.timings import mean_seconds


def remaining():
    """Number of jobs of each rule that have not ended."""
    return Counter(job.rule.name for job in workflow.dag.needrun_jobs())


def expected(rule):
    """Seconds that a job of the rule took in an earlier run, or takes in the demonstration."""
    earlier = mean_seconds(CONFIG.results / "benchmarks", rule)
    return earlier or (TYPICAL_SECONDS.get(rule, 1.0) if SIMULATED else None)


def show_progress(settings):
    """Say less than Snakemake does, where it would speak to the terminal in its own words."""
    if settings.dryrun or settings.verbose or settings.printshellcmds or settings.quiet:
        return
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler":
            logger.removeHandler(handler)
            logger.addHandler(
                Progress(
                    handler.stream,
                    handler.formatter,
                    terminal=not handler.nocolor,
                    remaining=remaining,
                    expected=expected,
                    cores=workflow.cores or 1,
                )
            )


if workflow.is_main_process:
    show_progress(workflow.output_settings)

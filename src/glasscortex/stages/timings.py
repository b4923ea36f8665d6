"""Print where the time of a run went."""

import time

from glasscortex import timings as run
from glasscortex.stages.arguments import Folder


def timings(
    *,
    benchmarks: Folder,
    since: float,
) -> None:
    """Print where the time of a run went."""
    print(run.timings(benchmarks=benchmarks, since=since, now=time.time()))

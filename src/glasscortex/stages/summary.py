"""Tell where the time of a run went, which claims hold, and where to look."""

import csv
import time

from glasscortex.run.timings import timings
from glasscortex.run.verdicts import verdicts
from glasscortex.stages.arguments import Folder


def summary(
    *,
    results: Folder,
    since: float,
) -> None:
    """Tell where the time of a run went, which claims hold, and where to look.

    Parameters
    ----------
    results : Path
        Folder of the workflow's results.
    since : float
        Start of the run, in seconds since the epoch; claims that are older are left out.
    """
    if table := timings(results / "benchmarks", since=since, now=time.time()):
        print(f"\n{table}")
    claims = results / "tables/claims.csv"
    if claims.exists() and claims.stat().st_mtime >= since:
        with claims.open(newline="") as file:
            print(f"\n{verdicts(list(csv.DictReader(file)))}")
        print(f"\nEach claim, with its interval: {claims}")
        print(f"Tables and figures, which results/README.md explains: {results}")
        print(f"All in one HTML file: {results / 'report.html'}")

"""Where the time of a run went, from Snakemake's benchmark files.

They lie in one folder: `<stage>.tsv` of a stage that has one job, else `<stage>/<job>.tsv`.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import fmean


@dataclass(frozen=True)
class StageTime:
    """What the jobs of a stage took.

    Attributes
    ----------
    stage : str
    jobs : int
    seconds, cpu : float
        Sums over the jobs, in seconds.
    memory : float
        Largest resident memory of a job, MB.
    """

    stage: str
    jobs: int
    seconds: float
    cpu: float
    memory: float


def stage_times(benchmarks: Path, since: float = 0.0) -> list[StageTime]:
    """What each stage took, from the benchmark files that are not older than `since`.

    Parameters
    ----------
    benchmarks : Path
        Folder of benchmark files.
    since : float
        In seconds since the epoch.
    """
    jobs = defaultdict(list)
    for path in sorted(benchmarks.rglob("*.tsv")):
        if path.stat().st_mtime >= since:
            jobs[path.relative_to(benchmarks).parts[0].removesuffix(".tsv")].append(path)
    return [
        StageTime(
            stage=stage,
            jobs=len(paths),
            seconds=sum(column(paths, "s")),
            cpu=sum(column(paths, "cpu_time")),
            memory=max(column(paths, "max_rss")),
        )
        for stage, paths in jobs.items()
    ]


def timings(benchmarks: Path, *, since: float, now: float) -> str:
    """A table of the stages that ran.

    Parameters
    ----------
    benchmarks : Path
        Folder of benchmark files.
    since, now : float
        Start and end of the run, in seconds since the epoch. Older files are left out.

    Returns
    -------
    str
        A line a stage with its jobs, seconds, CPU seconds and largest resident memory in MB, a
        line of sums, and the wall time; "" where none ran.
    """
    times = stage_times(benchmarks, since)
    if not times:
        return ""
    lines = [f"{'stage':<20}{'jobs':>6}{'seconds':>10}{'CPU s':>10}{'max MB':>8}"]
    lines += [
        f"{t.stage:<20}{t.jobs:>6}{t.seconds:>10.1f}{t.cpu:>10.1f}{t.memory:>8.0f}" for t in times
    ]
    jobs, seconds, cpu = (
        sum(getattr(t, name) for t in times) for name in ("jobs", "seconds", "cpu")
    )
    lines.append(f"{'all':<20}{jobs:>6}{seconds:>10.1f}{cpu:>10.1f}")
    return "\n".join([*lines, f"from start to end {now - since:.0f} s"])


def mean_seconds(benchmarks: Path, stage: str) -> float | None:
    """Seconds that a job of a stage took, over at most 20 of them; None where there are none."""
    files = [benchmarks / f"{stage}.tsv", *islice((benchmarks / stage).glob("*.tsv"), 20)]
    seconds = column((path for path in files if path.is_file()), "s")
    return fmean(seconds) if seconds else None


def column(paths: Iterable[Path], name: str) -> list[float]:
    """A column of benchmark files, 0 where a job was too short to measure."""
    values = []
    for path in paths:
        with path.open(newline="") as file:
            values += [_number(row[name]) for row in csv.DictReader(file, delimiter="\t")]
    return values


def _number(text: str) -> float:
    return float(text) if text.replace(".", "", 1).isdigit() else 0.0

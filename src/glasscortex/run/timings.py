"""Where the time of a run went, from Snakemake's benchmark files.

They lie in one folder: `<stage>.tsv` of a stage that has one job, else `<stage>/<job>.tsv`.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from statistics import fmean


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
    jobs = defaultdict(list)
    for path in sorted(benchmarks.rglob("*.tsv")):
        if path.stat().st_mtime >= since:
            jobs[path.relative_to(benchmarks).parts[0].removesuffix(".tsv")].append(path)
    if not jobs:
        return ""
    lines = [f"{'stage':<20}{'jobs':>6}{'seconds':>10}{'CPU s':>10}{'max MB':>8}"]
    sums = [0.0, 0.0]
    for stage, paths in jobs.items():
        seconds, cpu = (sum(column(paths, name)) for name in ("s", "cpu_time"))
        memory = max(column(paths, "max_rss"))
        lines.append(f"{stage:<20}{len(paths):>6}{seconds:>10.1f}{cpu:>10.1f}{memory:>8.0f}")
        sums = [sums[0] + seconds, sums[1] + cpu]
    total = sum(map(len, jobs.values()))
    lines.append(f"{'all':<20}{total:>6}{sums[0]:>10.1f}{sums[1]:>10.1f}")
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

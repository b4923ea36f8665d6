"""Where the time of a run went."""

import csv
from collections import defaultdict
from pathlib import Path


def timings(*, benchmarks: Path, since: float, now: float) -> str:
    """A table of the stages that ran, from Snakemake's benchmark files.

    Parameters
    ----------
    benchmarks : Path
        Folder of benchmark files: `<stage>.tsv`, or `<stage>/<job>.tsv`.
    since, now : float
        Start and end of the run, in seconds since the epoch. Older files are left out.

    Returns
    -------
    str
        A line a stage with its jobs, seconds, CPU seconds and largest resident memory in MB, then
        the sum of all stages beside the wall time.
    """
    jobs = defaultdict(list)
    for path in sorted(benchmarks.rglob("*.tsv")):
        if path.stat().st_mtime >= since:
            with open(path, newline="") as file:
                row = next(csv.DictReader(file, delimiter="\t"))
            jobs[path.relative_to(benchmarks).parts[0].removesuffix(".tsv")].append(row)
    lines = [f"{'stage':<14}{'jobs':>6}{'seconds':>10}{'CPU s':>10}{'max MB':>8}"]
    total = 0.0
    for stage, rows in jobs.items():
        seconds, cpu = (sum(_number(row[column]) for row in rows) for column in ("s", "cpu_time"))
        memory = max(_number(row["max_rss"]) for row in rows)
        lines.append(f"{stage:<14}{len(rows):>6}{seconds:>10.1f}{cpu:>10.1f}{memory:>8.0f}")
        total += seconds
    lines.append(f"all stages {total:.1f} s, wall {now - since:.1f} s")
    return "\n".join(lines)


def _number(text: str) -> float:
    """A value of a benchmark file, where jobs too short to measure hold "-" or "NA"."""
    return float(text) if text.replace(".", "", 1).isdigit() else 0.0

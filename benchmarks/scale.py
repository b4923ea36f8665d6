"""What a run costs with ten, a hundred and a thousand sessions, and how each part of it grows.

    python benchmarks/scale.py [--jobs 12 120 1200] [--sessions 10 100 1000] [--json FILE]

First the workflow alone, with so many `jobs`' sessions: in a copy of the project whose stages leave
their outputs empty, Snakemake plans all jobs (a dry run), runs them, and finds nothing left to do.

Then the stages, on small `sessions` of simulated mice: the first number of them is simulated and
preprocessed, and its sessions stand in for those of the others, under names of their own. Every
stage that takes all sessions runs as it is, in a process of its own.

Last, selectivity at the catalogue's size, on noise.

Told are the seconds of the processor, since machines are shared, the most memory, and the exponent
of what grows of them, above what every start costs: 1 grows as the sessions do.
"""

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import scale_responses
from scale_sessions import multiply
from scale_stages import PER_SESSION, STAGES, command
from scale_workflow import Project, configuration

UNSTEADY = {"cpu_s": 0.1, "peak_mb": 0.03}
"""Share by which what the same command takes may differ from one time to the next."""
NOISE = {
    "sessions": 1300,
    "presentations": {"validation": 60, "test": 100},
    "units": 100,
}


def measured(words: list[str], folder: Path) -> dict[str, float]:
    """Run `glasscortex` with these words in a folder, and tell what it took."""
    log = folder / "log"
    with log.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "glasscortex", *words],
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
    if status and words[0] != "verify":  # which knows no records of sessions that stand in
        sys.exit(f"glasscortex {' '.join(words)}\n{log.read_text()[-3000:]}")
    return {"cpu_s": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss / 1024}


def workflow(folder: Path, sessions: int) -> list[dict]:
    """What Snakemake takes to plan so many sessions, to run jobs that do nothing, and to end."""
    project = Project(folder, sessions)
    rows = {"before select": project.snakemake("--dry-run")}
    project.snakemake("results/sessions.csv")
    rows["dry run"] = project.snakemake("--dry-run")
    project.told.unlink()
    ran = project.snakemake()
    jobs = project.stages()
    rows["run of all jobs"] = ran | {"cpu_s": ran["cpu_s"] - jobs["cpu_s"].sum()}
    rows["the same, a job"] = {"cpu_s": rows["run of all jobs"]["cpu_s"] / len(jobs)}
    rows["dry run, all done"] = project.snakemake("--dry-run")
    return [{"part": part, "sessions": sessions, **took} for part, took in rows.items()]


def stages(folder: Path, sessions: int, source: Path | None) -> list[dict]:
    """What every stage takes on so many sessions."""
    folder.mkdir(parents=True)
    rows = [("select", measured(command("select", config=configuration(sessions)), folder))]
    if source:
        multiply(source, folder)
    else:
        table = pd.read_csv(folder / "sessions.csv", dtype=str, keep_default_na=False)
        for session in table.to_dict("records"):
            for stage in PER_SESSION:
                words = command(stage, config=configuration(sessions), session=session)
                rows.append((stage, measured(words, folder)))
    for stage in STAGES:
        rows.append((stage, measured(command(stage), folder)))
        print(f"{sessions} sessions: {stage} {rows[-1][1]}", file=sys.stderr, flush=True)
    rows.append(("verify", measured(["verify", "."], folder)))
    most = pd.DataFrame([{"part": stage, **took} for stage, took in rows])
    most = most.groupby("part", sort=False).max().reset_index()
    return most.assign(sessions=sessions).to_dict("records")


def selectivity(folder: Path) -> dict:
    """What selectivity takes at the catalogue's size."""
    scale_responses.write(folder, **NOISE)
    return {**NOISE, **measured(command("selectivity"), folder)}


def grown(rows: list[dict]) -> pd.DataFrame:
    """A row a part: what it takes by sessions, and the exponent of what grows.

    Of c + a·n^b the ratio of two differences tells b, whatever c, if the numbers of sessions have
    one ratio, too. Where a step adds less than `UNSTEADY` there is none.
    """
    table = pd.DataFrame(rows).pivot_table(index="part", columns="sessions", sort=False)
    for measure, unsteady in UNSTEADY.items():
        numbers = sorted(table[measure])[-3:]
        if len(numbers) == 3:
            first, second, third = (table[measure, number] for number in numbers)
            one, two = second - first, third - second
            grows = two.where(two > unsteady * second) / one.where(one > unsteady * first)
            step = math.log(numbers[2] / numbers[1])
            table[measure, "exponent"] = grows.map(math.log) / step
    return table[["cpu_s", "peak_mb"]]


def main() -> None:
    """Measure, print, and keep as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, nargs="*", default=[12, 120, 1200])
    parser.add_argument("--sessions", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found: dict[str, list[dict]] = {"workflow": [], "stages": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in arguments.jobs:
            found["workflow"] += workflow(folder / f"workflow{number}", number)
            show(found["workflow"])
        source = None
        for number in arguments.sessions:
            found["stages"] += stages(folder / f"stages{number}", number, source)
            show(found["stages"])
            source = source or folder / f"stages{number}"
        found["selectivity"] = [selectivity(folder / "noise")]
        print(found["selectivity"])
    if arguments.json:
        versions = {"python": platform.python_version()}
        versions |= {name: version(name) for name in ("snakemake", "torch", "numpy", "pandas")}
        arguments.json.write_text(json.dumps({"versions": versions, **found}, indent=1) + "\n")


def show(rows: list[dict]) -> None:
    """Print what is known so far."""
    with pd.option_context("display.width", 250, "display.max_columns", 50):
        print(grown(rows).round(2).to_string(), flush=True)


if __name__ == "__main__":
    main()

"""All of tiny.yaml on a real Slurm of two nodes, while jobs, nodes and Snakemake are lost.

    python -m benchmarks.slurm [--faults 10] [--seed 0] [--gap 60] [--json FILE]

At random moments, in turn, a running job is cancelled, stands still until its time is over, or
gives way to a more urgent one; a node is killed with all that runs on it, or the controller (they
come back after a while); or Snakemake is killed while its jobs run, and the same command is given
again. In the end every file of the results is compared with those of an undisturbed run without
it, and the log of every stage that was sent to the cluster has to name its job.
"""

import json
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.disturbances import disturbing
from tests.workflow.cluster import Cluster, said, unavailable
from tests.workflow.project import TINY, Project, differing

PROFILE = (
    "--workflow-profile=workflow/profiles/slurm",
    "--slurm-init-seconds-before-status-checks=5",
    "--latency-wait=5",
    "--retries=4",
)
KINDS = (
    "scancel of a job",
    "a job over its time limit",
    "a job preempted",
    "kill -9 of a node",
    "kill -9 of the controller",
    "SIGKILL of Snakemake",
)
HERE = ("combine", "concatenate")
"""Stages that run where Snakemake does."""
NODE_IS_BACK_AFTER_S = 30.0
CONTROLLER_IS_BACK_AFTER_S = 60.0
"""Longer than Snakemake's plugin asks it."""


def run(
    project: Project,
    arguments: tuple[str, ...],
    cluster: Cluster,
    faults: int,
    gap_s: float,
    rng: np.random.Generator,
) -> tuple[Counter[str], int]:
    """Give the same command until it ends well; what was done to it, and how often it was given."""
    done: Counter[str] = Counter()
    for commands in range(1, 2 + faults):
        with tempfile.TemporaryFile("w+") as told:
            main = subprocess.Popen(
                project.command(*PROFILE, *arguments),
                cwd=project.folder,
                stdout=told,
                stderr=subprocess.STDOUT,
            )
            while main.poll() is None:
                struck = done.total()
                try:
                    main.wait(rng.exponential(gap_s) if struck < faults else None)
                except subprocess.TimeoutExpired:
                    strike(main, cluster, done, KINDS[struck % len(KINDS)], rng)
            if main.returncode == 0:
                return done, commands
            if main.returncode != -signal.SIGKILL:
                told.seek(0)
                sys.exit(f"Snakemake ended with {main.returncode}:\n{told.read()[-3000:]}")
    sys.exit("the command did not end")


def strike(
    main: subprocess.Popen,
    cluster: Cluster,
    done: Counter[str],
    kind: str,
    rng: np.random.Generator,
) -> None:
    """Do it, where there is something to do it to."""
    running = [j for j in cluster.jobs() if j.state == "RUNNING" and j.comment.startswith("rule")]
    if not running:
        return
    job = running[rng.integers(len(running))]
    match kind:
        case "scancel of a job":
            said("scancel", job.number)
        case "a job over its time limit":
            cluster.overrun(job.number)
        case "a job preempted":
            cluster.preempt(job.node)
        case "kill -9 of a node":
            cluster.kill_node(job.node)
            threading.Timer(NODE_IS_BACK_AFTER_S, cluster.start_node, [job.node]).start()
        case "kill -9 of the controller":
            cluster.kill_controller()
            threading.Timer(CONTROLLER_IS_BACK_AFTER_S, cluster.start_controller).start()
        case "SIGKILL of Snakemake":
            main.kill()
    done[kind] += 1
    print(f"{kind} ({job.comment}, {job.node})", flush=True)


def logs_without_a_job(results: Path) -> list[str]:
    """Logs of stages that do not name the job of Slurm that they ran in."""
    logs = sorted((results / "logs").rglob("*.log"))
    names = {log.relative_to(results / "logs").as_posix(): log.read_text() for log in logs}
    return [
        name
        for name, text in names.items()
        if re.split(r"[/.]", name)[0] not in HERE and not re.search(r"job \d+ of Slurm", text)
    ]


def main() -> None:
    """Run, print what came of it, and fail where bytes differ or a log names no job."""
    parser = disturbing(__doc__)
    parser.add_argument("--faults", type=int, default=10)
    parser.add_argument("--gap", type=float, default=60.0, help="mean seconds between two faults")
    given = parser.parse_args()
    if reason := unavailable():
        sys.exit(reason)
    with tempfile.TemporaryDirectory() as scratch:
        arguments = (*TINY, "--config", "results=results/tiny", *given.config)
        arguments += ("--", given.target) if given.target else ()
        undisturbed = Project(given.undisturbed or Path(scratch, "undisturbed"))
        if not given.undisturbed:
            Project.copied_to(undisturbed.folder).run(*arguments)
        project = Project.copied_to(Path(scratch, "project"))
        start = time.monotonic()
        with Cluster(Path(scratch, "slurm")) as cluster:
            rng = np.random.default_rng(given.seed)
            faults, commands = run(project, arguments, cluster, given.faults, given.gap, rng)
            states = Counter(j.state for j in cluster.jobs() if j.comment.startswith("rule"))
        expected, made = undisturbed.digests(), project.digests()
        found = {
            "faults": dict(faults),
            "commands": commands,
            "jobs of Slurm": dict(states),
            "minutes": round((time.monotonic() - start) / 60, 1),
            "files compared": len(made),
            "differing": differing(made, expected, part=bool(given.target)),
            "logs without a job": logs_without_a_job(project.results),
        }
    print(json.dumps(found, indent=1))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")
    if found["differing"] or found["logs without a job"]:
        sys.exit("not the same")


if __name__ == "__main__":
    main()

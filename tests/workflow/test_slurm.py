"""On a real Slurm: what it ends is run again, and no file has two writers."""

import re
import shutil
import signal
import subprocess

import pytest

from tests.workflow.cluster import Cluster, said, unavailable, wait_for
from tests.workflow.project import TINY

pytestmark = [
    pytest.mark.xdist_group("workflow"),
    pytest.mark.skipif(bool(unavailable()), reason=unavailable() or ""),
]

PROFILE = (
    "--workflow-profile=workflow/profiles/slurm",
    "--slurm-init-seconds-before-status-checks=3",
    "--latency-wait=5",
    *TINY,
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


def test_jobs_that_slurm_ended_are_run_again_with_the_same_bytes(cluster, copy):
    """One is cancelled, one has too little memory at its first try, the node of one dies."""
    logs = ["train/trained-seed0.log", "train/shuffled-seed0.log", "baselines/lda.log"]
    targets = [f"decoder/{model}/seed0/weights.safetensors" for model in ("trained", "shuffled")]
    targets.append("decoder/lda/decoding.csv")
    before = remove(copy, targets)
    run = submit(copy, "--set-resources=baselines:mem_mb=450*attempt", "--", *named(targets))
    wait_for(lambda: len(cluster.jobs()) == 3 and states(cluster, "train") == ["RUNNING"] * 2)
    (short_of_memory,) = [job for job in cluster.jobs() if "baselines" in job.comment]
    training = [job for job in cluster.jobs() if job != short_of_memory]
    lost = next(job for job in training if job.node != short_of_memory.node)
    training.remove(lost)
    said("scancel", training[0].number)
    cluster.kill_node(lost.node)
    assert run.wait(timeout=300) == 0, run.stderr.read()
    cluster.start_node(lost.node)
    assert {target: (copy.results / target).read_bytes() for target in targets} == before
    assert sorted(states(cluster, "train")) == ["CANCELLED", "COMPLETED", "COMPLETED", "NODE_FAIL"]
    assert states(cluster, "baselines") == ["FAILED", "COMPLETED"]
    for log in logs:
        assert re.search(r"INFO job \d+ of Slurm", (copy.results / "logs" / log).read_text())


def test_a_job_that_outlives_its_snakemake_is_ended_before_its_file_is_made_again(cluster, copy):
    """It had other settings."""
    targets = ["decoder/trained/seed0/weights.safetensors"]
    before = remove(copy, targets)
    earlier = len(cluster.jobs())
    run = submit(copy, "--config", "decoder={train: {epochs: 5000}}", "--", *named(targets))
    wait_for(lambda: states(cluster)[earlier:] == ["RUNNING"])
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert states(cluster)[earlier:] == ["RUNNING"]
    done = copy.snakemake(*PROFILE, "--", *named(targets))
    assert done.returncode == 0, done.stderr
    assert "cancelling jobs of a run that was killed" in done.stderr
    assert states(cluster)[earlier:] == ["CANCELLED", "COMPLETED"]
    assert {target: (copy.results / target).read_bytes() for target in targets} == before
    assert copy.would_run(*TINY, "--", *named(targets)) == {}


@pytest.mark.parametrize(
    ("option", "remedy"),
    [
        ("--slurm-status-command=sacct", "set slurm-status-command: squeue"),
        ("--slurm-init-seconds-before-status-checks=1300", "checks: 1200"),
    ],
)
def test_a_job_whose_end_is_never_told_is_not_submitted(cluster, copy, option, remedy):
    earlier = len(cluster.jobs())
    done = copy.snakemake(
        *PROFILE, option, "--forcerun", "claims", "--", "results/tiny/report.html"
    )
    assert done.returncode == 1
    assert remedy in done.stderr
    assert len(cluster.jobs()) == earlier


def remove(project, targets: list[str]) -> dict[str, bytes]:
    """Their bytes, before they and their folders go."""
    before = {target: (project.results / target).read_bytes() for target in targets}
    for target in targets:
        shutil.rmtree((project.results / target).parent)
    return before


def submit(project, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        project.command(*PROFILE, *arguments),
        cwd=project.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def named(targets: list[str]) -> list[str]:
    return [f"results/tiny/{target}" for target in targets]


def states(cluster: Cluster, rule: str = "") -> list[str]:
    return [job.state for job in cluster.jobs() if f"rule_{rule}" in job.comment]

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


def test_what_slurm_ends_is_run_again_with_the_same_bytes(cluster, copy):
    """A node dies, a job is cancelled, and one has too little memory at its first try."""
    targets = [f"decoder/{name}/seed0/weights.safetensors" for name in ("trained", "shuffled")]
    targets += ["decoder/start/seed0/weights.safetensors", "decoder/lda/decoding.csv"]
    before = {target: (copy.results / target).read_bytes() for target in targets}
    for target in targets:
        shutil.rmtree((copy.results / target).parent)
    run = submit(
        copy, "--retries=2", "--set-resources=baselines:mem_mb=450*attempt", "--", *named(targets)
    )
    try:
        wait_for(lambda: states(cluster).count("RUNNING") == len(targets))
        spared = next(job.node for job in cluster.jobs() if "rule_baselines" in job.comment)
        lost, *_ = {job.node for job in cluster.jobs()} - {spared}
        cancelled, *_ = [job for job in cluster.jobs() if "rule_train" in job.comment]
        said("scancel", cancelled.number)
        cluster.kill_node(lost)
        assert run.wait(timeout=300) == 0, run.stderr.read()
    finally:
        run.kill()
        cluster.start_node(lost)
    assert {target: (copy.results / target).read_bytes() for target in targets} == before
    assert {"CANCELLED", "NODE_FAIL", "OUT_OF_MEMORY", "COMPLETED"} <= set(states(cluster))
    for target in targets:
        model, *_ = target.split("/")[1:]
        log = f"train/{model}-seed0.log" if model != "lda" else "baselines/lda.log"
        assert re.search(r"job \d+ of Slurm", (copy.results / "logs" / log).read_text())


def test_a_job_that_outlives_its_snakemake_is_ended_before_its_file_is_made_again(cluster, copy):
    target = "decoder/trained/seed0/weights.safetensors"
    before = (copy.results / target).read_bytes()
    shutil.rmtree((copy.results / target).parent)
    earlier = len(cluster.jobs())
    run = submit(copy, "--config", "decoder={train: {epochs: 5000}}", "--", *named([target]))
    wait_for(lambda: len(cluster.jobs()) > earlier and cluster.jobs()[-1].state == "RUNNING")
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert cluster.jobs()[-1].state == "RUNNING"
    done = copy.snakemake(*PROFILE, "--", *named([target]))
    assert done.returncode == 0, done.stderr
    assert "cancelling jobs of a run that was killed" in done.stderr
    assert states(cluster)[earlier:] == ["CANCELLED", "COMPLETED"]
    assert (copy.results / target).read_bytes() == before
    assert copy.would_run(*TINY, "--", *named([target])) == {}


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


def states(cluster: Cluster) -> list[str]:
    return [job.state for job in cluster.jobs()]

"""Killed at any point, the same command goes on and ends with the same bytes."""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from base64 import urlsafe_b64encode

import pytest

from tests.workflow.project import TINY

pytestmark = pytest.mark.xdist_group("workflow")


@pytest.mark.parametrize(
    ("remove", "log", "target", "kill"),
    [
        (["preprocessed", "trials"], "logs/preprocess", "trials.parquet", os.killpg),
        (["decoder/trained"], "logs/train", "decoder/trained/seed0/weights.safetensors", os.kill),
    ],
    ids=["all processes", "Snakemake alone"],
)
def test_same_command_after_kill(copy, remove, log, target, kill):
    whole = (copy.results / target).read_bytes()
    (copy.results / target).unlink()
    for name in (*remove, log):
        shutil.rmtree(copy.results / name)
    arguments = ("--cores", "2", *TINY, f"results/tiny/{target}")
    run = subprocess.Popen(
        copy.command(*arguments),
        cwd=copy.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not any((copy.results / log).glob("*.log")):
        assert run.poll() is None, "the run ended before the stage began"
        time.sleep(0.05)
    kill(run.pid, signal.SIGKILL)
    run.wait()
    assert any((copy.folder / ".snakemake/locks").iterdir())
    done = copy.snakemake(*arguments)
    assert done.returncode == 0, done.stderr
    assert (copy.results / target).read_bytes() == whole


def test_unrecorded_output_is_made_again(copy):
    target = "results/tiny/tables/splice.csv"
    before = (copy.folder / target).read_bytes()
    mark = copy.folder / ".snakemake/incomplete" / urlsafe_b64encode(target.encode()).decode()
    mark.touch()
    assert copy.run(*TINY, target) == {"concatenate": 1}
    assert (copy.folder / target).read_bytes() == before
    assert not mark.exists()


def test_a_clock_that_was_set_back(copy):
    """What is there is from tomorrow: it is told, and goes on once it is not."""
    before = copy.digests()
    date(copy, time.time() + 86400)
    (copy.results / "trials.parquet").unlink()
    min((copy.results / "trials").glob("*.parquet")).unlink()
    target = ("--cores", "2", *TINY, "--", "results/tiny/trials.parquet")
    refused = copy.snakemake(*target)
    assert refused.returncode == 1
    assert "clock skew" in refused.stderr
    date(copy, time.time())
    done = copy.snakemake(*target)
    assert done.returncode == 0, done.stderr
    assert copy.digests() == before


def date(project, when: float) -> None:
    for path in project.results.rglob("*"):
        os.utime(path, (when, when), follow_symlinks=False)


def test_two_runs_at_once_are_refused(copy):
    with open(copy.folder / ".snakemake/running", "w") as running:
        fcntl.flock(running, fcntl.LOCK_SH)
        locks = copy.folder / ".snakemake/locks"
        locks.mkdir(exist_ok=True)
        (locks / "0.output.lock").write_text("results/tiny/tables/splice.csv\n")
        done = copy.snakemake("--cores", "1", *TINY, "--forcerun", "concatenate")
        assert done.returncode != 0
        assert "cannot be locked" in done.stdout + done.stderr

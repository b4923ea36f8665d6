"""What a run finds of earlier ones, on a Snakefile of one rule."""

import os
import shlex
import subprocess
import sys

import pytest

from glasscortex.errors import InputError
from glasscortex.run.resume import MARK, go_on_after_a_kill
from glasscortex.workflow import PACKAGE

SNAKEFILE = f"""
import sys

sys.path.insert(0, {str(PACKAGE.parent)!r})
from glasscortex.run.resume import record_where_jobs_run

if workflow.remote_exec:
    record_where_jobs_run()


rule a:
    output:
        "a.txt",
    params:
        size=config["size"],
    shell:
        "echo {{params.size}} > {{output}}"
"""

ON_A_NODE = "--mode remote --executor local --force --nolock --ignore-incomplete --nocolor"
"""As an executor calls Snakemake on the node that a job runs on."""


@pytest.fixture
def snakemake(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)

    def run(arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "1", *shlex.split(arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    return run


def test_a_job_whose_snakemake_was_killed_has_a_record(snakemake, tmp_path):
    """The job ends on its node; nobody else is there to write down its settings."""
    snakemake(f"{ON_A_NODE} a.txt --config size=60")
    assert (tmp_path / "a.txt").read_text() == "60\n"
    assert "Params have changed" in snakemake("--dry-run a.txt --config size=5")
    assert "Nothing to be done" in snakemake("--dry-run a.txt --config size=60")


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot be written \(.*\): start snakemake in a folder"):
        go_on_after_a_kill(tmp_path / "file" / ".snakemake")


def test_jobs_that_outlive_their_snakemake_are_ended_and_no_others(tmp_path):
    folders = [tmp_path / name / ".snakemake" for name in ("this", "other")]
    jobs = [
        subprocess.Popen(["sleep", "60"], env=os.environ | {MARK: str(folder)})
        for folder in folders
    ]
    (folders[0] / "locks").mkdir(parents=True)
    go_on_after_a_kill(folders[0], dry_run=True).close()
    assert [job.poll() for job in jobs] == [None, None]
    (folders[0] / "locks").mkdir()
    (folders[0] / "locks/0.output.lock").touch()
    go_on_after_a_kill(folders[0]).close()
    assert [job.poll() is None for job in jobs] == [False, True]
    jobs[1].kill()
    jobs[1].wait()

"""What is asked of Slurm, by stand-ins of its commands; on a real one in tests/workflow."""

import asyncio
import os

import pytest
import snakemake_executor_plugin_slurm as plugin

from glasscortex.errors import InputError
from glasscortex.run.resume import go_on_after_a_kill
from glasscortex.run.slurm import (
    end_jobs_left_by_a_kill,
    jobs_in,
    never_told,
    wait_where_slurm_does_not_answer,
)

NONE = {"AccountingStorageType": "accounting_storage/none", "MinJobAge": "300 sec"}
RUN = "a402f49d-0b5f-4c7e-9d3a-3f2b8d1c6e70"


@pytest.mark.parametrize(
    ("command", "interval", "slurm", "words"),
    [
        ("sacct", 40, {"AccountingStorageType": "accounting_storage/slurmdbd"}, None),
        ("sacct", 40, {}, None),
        ("squeue", 40, NONE, None),
        ("sacct", 40, NONE, "set slurm-status-command: squeue in the profile"),
        ("squeue", 101, NONE, "(MinJobAge): set slurm-init-seconds-before-status-checks: 100"),
        ("squeue", 40, NONE | {"MinJobAge": "2 sec"}, "status-checks: 1 in"),
        ("squeue", 40, {"AccountingStorageType": "none"}, "forgets a job 0 s after"),
    ],
)
def test_whether_the_end_of_a_job_is_told(command, interval, slurm, words):
    reason = never_told(command, interval, slurm)
    assert (reason is None) if words is None else (words in reason and "\n" not in reason)


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Lets `squeue` list what a file holds, of which `scancel` takes what it is given."""
    folder = tmp_path / "bin"
    folder.mkdir()
    listed = folder / "listed"
    commands = {
        "squeue": f"cat {listed}",
        "scancel": f'for n in "$@"; do sed -i "/^$n|/d" {listed}; done',
    }
    for name, line in commands.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return listed


@pytest.fixture
def state(tmp_path):
    """Snakemake's records after a kill."""
    (tmp_path / "run/.snakemake/locks").mkdir(parents=True)
    (tmp_path / "run/.snakemake/locks/0.output.lock").touch()
    return tmp_path / "run/.snakemake"


def test_jobs_of_a_killed_run_are_cancelled_and_no_others(slurm, state, tmp_path, caplog):
    others = [f"2|{RUN}|{tmp_path}", f"3|snakemake|{state.parent}", "4|a|b|c"]
    slurm.write_text("\n".join([f"1|{RUN}|{state.parent}", *others, ""]))
    assert jobs_in(state.parent) == ["1"]
    go_on_after_a_kill(state).close()
    assert slurm.read_text().split() == others
    assert "cancelling jobs of a run that was killed: 1" in caplog.text


def test_a_dry_run_cancels_nothing(slurm, state):
    slurm.write_text(f"1|{RUN}|{state.parent}\n")
    go_on_after_a_kill(state, dry_run=True).close()
    assert jobs_in(state.parent) == ["1"]


def test_a_run_after_one_that_ended_well_asks_nothing(slurm, state):
    slurm.write_text(f"1|{RUN}|{state.parent}\n")
    (state / "locks/0.output.lock").unlink()
    go_on_after_a_kill(state).close()
    assert jobs_in(state.parent) == ["1"]


def test_jobs_that_do_not_end_are_told(slurm, state):
    slurm.write_text(f"1|{RUN}|{state.parent}\n")
    (slurm.parent / "scancel").write_text("#!/bin/sh\n")
    with pytest.raises(InputError, match=r"jobs 1 of an earlier run in .* do not end: cancel them"):
        end_jobs_left_by_a_kill(state.parent, patience_s=0.0)


def test_no_jobs_where_there_is_no_slurm(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert jobs_in(tmp_path) is None
    end_jobs_left_by_a_kill(tmp_path)


def test_a_slurm_that_does_not_answer_may_still_run_jobs(slurm, state):
    (slurm.parent / "squeue").write_text("#!/bin/sh\nexit 1\n")
    end_jobs_left_by_a_kill(state.parent)  # nothing was submitted from here
    (state / "slurm_logs").mkdir()
    with pytest.raises(InputError, match="does not answer, and may still run jobs"):
        end_jobs_left_by_a_kill(state.parent)


@pytest.fixture
def patient(monkeypatch):
    """The plugin, that waits for answers; what it asked, and what it submitted."""
    answers, submitted = [], []

    async def ask(command, log):
        return answers.pop(0)

    monkeypatch.setattr(plugin, "query_job_status", ask)
    monkeypatch.setattr(plugin.Executor, "run_job", lambda executor, job: submitted.append(job))
    wait_where_slurm_does_not_answer(pause_s=0.0)
    return answers, submitted


def test_jobs_are_not_forgotten_while_slurm_does_not_answer(patient):
    """The plugin keeps those of which nothing is told."""
    answers, _ = patient
    answers.append((None, None))
    assert asyncio.run(plugin.query_job_status("squeue --name a", None)) == ({}, 0.0)


@pytest.mark.parametrize(("command", "state"), [("squeue", "CANCELLED"), ("sacct", "PREEMPTED")])
def test_a_job_that_was_preempted_for_good_has_ended(patient, command, state):
    """`sacct` has one as preempted that is put back."""
    answers, _ = patient
    answers.append(({"1": "PREEMPTED"}, 0.1))
    assert asyncio.run(plugin.query_job_status(command, None)) == ({"1": state}, 0.1)


def test_nothing_is_submitted_while_slurm_does_not_answer(patient, slurm):
    _, submitted = patient
    asked = slurm.parent / "asked"
    ping = slurm.parent / "scontrol"
    ping.write_text(f"#!/bin/sh\necho >>{asked}; [ $(wc -l <{asked}) = 3 ]\n")
    ping.chmod(0o755)
    plugin.Executor.run_job(None, "a job")
    assert submitted == ["a job"]
    assert asked.read_text() == "\n" * 3

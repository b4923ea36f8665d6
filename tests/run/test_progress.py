import io
import logging

import pytest

from glasscortex.run.progress import ERASE, Pace, Progress


class Run:
    """A run of Snakemake, of which the jobs of `left` have not ended."""

    def __init__(self, terminal=False, expected=lambda rule: None, **left: int):
        self.left, self.now, self.stream = left, 0.0, io.StringIO()
        self.handler = Progress(
            self.stream,
            logging.Formatter(),
            terminal=terminal,
            remaining=lambda: self.left,
            expected=expected,
            cores=1,
            clock=lambda: self.now,
        )

    def says(self, message="", level=logging.INFO, **fields) -> str:
        """What is written of one record."""
        record = logging.LogRecord("snakemake", level, "", 0, message, (), None)
        vars(record).update(fields)
        begin = self.stream.tell()
        self.handler.emit(record)
        return self.stream.getvalue()[begin:]

    def begins(self, number: int, rule: str, **wildcards: str) -> str:
        return self.says(event="job_info", jobid=number, rule_name=rule, wildcards=wildcards)

    def ends(self, number: int, done: int, total: int) -> str:
        first = self.says(event="job_finished", job_id=number)
        return first + self.says(event="progress", done=done, total=total)


def test_one_line_a_job():
    run = Run(train=2)
    assert run.begins(1, "train", model="trained", seed="0") == ""
    run.now = 75.0
    assert " ".join(run.ends(1, 3, 9).split()).startswith(
        "3 of 9 train model=trained seed=0 1 min 15 s"
    )


def test_time_left_follows_the_jobs_before():
    run = Run(train=3, evaluate=1, expected={"evaluate": 20.0}.get)
    run.begins(1, "train")
    run.now = 100.0
    assert run.ends(1, 1, 4).rstrip().endswith("about 4 min left")  # 2 x 100 s + 20 s


def test_at_least_where_a_stage_is_unknown():
    assert Pace({"train": 100.0}.get, 1, lambda: 0.0).left({"train": 1, "ablate": 4}) == (
        "at least 2 min left"
    )
    assert Pace(lambda rule: None, 1, lambda: 0.0).left({"train": 1}) == ""


def test_jobs_side_by_side_halve_what_is_left():
    now = 0.0
    pace = Pace(lambda rule: None, 2, lambda: now)
    now = 300.0
    pace.taken["train"] += [300.0, 300.0]
    assert pace.left({"train": 4}) == "about 10 min left"


def test_nothing_is_left_after_the_last_job():
    run = Run(train=1)
    run.begins(1, "train")
    assert "left" not in run.ends(1, 1, 1)


def test_a_failure_is_told_once_with_its_log():
    run = Run(train=1)
    run.begins(1, "train", model="trained")
    run.now = 3.0
    failure = {"event": "job_error", "jobid": 1, "log": ["logs/train.log"], "aux": {"slurm": 7}}
    assert run.says(level=logging.ERROR, **failure).splitlines() == [
        "failed: train model=trained, after 3.0 s",
        "   its log: logs/train.log",
        "   slurm: 7",
    ]
    assert run.says(level=logging.ERROR, **failure) == ""


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Nothing to be done.", "Nothing to be done.\n"),
        ("Creating conda environment", "Creating conda environment\n"),
        ("Select jobs to execute...", ""),
        (
            'RuleException:\nCalledProcessError in file "a.smk", line 3:\n'
            "Command 'set -e; python' returned non-zero exit status 137.",
            "The command of a job returned non-zero exit status 137.\n",
        ),
    ],
)
def test_other_messages(message, shown):
    assert Run().says(message) == shown


def test_a_terminal_shows_what_runs_below_what_ran():
    run = Run(terminal=True, train=2)
    assert run.begins(1, "train", seed="0") == f"{ERASE}running: train seed=0\r"
    assert run.says("a message") == f"{ERASE}a message\nrunning: train seed=0\r"
    assert run.ends(1, 1, 2).endswith("left\n")

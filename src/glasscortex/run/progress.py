"""What the terminal says while the workflow runs: a line a job, and what is left."""

import logging
import math
import re
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TextIO

TYPICAL_SECONDS = {
    "simulate": 3.0,
    "observe": 3.0,
    "preprocess": 1.0,
    "trials": 1.0,
    "train": 35.0,
    "evaluate": 5.0,
    "baselines": 40.0,
    "activations": 8.0,
    "fit_sae": 20.0,
    "splice": 5.0,
    "responses": 4.0,
    "recovery": 8.0,
    "probe": 4.0,
    "probe_cells": 12.0,
    "recognise": 8.0,
    "recognise_cells": 6.0,
    "dictionaries": 8.0,
    "selectivity": 12.0,
    "ablate": 80.0,
    "attribute": 70.0,
    "figure": 3.0,
    "units": 14.0,
    "browser": 6.0,
}
"""Seconds a job of the demonstration; a stage that is not named takes about one."""

WARM_UP = 20.0
"""Seconds in which all cores are taken for busy, as long as little is known."""

NOISE = (
    "Assuming unrestricted shared filesystem",
    "Building DAG of jobs",
    "Using shell",
    "Group jobs: inactive",
    "Conda environments: ignored",
    "Select jobs to execute",
    "DAG of jobs will be updated",
    "Updating checkpoint dependencies",
    "Storing output in storage",
    "Elapsed time",
    "None",
)
"""Beginnings of what Snakemake says and no reader needs."""

COMMAND = re.compile(r"RuleException:\s+CalledProcessError.*\bCommand '.*'(?= returned)", re.DOTALL)
"""Where Snakemake repeats the command of a job that failed."""

ERASE, RED, PLAIN = "\r\033[K", "\033[31m", "\033[0m"


@dataclass(frozen=True)
class Job:
    """A job that runs."""

    rule: str
    wildcards: Mapping[str, str]
    started: float

    def __str__(self) -> str:
        return " ".join([self.rule, *(f"{key}={value}" for key, value in self.wildcards.items())])


class Progress(logging.StreamHandler[TextIO]):
    """Tells a reader what a Snakemake run does: a line a job, and whatever goes wrong.

    On a terminal errors are red, and the jobs that run stand in a last line, which the next one
    overwrites.

    Parameters
    ----------
    stream : file
        Where lines are written.
    formatter : logging.Formatter
        Formats all that is no progress, such as errors of Snakemake itself.
    terminal : bool
        Whether the stream is a terminal that knows colours.
    remaining : callable
        Number of jobs of each rule that have not ended.
    expected : callable
        Seconds that a job of a rule is expected to take before one has ended, or None.
    cores : int
        Jobs that may run at a time.
    clock : callable
        The time in seconds.
    """

    def __init__(
        self,
        stream: TextIO,
        formatter: logging.Formatter,
        *,
        terminal: bool,
        remaining: Callable[[], Mapping[str, int]],
        expected: Callable[[str], float | None],
        cores: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(stream)
        self.setFormatter(formatter)
        self.terminal = terminal
        self.remaining = remaining
        self.clock = clock
        self.pace = Pace(expected, cores, clock)
        self.running: dict[int, Job] = {}
        self.ended: list[tuple[Job, float]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Write what there is to say of a record."""
        try:
            text = self._text(record)
            if self.terminal:
                if text and record.levelno > logging.INFO:
                    text = RED + text + PLAIN
                self.stream.write(ERASE + (f"{text}\n" if text else "") + self._status())
            elif text:
                self.stream.write(f"{text}\n")
            self.flush()
        except Exception:
            self.handleError(record)

    def _text(self, record: logging.LogRecord) -> str:
        said = vars(record)
        match str(said.get("event") or "message"):
            case "job_info":
                job = Job(said["rule_name"], said["wildcards"], self.clock())
                self.running[said["jobid"]] = job
            case "job_finished":
                self._end(said["job_id"])
            case "progress":
                return self._progress(said["done"], said["total"])
            case "job_error":
                return self._failure(said["jobid"], said["log"], said["aux"])
            case "message" | "group_error" | "error":
                text = COMMAND.sub("The command of a job", self.format(record)).strip()
                return "" if record.levelno < logging.INFO or text.startswith(NOISE) else text
        return ""

    def _end(self, number: int) -> None:
        if job := self.running.pop(number, None):
            seconds = self.clock() - job.started
            self.pace.taken[job.rule].append(seconds)
            self.ended.append((job, seconds))

    def _progress(self, done: int, total: int) -> str:
        left = Counter(self.remaining())
        left.subtract(job.rule for job, _ in self.ended)  # Snakemake strikes them off after this
        lines = [
            f"{done:>6} of {total:<6} {job!s:<54} {duration(seconds):>9}"
            for job, seconds in self.ended
        ]
        self.ended.clear()
        if lines:
            lines[-1] = f"{lines[-1]}   {self.pace.left(left)}".rstrip()
        return "\n".join(lines)

    def _failure(self, number: int, logs: list[str], more: Mapping[str, object]) -> str:
        job = self.running.pop(number, None)
        if job is None:  # Snakemake tells at the end again what it told when it happened
            return ""
        lines = [f"failed: {job}, after {duration(self.clock() - job.started)}"]
        lines += [f"   its log: {path}" for path in logs]
        lines += [f"   {key}: {value}" for key, value in more.items()]
        return "\n".join(lines)

    def _status(self) -> str:
        """The jobs that run, in one line, behind which the cursor returns to the margin."""
        if not self.running:
            return ""
        line = f"running: {', '.join(map(str, self.running.values()))}"
        return line[: shutil.get_terminal_size().columns - 1] + "\r"


@dataclass
class Pace:
    """How long the jobs of a run take.

    Attributes
    ----------
    expected : callable
        Seconds that a job of a rule is expected to take before one has ended, or None.
    cores : int
        Jobs that may run at a time.
    clock : callable
        The time in seconds; the run begins now.
    taken : dict of lists
        Seconds that jobs took, by rule.
    """

    expected: Callable[[str], float | None]
    cores: int
    clock: Callable[[], float]
    taken: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.started = self.clock()

    def left(self, remaining: Mapping[str, int]) -> str:
        """What the jobs that remain will take, side by side as those before them.

        Parameters
        ----------
        remaining : mapping
            Number of jobs of each rule that have not ended.

        Returns
        -------
        str
            "at least" so long, where nothing is known about one of the rules.
        """
        means = {rule: self._mean(rule) for rule, jobs in remaining.items() if jobs > 0}
        known = {rule: mean for rule, mean in means.items() if mean is not None}
        if not known:
            return ""
        taken = sum(map(sum, self.taken.values()))
        elapsed = self.clock() - self.started
        parallel = (taken + WARM_UP * self.cores) / (elapsed + WARM_UP)
        work = sum(remaining[rule] * mean for rule, mean in known.items())
        seconds = max(work / parallel, *known.values())
        return f"{'about' if len(known) == len(means) else 'at least'} {rounded(seconds)} left"

    def _mean(self, rule: str) -> float | None:
        taken = self.taken[rule]
        return sum(taken) / len(taken) if taken else self.expected(rule)


def duration(seconds: float) -> str:
    """Seconds as a reader says them.

    Examples
    --------
    >>> [duration(seconds) for seconds in (0.34, 75, 3600 * 5 + 120)]
    ['0.3 s', '1 min 15 s', '5 h 2 min']
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min {seconds % 60:.0f} s"
    return f"{minutes // 60} h {minutes % 60} min"


def rounded(seconds: float) -> str:
    """A guess of seconds, as exact as it can be.

    Examples
    --------
    >>> [rounded(seconds) for seconds in (3, 44, 130, 3600 * 5 + 120)]
    ['10 s', '50 s', '3 min', '5.0 h']
    """
    if seconds <= 50:
        return f"{math.ceil(seconds / 10) * 10} s"
    return f"{math.ceil(seconds / 60)} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"

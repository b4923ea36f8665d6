"""A project whose command is killed at random moments, and given again until it ends."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.workflow.project import Project, differing

TARGETS = ("group", "main process", "job")
SIGNALS = (signal.SIGKILL, signal.SIGTERM)
PATIENCE_S = 6 * 3600
STARTED_S = 2.0


@dataclass
class Chaos:
    """A project that is disturbed, and what came of it.

    Parameters
    ----------
    project : Project
        Whose command runs again and again.
    arguments : tuple of str
        Of Snakemake.
    expected : dict of str to str
        SHA-256 of the files that an undisturbed run leaves.
    rng : numpy.random.Generator
        Says when to strike, at what, and how.
    part : bool
        Whether the command asks for a part of the results only.
    """

    project: Project
    arguments: tuple[str, ...]
    expected: dict[str, str]
    rng: np.random.Generator
    part: bool = False
    struck: Counter[str] = field(default_factory=Counter)
    runs: int = 0

    def until_it_ends(self, kills: int, gap_s: float) -> None:
        """Run the command, with at most so many kills, until it ends by itself.

        Raises
        ------
        RuntimeError
            It ended with an error though nothing was killed.
        """
        while True:
            before = sum(self.struck.values())
            code, said = self._run(kills > 0, gap_s)
            kills -= sum(self.struck.values()) - before
            if code == 0:
                return
            if sum(self.struck.values()) == before:
                raise RuntimeError(f"the command failed without a kill:\n{said[-3000:]}")

    def differing(self) -> list[str]:
        """Files that an undisturbed run has not, or has with other bytes, or that are missing."""
        return differing(self.project.digests(), self.expected, self.part)

    def _run(self, strike: bool, gap_s: float) -> tuple[int, str]:
        """One run, with at most one kill; its status and what it said."""
        self.runs += 1
        with tempfile.TemporaryFile("w+") as said:
            main = subprocess.Popen(
                self.project.command(*self.arguments),
                cwd=self.project.folder,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            if strike:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    main.wait(STARTED_S + self.rng.exponential(gap_s))
                if main.poll() is None:
                    self._strike(main)
            code = main.wait(PATIENCE_S)
            said.seek(0)
            return code, said.read()

    def _strike(self, main: subprocess.Popen) -> None:
        target = TARGETS[self.rng.integers(len(TARGETS))]
        how = SIGNALS[self.rng.integers(len(SIGNALS))]
        jobs = list(jobs_of(main.pid))
        if target == "job" and not jobs:
            target = "main process"
        with contextlib.suppress(ProcessLookupError):
            if target == "group":
                os.killpg(main.pid, how)
            elif target == "main process":
                main.send_signal(how)
            else:
                os.kill(int(self.rng.choice(jobs)), how)
            self.struck[f"{how.name} to the {target}"] += 1


def jobs_of(session: int) -> Iterator[int]:
    """The processes of stages in a session of processes."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            *_, after = (process / "stat").read_text().rpartition(") ")
            command = (process / "cmdline").read_bytes().split(b"\0")
            if int(after.split()[3]) == session and command[1:3] == [b"-m", b"glasscortex"]:
                yield int(process.name)


def kills(
    chaos: Chaos, number: int, gap_s: float, without: Sequence[str] = ()
) -> dict[str, object]:
    """So many kills, in as many runs as it takes: from the start, or `without` some results."""
    whole, other = 0, []
    while (left := number - sum(chaos.struck.values())) > 0:
        for name in without:
            shutil.rmtree(chaos.project.results / name)
        if not without:
            clear(chaos.project)
        chaos.until_it_ends(left, gap_s)
        other += chaos.differing()
        whole += 1
        print(f"{dict(chaos.struck)}: {whole} whole runs, differing: {other}", flush=True)
    return {
        "kills": sum(chaos.struck.values()),
        "by kind": dict(sorted(chaos.struck.items())),
        "commands": chaos.runs,
        "whole runs": whole,
        "files compared": len(chaos.project.digests()),
        "differing": other,
    }


def clear(project: Project) -> None:
    """The project before any run."""
    shutil.rmtree(project.results, ignore_errors=True)
    shutil.rmtree(project.folder / ".snakemake", ignore_errors=True)

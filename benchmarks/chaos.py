"""Kills and faults at random moments of tiny.yaml: the same command ends with the same bytes.

    python -m benchmarks.chaos [--kills 100] [--seed 0] [--gap 20] [--json FILE]

Each kill strikes the whole process group, Snakemake alone or one job, with SIGKILL or SIGTERM; then
the same command runs again. Whenever it ends, every file of the results is compared with those of
an undisturbed run, and all begins anew until there were as many kills as asked for. Then come
the faults: half of the results deleted, a table and a decoder's weights changed under their names,
and, up to the table of presentations, a full disk, a read-only one (both on a tmpfs, which root may
mount), and two runs at once.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.disturbances import disturbing
from tests.workflow.project import TINY, Project, differing

PRESENTATIONS = "results/tiny/trials.parquet"
TARGETS = ("group", "main process", "job")
SIGNALS = (signal.SIGKILL, signal.SIGTERM)
PATIENCE_S = 3600
ROOM = "6m"  # of the 15 MB that they need
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
            with contextlib.suppress(subprocess.TimeoutExpired):
                main.wait(STARTED_S + self.rng.exponential(gap_s) if strike else PATIENCE_S)
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


def kills(chaos: Chaos, number: int, gap_s: float) -> dict[str, object]:
    """So many kills, in as many runs from the start as it takes."""
    whole, other = 0, []
    while (left := number - sum(chaos.struck.values())) > 0:
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


def full_disk(chaos: Chaos) -> str:
    """The disk has room for some of the recordings, and then for all."""
    return on_a_disk(chaos, f"size={ROOM}", "free some space")


def read_only(chaos: Chaos) -> str:
    """Nothing can be written among the results, and then it can."""
    return on_a_disk(chaos, "ro", "cannot be written: change its permissions")


def on_a_disk(chaos: Chaos, options: str, said: str) -> str:
    """Results on a tmpfs that does not do, and that is mended."""
    results = chaos.project.results
    clear(chaos.project)
    results.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "tmpfs", str(results), "-o"]
    subprocess.run([*mount, options], check=True)
    try:
        failed = chaos.project.snakemake(*chaos.arguments)
        told = failed.stdout + failed.stderr
        if failed.returncode == 0 or said not in told or "Traceback" in told:
            return f"status {failed.returncode}, without a clear line:\n{told[-3000:]}"
        subprocess.run([*mount, "remount,rw,size=2g"], check=True)
        chaos.until_it_ends(0, 1.0)
        return outcome(chaos.differing())
    finally:
        subprocess.run(["umount", results], check=True)


def two_at_once(chaos: Chaos) -> str:
    """The same command twice at a time: one is refused, the other ends, nothing is lost."""
    clear(chaos.project)
    runs = [
        subprocess.Popen(
            chaos.project.command(*chaos.arguments),
            cwd=chaos.project.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    told = [run.communicate()[0] for run in runs]
    failed = [text for run, text in zip(runs, told, strict=True) if run.returncode]
    if len(failed) != 1 or "cannot be locked" not in failed[0]:
        return f"statuses {[run.returncode for run in runs]}"
    return outcome(chaos.differing())


def half_deleted(chaos: Chaos) -> str:
    """Half of all files are deleted: what a run asks for comes back as it was."""
    files = sorted(path for path in chaos.project.digests() if not Path(path).name.startswith("."))
    whole = [name for name in files if ".zarr/" not in name and not name.startswith("browser/")]
    for name in chaos.rng.choice(whole, len(whole) // 2, replace=False):
        (chaos.project.results / name).unlink()
    chaos.until_it_ends(0, 1.0)
    wanted = [name for name in files if name.startswith(("tables/", "figures/", "report"))]
    found = chaos.project.digests()
    return outcome(
        [name for name, digest in found.items() if digest != chaos.expected.get(name)]
        + [name for name in wanted if name not in found]
    )


def changed(name: str, rule: str) -> Callable[[Chaos], str]:
    """A file that was changed under its name is refused in one line; removed, it is made again."""

    def fault(chaos: Chaos) -> str:
        path = chaos.project.results / name
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        status = path.stat()
        path.write_bytes(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        failed = chaos.project.snakemake("--forcerun", rule, *chaos.arguments)
        told = failed.stdout + failed.stderr
        if failed.returncode == 0 or f"{path.name} is damaged" not in told or "Traceback" in told:
            return f"status {failed.returncode}, without a clear line"
        path.unlink()
        chaos.until_it_ends(0, 1.0)
        return outcome(chaos.differing())

    return fault


def outcome(other: list[str]) -> str:
    """What came of it, in a word."""
    return "same bytes" if not other else f"differing: {', '.join(other[:5])}"


def clear(project: Project) -> None:
    """The project before any run."""
    shutil.rmtree(project.results, ignore_errors=True)
    shutil.rmtree(project.folder / ".snakemake", ignore_errors=True)


ON_RESULTS: dict[str, Callable[[Chaos], str]] = {
    "half of the files deleted": half_deleted,
    "a byte of a table's part changed": changed(
        "sae/trained/seed0/end_to_end/selectivity.csv", "concatenate"
    ),
    "a byte of the weights changed": changed(
        "decoder/trained/seed0/weights.safetensors", "evaluate"
    ),
}
FROM_THE_START: dict[str, Callable[[Chaos], str]] = {
    "disk full, then more room": full_disk,
    "results read-only, then writable": read_only,
    "two runs at once": two_at_once,
}


def main() -> None:
    """Strike, print what came of it, and fail where bytes differ."""
    parser = disturbing(__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--gap", type=float, default=20.0, help="mean seconds until a kill")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        project = Project.copied_to(Path(scratch) / "project")
        undisturbed = Project(given.undisturbed) if given.undisturbed else project
        arguments = ("--cores=2", *TINY, "--config", "results=results/tiny", *given.config)
        if not given.undisturbed and project.snakemake(*arguments).returncode:
            sys.exit("the undisturbed run failed")
        rng = np.random.default_rng(given.seed)
        whole = Chaos(project, arguments, undisturbed.digests(), rng)
        short = Chaos(
            project, (*arguments, "--", given.target or PRESENTATIONS), whole.expected, rng, True
        )
        struck = short if given.target else whole
        found: dict[str, object] = {"kills": kills(struck, given.kills, given.gap)}
        faults = [(short, name, fault) for name, fault in FROM_THE_START.items()]
        if not given.target:
            faults = [(whole, name, fault) for name, fault in ON_RESULTS.items()] + faults
        for disturbed, name, fault in faults:
            found[name] = fault(disturbed)
            print(f"{name}: {found[name]}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")
    bad = [name for name in found if name != "kills" and found[name] != "same bytes"]
    bad += found["kills"]["differing"]
    sys.exit(f"not the same: {bad}" if bad else 0)


if __name__ == "__main__":
    main()

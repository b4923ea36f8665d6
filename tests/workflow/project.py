"""The workflow in a folder of its own."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[2]
TINY = ("--configfile=workflow/configs/tiny.yaml",)
TIMES = ("logs", "benchmarks", "report.html", ".report.html.provenance.json")
"""Results that tell what jobs said and how long they took."""


class Project:
    """The workflow in a folder of its own, with results in `results/tiny`.

    Parameters
    ----------
    folder : Path
        Holds the sources and the results.
    **process
        What `subprocess.run` is told besides, such as `env` and `umask`.
    """

    def __init__(self, folder: Path, **process):
        self.folder = folder
        self.results = folder / "results/tiny"
        self.process = process

    @classmethod
    def copied_to(cls, folder: Path, **process) -> "Project":
        for name in ("src", "workflow", "envs"):
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        for name in ("Snakefile", "config.yaml"):
            shutil.copy2(ROOT / name, folder / name)
        return cls(folder, **process)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", *arguments]

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            capture_output=True,
            text=True,
            **self.process,
        )

    def run(self, *arguments: str) -> dict[str, int]:
        """Run to the end; the number of jobs of each rule that ran, as the terminal tells."""
        done = self.snakemake("--cores=2", *arguments)
        assert done.returncode == 0, done.stderr
        return Counter(re.findall(r"^ *\d+ of \d+ +(?!all\b)(\w+)", done.stderr, re.MULTILINE))

    def would_run(self, *arguments: str) -> dict[str, int]:
        """The number of jobs of each rule that a dry run lists."""
        done = self.snakemake("--dry-run", *arguments)
        assert done.returncode == 0, done.stderr
        return planned(done.stdout + done.stderr)

    def digests(self) -> dict[str, str]:
        """SHA-256 of every file in the results, but for `TIMES`."""
        return {
            str(path.relative_to(self.results)): sha256(path.read_bytes()).hexdigest()
            for path in self.results.rglob("*")
            if path.is_file() and path.relative_to(self.results).parts[0] not in TIMES
        }


def differing(found: dict[str, str], expected: dict[str, str], part: bool) -> list[str]:
    """Files that are not `expected`, or have other bytes, or (unless `part`) are missing."""
    names = found if part else found.keys() | expected.keys()
    return sorted(name for name in names if found.get(name) != expected.get(name))


def planned(output: str) -> dict[str, int]:
    """The last table of "Job stats" in Snakemake's output, but for rule all and the total."""
    *_, stats = ["", *output.split("Job stats:")]
    rows = re.findall(r"^(\w+) +(\d+)$", stats.split("\n\n")[0], flags=re.MULTILINE)
    return {rule: int(count) for rule, count in rows if rule not in ("all", "total")}

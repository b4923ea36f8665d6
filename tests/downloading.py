"""The workflow on recordings that it downloads from a server of this machine."""

import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
NO_NETWORK = ("unshare", "--user", "--map-root-user", "--net")


class Workflow:
    """The workflow beside this test, with its results in a folder of their own."""

    def __init__(self, folder: Path, *settings: str):
        self.folder, self.settings = folder, ("results=results", *settings)
        self.results = folder / "results"

    def snakemake(self, *arguments: str, prefix=()) -> Counter[str]:
        """Run to the end; the number of jobs of each stage that ran."""
        command = [
            *(*prefix, sys.executable, "-m", "snakemake", "--cores", "2"),
            *("--snakefile", ROOT / "Snakefile", "--directory", self.folder),
            *("--configfile", ROOT / "workflow/configs/tiny.yaml"),
            *("--config", *self.settings, *arguments),
        ]
        before = self.benchmarks()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stdout + done.stderr
        after = self.benchmarks()
        ran = [path for path in after if after[path] != before.get(path)]
        return Counter(path.relative_to(self.results / "benchmarks").parts[0] for path in ran)

    def benchmarks(self) -> dict[Path, int]:
        folder = self.results / "benchmarks"
        return {path: path.stat().st_mtime_ns for path in folder.rglob("*.tsv")}

    def sessions(self) -> list[dict[str, str]]:
        with open(self.results / "sessions.csv", newline="") as file:
            return list(csv.DictReader(file))


def without_network() -> tuple[str, ...]:
    """A prefix that leaves a command no network, where this machine allows it."""
    allowed = subprocess.run([*NO_NETWORK, "true"], capture_output=True).returncode == 0
    return NO_NETWORK if allowed else ()

"""Faults that a run of tiny.yaml is given: each is refused in a line or mended, and bytes stay."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.kills import Chaos, clear
from glasscortex.run.provenance import mismatches
from tests.workflow.project import TINY

ROOM = "6m"  # of the 15 MB that they need
DAY_S = 86400.0


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
    return outcome(not_as_asked(chaos))


def not_as_asked(chaos: Chaos) -> list[str]:
    """Files with other bytes, and tables and figures that are missing.

    What these were made of is not made again where they are there.
    """
    found = chaos.project.digests()
    other = [name for name, digest in found.items() if digest != chaos.expected.get(name)]
    asked = [name for name in chaos.expected if name.startswith(("tables/", "figures/"))]
    return other + [name for name in asked if name not in found]


def changed(name: str, rule: str) -> Callable[[Chaos], str]:
    """A file that was changed under its name is refused in one line; removed, all goes on."""

    def fault(chaos: Chaos) -> str:
        path = chaos.project.results / name
        flip(path)
        failed = chaos.project.snakemake("--forcerun", rule, *chaos.arguments)
        told = failed.stdout + failed.stderr
        if failed.returncode == 0 or f"{path.name} is damaged" not in told or "Traceback" in told:
            return f"status {failed.returncode}, without a clear line"
        path.unlink()
        chaos.until_it_ends(0, 1.0)
        return outcome(not_as_asked(chaos))

    return fault


def clock_set_back(chaos: Chaos) -> str:
    """A run begins under a clock that is a day ahead: it is told once that is right.

    It goes on when the files' times are no longer ahead.
    """
    clear(chaos.project)
    chaos.until_it_ends(0, 1.0)
    date(chaos, time.time() + DAY_S)
    parts = sorted((chaos.project.results / "trials").glob("*.parquet"))
    for path in (*parts[::2], chaos.project.results / "trials.parquet"):
        path.unlink()
    failed = chaos.project.snakemake(*chaos.arguments)
    if failed.returncode == 0 or "clock skew" not in failed.stderr or "Traceback" in failed.stderr:
        return f"status {failed.returncode}, without a clear line"
    date(chaos, time.time())
    chaos.until_it_ends(0, 1.0)
    return outcome(chaos.differing())


def date(chaos: Chaos, when: float) -> None:
    """Give all files of the results a time of change."""
    for path in chaos.project.results.rglob("*"):
        os.utime(path, (when, when), follow_symlinks=False)


def replaced_recording(chaos: Chaos) -> str:
    """Another recording of the same name, size and time takes the place of one of the user's.

    Snakemake cannot see it, so nothing is done; `verify` tells, and what reads it refuses it.
    """
    project, results = chaos.project, "results/local"
    own = ("source=local", "nwb=nwb", f"results={results}")
    arguments = ("--cores=2", *TINY, "--config", *own, "--", f"{results}/trials.parquet")
    shutil.rmtree(project.folder / results, ignore_errors=True)
    shutil.copytree(project.results / "raw", project.folder / "nwb", dirs_exist_ok=True)
    project.snakemake(*arguments)
    recording = min((project.folder / "nwb").glob("*.nwb"))
    flip(recording)
    quiet = project.snakemake(*arguments)
    told = mismatches(project.folder / results)[1]
    forced = project.snakemake("--forcerun", "preprocess", *arguments)
    if "Nothing to be done" not in quiet.stdout + quiet.stderr:
        return "it was seen"
    if not any(f"{recording.name} has changed since" in line for line in told):
        return f"verify does not tell of it: {told}"
    if forced.returncode == 0 or "Traceback" in forced.stderr:
        return f"status {forced.returncode}, without a clear line"
    return "told"


def flip(path: Path) -> None:
    """Change a byte of a file, and not its size nor the time of its change."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def outcome(other: list[str]) -> str:
    """What came of it, in a word."""
    return "same bytes" if not other else f"differing: {', '.join(other[:5])}"


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
    "clock a day ahead, then right": clock_set_back,
    "a recording replaced by one of its name, size and time": replaced_recording,
}

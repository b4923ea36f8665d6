"""Time and memory of the index of all windows, and of reading one, against the number of sessions.

    python benchmarks/index.py [--sessions 10 130 1300] [--json FILE]

Every session shows 1,000 presentations of four stimuli to 90 cells. All sessions share one file of
windows: what is measured is finding and reading windows in random order, not the disk. Each
number of sessions is measured in a process of its own.
"""

import argparse
import json
import multiprocessing
import platform
import resource
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch

from glasscortex.data.batches import Batches
from glasscortex.data.labels import with_labels
from glasscortex.data.vocabulary import Vocabulary
from glasscortex.data.windows import WindowsFolder
from glasscortex.tasks import ALLEN

CELLS, BATCH, READ = 90, 64, 2000
SHOWN = {
    "drifting_gratings": (400, 20),
    "static_gratings": (300, 5),
    "natural_scenes": (200, 5),
    "natural_movie_one": (100, 10),
}
"""Presentations and samples of a window by stimulus."""


def trials(sessions: int) -> pd.DataFrame:
    """The table of presentations: every variable of a stimulus has five values."""
    parts = []
    for stimulus, (n, _) in SHOWN.items():
        rows = np.arange(n)
        split = np.select([rows < 0.6 * n, rows < 0.75 * n], ["train", "validation"], "test")
        times = {"start_s": 3.0 * rows, "end_s": 3.0 * rows + 2}
        part = pd.DataFrame({"presentation": rows.astype(np.int32), "split": split, **times})
        tasks = ALLEN.tasks.values()
        shown = {task.variable.name for task in tasks if task.stimulus in (stimulus, None)}
        for variable in tuple(ALLEN.at("stimulus", "behaviour")):
            value = rows % 5 if variable in shown else np.nan
            part[variable] = np.full(n, value, np.float32)
        parts.append(part.assign(stimulus=stimulus))
    one = with_labels(pd.concat(parts, ignore_index=True).assign(session_id=""))
    return pd.concat([one.assign(session_id=str(i)) for i in range(sessions)], ignore_index=True)


def write(folder: Path, sessions: int) -> None:
    """The windows of one session under the names of all."""
    rng = np.random.default_rng(0)
    with h5py.File(folder / "windows", "w") as file:
        cells = np.array([f"0/{cell}" for cell in range(CELLS)], dtype="S")
        file.attrs.update(session_id="0", cells=cells, sample_rate_hz=10.0)
        for stimulus, (n, samples) in SHOWN.items():
            file[stimulus] = rng.normal(size=(n, CELLS, samples)).astype(np.float32)
    for i in range(sessions):
        (folder / f"{i}.h5").symlink_to(folder / "windows")


def resident_mb() -> float:
    """Memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def measure(sessions: int) -> dict[str, float]:
    """Seconds and MB of the index, and microseconds of a window."""
    table = trials(sessions)
    cells = {str(i): tuple(f"{i}/{cell}" for cell in range(CELLS)) for i in range(sessions)}
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), sessions)
        before, start = resident_mb(), time.perf_counter()
        samples = {stimulus: length for stimulus, (_, length) in SHOWN.items()}
        vocabulary = Vocabulary.of(table, cells, samples, "all")
        batches = Batches(WindowsFolder(Path(name)), table, vocabulary, BATCH)
        everything = np.ones(len(table), bool)
        pieces = batches.pieces(everything, np.random.default_rng(0))
        index_s, index_mb = time.perf_counter() - start, resident_mb() - before
        before, start = resident_mb(), time.perf_counter()
        number = sum(len(batch.trials) for batch in batches.read(pieces[:READ]))
        window_us = 1e6 * (time.perf_counter() - start) / number
    return {
        "sessions": sessions,
        "presentations": len(table),
        "table_mb": table.memory_usage(deep=True).sum() / 2**20,
        "index_s": index_s,
        "index_mb": index_mb,
        "reading_mb": resident_mb() - before,
        "window_us": window_us,
    }


def main() -> None:
    """Measure, print, and keep as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, nargs="+", default=[10, 130, 1300])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        rows = pool.map(measure, arguments.sessions, chunksize=1)
    print(pd.DataFrame(rows).round(2).to_string(index=False))
    if arguments.json:
        versions = {"python": platform.python_version(), "torch": torch.__version__}
        arguments.json.write_text(json.dumps({"versions": versions, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Peak memory of training and of recording activations, against the number of sessions.

    python benchmarks/memory.py [--sessions 8 32 128] [--json FILE]

Sessions are noise (40 cells, 320 presentations of 2 s): what they hold does not matter to memory.
Each stage runs in a process of its own, whose largest resident set is read when it ends.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch

from glasscortex.data.labels import with_labels

CELLS, PRESENTATIONS, SAMPLES = 40, 320, 20
SETTINGS = {"model": {}, "train": {"epochs": 2}}


def make(folder: Path, sessions: int) -> None:
    """Write the windows and the table of trials of that many sessions."""
    rng = np.random.default_rng(0)
    rows = np.arange(PRESENTATIONS)
    split = np.select([rows < 192, rows < 240], ["train", "validation"], "test")
    direction = (rows % 8 * 45).astype(np.float32)
    labels = {"direction": direction, "orientation": direction % 180}
    absent = ["temporal_frequency", "spatial_frequency", "phase", "scene", "movie_frame"]
    nothing = dict.fromkeys([*absent, "running_speed", "pupil"], np.float32("nan"))
    tables = []
    (folder / "windows").mkdir()
    for i in range(sessions):
        with h5py.File(folder / "windows" / f"{i}.h5", "w") as file:
            cells = np.array([f"{i}/{cell}" for cell in range(CELLS)], dtype="S")
            file.attrs.update(session_id=str(i), cells=cells, sample_rate_hz=10.0)
            shape = PRESENTATIONS, CELLS, SAMPLES
            file["drifting_gratings"] = rng.normal(size=shape).astype(np.float32)
        times = {"start_s": 3.0 * rows, "end_s": 3.0 * rows + 2, "split": split}
        named = {"session_id": str(i), "stimulus": "drifting_gratings"}
        table = pd.DataFrame({"presentation": rows.astype(np.int32), **times, **labels})
        tables.append(table.assign(**named, **nothing))
    with_labels(pd.concat(tables, ignore_index=True)).to_parquet(folder / "trials.parquet")


def peak_mb(*command: str) -> float:
    """Largest resident set of `glasscortex <command>`, in MB."""
    process = subprocess.Popen([sys.executable, "-m", "glasscortex", *command])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"glasscortex {command[0]} failed")
    return usage.ru_maxrss / 1024


def measure(sessions: int) -> dict[str, float]:
    """Peak memory of both stages, and the size of the windows that they read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, sessions)
        data = ["--trials", f"{folder}/trials.parquet", "--windows", f"{folder}/windows"]
        settings = ["--tasks", '"all"', "--config", json.dumps(SETTINGS)]
        fitted = ["--folder", f"{folder}/decoder", "--checkpoint", f"{folder}/checkpoint"]
        which = ["--model", "trained", "--seed", "0"]
        recorded = ["--activations", f"{folder}/a.zarr", "--manifest", f"{folder}/a.json"]
        hook = ["--decoder", f"{folder}/decoder", "--hook", "latents.2"]
        size = sum(path.stat().st_size for path in (folder / "windows").iterdir())
        return {
            "sessions": sessions,
            "windows_mb": size / 2**20,
            "train_mb": peak_mb("train", *data, *settings, *fitted, *which),
            "activations_mb": peak_mb("activations", *data, *hook, *recorded),
        }


def main() -> None:
    """Measure, print, and keep as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, nargs="+", default=[8, 32, 128])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = [measure(sessions) for sessions in arguments.sessions]
    print(pd.DataFrame(rows).round(0).to_string(index=False))
    if arguments.json:
        versions = {"python": platform.python_version(), "torch": torch.__version__}
        arguments.json.write_text(json.dumps({"versions": versions, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()

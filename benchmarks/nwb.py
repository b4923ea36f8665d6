"""Reading an NWB 2 file by blocks of cells against pynwb, which reads a signal whole.

    python benchmarks/nwb.py [--cells 200] [--frames 115000] [--json FILE]

One signal (ΔF/F, frames × cells, float32) lies in the file contiguous, in gzip chunks of some
frames of all cells as neuroconv writes them, and in gzip chunks as h5py guesses them. Each reading
is a process of its own; the fastest of three counts, and the largest peak of memory, less that of
a process that has only imported what it needs.
"""

import argparse
import json
import multiprocessing
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import h5py
import hdmf
import numpy as np
import pandas as pd
import pynwb
from hdmf.backends.hdf5.h5_utils import H5DataIO
from pynwb.ophys import (
    DfOverF,
    ImageSegmentation,
    OpticalChannel,
    PlaneSegmentation,
    RoiResponseSeries,
)

from glasscortex.data.nwb import read
from glasscortex.data.preprocess import BLOCK_CELLS

RATE, REPEATS = 30.0, 3
STORAGE = {
    "contiguous": {},
    "gzip, all cells": {"chunks": (12_500, None), "compression": "gzip"},
    "gzip, guessed": {"chunks": True, "compression": "gzip"},
}


def write(path: Path, cells: int, frames: int, storage: dict) -> None:
    """Write an NWB 2 file that holds ΔF/F alone, by pynwb."""
    file = pynwb.NWBFile("a benchmark", "1", datetime(2016, 4, 1, tzinfo=UTC), session_id="1")
    plane = file.create_imaging_plane(
        name="ImagingPlane",
        description="of a benchmark",
        optical_channel=OpticalChannel(name="green", description="light", emission_lambda=520.0),
        device=file.create_device(name="Microscope"),
        excitation_lambda=910.0,
        indicator="GCaMP6f",
        location="VISp",
    )
    table = PlaneSegmentation(name="PlaneSegmentation", description="cells", imaging_plane=plane)
    for cell in range(cells):
        table.add_roi(id=cell, pixel_mask=[(cell, cell, 1.0)])
    ophys = file.create_processing_module("ophys", "what was imaged")
    ophys.add(ImageSegmentation(name="ImageSegmentation", plane_segmentations=table))
    rng = np.random.default_rng(0)
    dff = rng.normal(scale=0.05, size=(frames, cells)).astype(np.float32)
    if isinstance(storage.get("chunks"), tuple):
        storage = storage | {"chunks": (min(frames, storage["chunks"][0]), cells)}
    series = RoiResponseSeries(
        name="DfOverF",
        data=H5DataIO(dff, **storage),
        timestamps=np.arange(frames) / RATE,
        unit="a.u.",
        rois=table.create_roi_table_region("all", region=list(range(cells))),
    )
    held = DfOverF(name="DfOverF")
    ophys.add(held)
    held.add_roi_response_series(series)
    with pynwb.NWBHDF5IO(path, "w") as io:
        io.write(file)


def by_blocks(path: Path) -> float:
    """The sum of all values, a block of cells after the other."""
    recording = read(path)
    total = 0.0
    for first in range(0, len(recording.cell_specimen_ids), BLOCK_CELLS):
        block = recording.stored_dff(slice(first, first + BLOCK_CELLS))
        total += float(block.sum(dtype=np.float64))
    return total


def by_pynwb_whole(path: Path) -> float:
    """The same of the signal read at once and turned, as most scripts do."""
    with pynwb.NWBHDF5IO(path, "r") as io:
        data = io.read().processing["ophys"]["DfOverF"]["DfOverF"].data
        return float(np.ascontiguousarray(data[:].T).sum(dtype=np.float64))


def by_pynwb_blocks(path: Path) -> float:
    """The same of blocks of cells that pynwb gives."""
    with pynwb.NWBHDF5IO(path, "r") as io:
        data = io.read().processing["ophys"]["DfOverF"]["DfOverF"].data
        total = 0.0
        for first in range(0, data.shape[1], BLOCK_CELLS):
            block = np.ascontiguousarray(data[:, first : first + BLOCK_CELLS].T)
            total += float(block.sum(dtype=np.float64))
        return total


def nothing(path: Path) -> float:
    """What a reader is compared with."""
    return float(path.stat().st_size > 0)


READERS: dict[str, Callable[[Path], float]] = {
    "glasscortex": by_blocks,
    "pynwb, whole": by_pynwb_whole,
    "pynwb, blocks": by_pynwb_blocks,
}


def apart(read_by: Callable[[Path], float], path: Path) -> tuple[float, float, float]:
    """Sum, seconds and peak of memory in MB of a reading in a process of its own."""
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def run() -> None:
        begin = time.perf_counter()
        total = read_by(path)
        seconds = time.perf_counter() - begin
        sender.send((total, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3))

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    measured = receiver.recv()
    process.join()
    return measured


def measure(cells: int, frames: int, folder: Path) -> list[dict]:
    """A row for each storage and reader."""
    paths = {storage: folder / f"{number}.nwb" for number, storage in enumerate(STORAGE)}
    for storage, path in paths.items():  # in children: what was written does not count as memory
        apart(lambda path, storage=storage: write(path, cells, frames, STORAGE[storage]) or 0, path)
    rows = []
    for storage, path in paths.items():
        runs = {name: [] for name in READERS}
        base = apart(nothing, path)[2]
        for _ in range(REPEATS):
            for name, reader in READERS.items():
                runs[name].append(apart(reader, path))
        sums = [run[0] for measured in runs.values() for run in measured]
        if not np.allclose(sums, sums[0]):
            sys.exit(f"{storage}: the readers differ")
        for name, measured in runs.items():
            seconds, peak = min(run[1] for run in measured), max(run[2] for run in measured)
            rows.append(
                {
                    "storage": storage,
                    "reader": name,
                    "seconds": seconds,
                    "peak_mb": max(0.0, peak - base),
                    "file_mb": os.path.getsize(path) / 1e6,
                }
            )
    return rows


def main() -> None:
    """Measure, print, and keep as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=200)
    parser.add_argument("--frames", type=int, default=115_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(arguments.cells, arguments.frames, Path(folder))
    whole = 4e-6 * arguments.cells * arguments.frames
    print(
        f"{arguments.cells} cells × {arguments.frames} frames ({whole:.0f} MB in memory), read by "
        f"blocks of {BLOCK_CELLS} cells or whole"
    )
    print(pd.DataFrame(rows).round(2).to_string(index=False))
    if arguments.json:
        versions = {"python": platform.python_version(), "pynwb": pynwb.__version__}
        versions |= {"hdmf": hdmf.__version__, "h5py": h5py.__version__, "numpy": np.__version__}
        sizes = {"cells": arguments.cells, "frames": arguments.frames, "block": BLOCK_CELLS}
        report = {"versions": versions, "machine": platform.platform(), "sizes": sizes}
        arguments.json.write_text(json.dumps(report | {"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()

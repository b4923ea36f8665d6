"""The Zarr store against the NWB file: conversion, bytes on disk, and reading 2 s of all cells.

    python benchmarks/store.py [--cells 50 200 1000] [--frames 115000] [--json FILE]

The NWB is written in both layouts that a file may have: contiguous, and a gzip chunk a cell. Every
reader reads the windows at the same random times, in turn; the best of many repeats counts. Warm
means that the page cache holds the file; cold, that its pages were dropped before each read; that
needs a temporary folder on a disk (TMPDIR).
"""

import argparse
import json
import multiprocessing
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import zarr

from glasscortex.data.nwb import read
from glasscortex.data.nwb1 import layout as nwb1
from glasscortex.data.store import StoredSession, write_manifest, write_session

RATE, WINDOW, BLOCK = 30.0, 60, 32
FULL = 200
"""Cells of the session that is converted, whose file holds every signal."""
LAYOUTS = ("contiguous", "gzip")
CONVERSIONS = 3
REPEATS = {"contiguous": 200, "gzip": 7, "store": 200, "store, by zarr": 50}


def traces(cells: int, frames: int) -> np.ndarray:
    """ΔF/F with the noise of a recording and a transient every 10 s, float32 (cells, frames)."""
    rng = np.random.default_rng(cells)
    dff = rng.normal(scale=0.05, size=(cells, frames)).astype(np.float32)
    shape = np.exp(-np.arange(90) / 20).astype(np.float32)
    for trace in dff:
        for onset in rng.integers(0, frames - len(shape), int(frames / RATE / 10)):
            trace[onset : onset + len(shape)] += shape * rng.exponential(0.5)
    return dff


def write_nwb(path: Path, dff: np.ndarray, layout: str) -> None:
    """Write what the Allen's files hold of a recording; of other sizes than FULL only ΔF/F."""
    cells, frames = dff.shape
    signals = {nwb1.STORED_DFF: dff}
    if cells == FULL:
        rng = np.random.default_rng(0)
        fluorescence = 100 * (1 + dff)
        neuropil = rng.normal(50, 2, dff.shape).astype(np.float32)
        signals[nwb1.FLUORESCENCE] = fluorescence + 0.7 * neuropil
        signals[nwb1.NEUROPIL] = neuropil
        signals[nwb1.DEMIXED] = fluorescence + 0.7 * neuropil
    options = {"chunks": (1, frames), "compression": "gzip"} if layout == "gzip" else {}
    with h5py.File(path, "w") as file:
        file["general/session_id"] = np.bytes_("1")
        file[f"{nwb1.PIPELINE}/ImageSegmentation/cell_specimen_ids"] = np.arange(cells)
        for group, data in signals.items():
            file.create_dataset(f"{group}/data", data=data, **options)
            file[f"{group}/timestamps"] = np.arange(frames) / RATE


def convert(nwb: Path, store: Path) -> None:
    """Write the store of the ΔF/F in an NWB file, by blocks of cells, and its manifest."""
    recording = read(nwb)
    ids = recording.cell_specimen_ids
    blocks = [slice(first, first + BLOCK) for first in range(0, len(ids), BLOCK)]
    write_session(
        store,
        attributes={"session_id": "1", "container_id": "1", "frame_rate_hz": RATE},
        blocks=({"cell_specimen_id": ids[b], "dff": recording.stored_dff(b)} for b in blocks),
        time=recording.time,
        behaviour={},
        stimuli={},
    )
    write_manifest(store, store.with_suffix(".json"), session_id="1")


def converted(nwb: Path, store: Path) -> tuple[float, float]:
    """Seconds of a conversion, and the largest resident set (MB) of the process that did it."""
    begin = time.perf_counter()
    convert(nwb, store)
    seconds = time.perf_counter() - begin
    # not ru_maxrss: a process takes over that of the one that started it
    status = Path("/proc/self/status").read_text()
    return seconds, int(status.split("VmHWM:")[1].split()[0]) / 1024


def apart(function: Callable, *arguments: object) -> object:
    """Call the function in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def size_mb(path: Path) -> float:
    """Megabytes of a file, or of all files of a folder."""
    return sum(file.stat().st_size for file in files(path)) / 1e6


def files(path: Path) -> list[Path]:
    """The file itself, or all files of a folder."""
    return [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]


def drop(path: Path) -> None:
    """Drop the pages of a file or folder from the page cache."""
    for file in files(path):
        descriptor = os.open(file, os.O_RDONLY)
        os.fdatasync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def window_times(paths: dict[str, Path], frames: int, cold: bool) -> dict[str, float]:
    """Milliseconds that each reader needs for a window, best of many."""
    opened = {layout: h5py.File(paths[layout]) for layout in LAYOUTS}
    stored, by_zarr = StoredSession(paths["store"]), zarr.open_group(paths["store"], mode="r")
    array = by_zarr["traces/dff"]
    key = f"{nwb1.STORED_DFF}/data"
    readers = {
        "contiguous": lambda a: opened["contiguous"][key][:, a : a + WINDOW],
        "gzip": lambda a: opened["gzip"][key][:, a : a + WINDOW],
        "store": lambda a: stored.dff(a, a + WINDOW),
        "store, by zarr": lambda a: array[:, a : a + WINDOW],
    }
    rng = np.random.default_rng(0)
    best = dict.fromkeys(readers, np.inf)
    for repeat in range(max(REPEATS.values())):
        start = int(rng.integers(frames - WINDOW))
        expected = stored.dff(start, start + WINDOW)
        for name, reader in readers.items():
            if repeat >= REPEATS[name]:
                continue
            if cold:
                drop(paths[name.split(",")[0]])
            begin = time.perf_counter()
            values = reader(start)
            best[name] = min(best[name], time.perf_counter() - begin)
            if not np.array_equal(values, expected):
                sys.exit(f"{name} reads other values at frame {start}")
    for file in opened.values():
        file.close()
    return {name: 1e3 * seconds for name, seconds in best.items()}


def measure(cells: int, frames: int, folder: Path) -> tuple[list[dict], list[dict]]:
    """Rows of the table of conversions (of FULL cells only) and of that of windows."""
    dff = traces(cells, frames)
    paths = {layout: folder / f"{cells}-{layout}.nwb" for layout in LAYOUTS}
    stores = {layout: folder / f"{cells}-{layout}.zarr" for layout in LAYOUTS}
    for layout, path in paths.items():
        write_nwb(path, dff, layout)
    if cells != FULL:
        convert(paths["contiguous"], stores["contiguous"])
    runs = {layout: [] for layout in LAYOUTS}
    for _ in range(CONVERSIONS if cells == FULL else 0):
        for layout, path in paths.items():
            shutil.rmtree(stores[layout], ignore_errors=True)
            runs[layout].append(apart(converted, path, stores[layout]))
    conversions = []
    for layout, measured in runs.items():
        if measured:
            seconds, peak = min(run[0] for run in measured), max(run[1] for run in measured)
            with h5py.File(paths[layout]) as file:
                own = file[f"{nwb1.STORED_DFF}/data"].id.get_storage_size() / 1e6
            row = {"nwb": layout, "cells": cells, "seconds": seconds, "peak_mb": peak}
            row |= {"nwb_mb": size_mb(paths[layout]), "nwb_dff_mb": own}
            row |= {"store_mb": size_mb(stores[layout]), "files": len(files(stores[layout]))}
            conversions.append(row)
    paths["store"] = stores["contiguous"]
    windows = [
        {"cells": cells, "cache": cache, **window_times(paths, frames, cold=cache == "cold")}
        for cache in ("warm", "cold")
    ]
    return conversions, windows


def main() -> None:
    """Measure, print, and keep as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, nargs="+", default=[50, FULL, 1000])
    parser.add_argument("--frames", type=int, default=115_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    conversions, windows = [], []
    for cells in arguments.cells:
        with tempfile.TemporaryDirectory() as folder:
            rows = measure(cells, arguments.frames, Path(folder))
        conversions += rows[0]
        windows += rows[1]
    print(f"NWB to Zarr, {arguments.frames} frames, ΔF/F as the file holds it, manifest included")
    print(pd.DataFrame(conversions).round(1).to_string(index=False))
    print("\nMilliseconds to read 2 s (60 frames) of all cells at a random time")
    print(pd.DataFrame(windows).round(3).to_string(index=False))
    print()
    ratios = {}
    for row in conversions:
        ratios[f"bytes_store_to_{row['nwb']}_nwb"] = row["store_mb"] / row["nwb_mb"]
    for row in windows:
        for layout in LAYOUTS:
            ratios[f"window_{layout}_to_store_{row['cells']}_cells_{row['cache']}"] = (
                row[layout] / row["store"]
            )
    for name, value in ratios.items():
        print(f"ratio {name} {value:.3g}")
    if arguments.json:
        versions = {"python": platform.python_version(), "zarr": zarr.__version__}
        versions |= {"h5py": h5py.__version__, "numpy": np.__version__}
        sizes = {"cells": arguments.cells, "frames": arguments.frames, "window_frames": WINDOW}
        report = {"versions": versions, "machine": platform.platform(), "sizes": sizes}
        report |= {"conversions": conversions, "windows": windows, "ratios": ratios}
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""ΔF/F and the neuropil's r against AllenSDK: the same results, the time and the memory of each.

    python benchmarks/dff.py [--cells 200] [--frames 115000] [--real FILE] [--full] [--json FILE]

AllenSDK 2.16.2 runs in an environment of its own, under the user's cache folder, with today's
SciPy, whose median filter is far faster than that of the version it pins. Every measurement runs in
a process of its own, the two in turn, and the best time counts: computing alone, no imports, no
compilation, no reading. AllenSDK works on one core and gets float64, as its own reader gives it.
Its mode and its r are computed on 20 cells only, and the time scaled, unless --full is given.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np

ALLENSDK = "2.16.2"
PEER_NEEDS = ("numpy>=2", "scipy>=1.17", "h5py", "matplotlib")
METHODS = ("windowed_median", "windowed_mode", "fitted_r")
SLOW, FEW_CELLS = ("windowed_mode", "fitted_r"), 20
"""What takes AllenSDK a minute or more on 200 cells, and the cells that it gets instead."""
REPEATS, BLOCK, RATE = 3, 20, 30.0
FILES = ("corrected", "measured", "neuropil")


def simulate(folder: Path, cells: int, frames: int) -> None:
    """Write traces of simulated cells, float32 (cells, frames), by blocks of cells."""
    from glasscortex.data.synthetic.calcium import fluorescence

    rng = np.random.default_rng(0)
    files = [
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.float32, (cells, frames))
        for name in FILES
    ]
    for first in range(0, cells, BLOCK):
        n = min(BLOCK, cells - first)
        parameters = {
            "spike_dff": rng.uniform(0.1, 0.3, n),
            "resting_counts": rng.uniform(200, 800, n),
            "neuropil_r": rng.uniform(0.3, 1.2, n),
        }
        rate = rng.uniform(0.05, 1, (n, 1)) * np.ones(frames)
        seen = fluorescence(rate, parameters, RATE, rng)
        corrected = seen.measured - parameters["neuropil_r"][:, None] * seen.neuropil
        for file, traces in zip(files, (corrected, seen.measured, seen.neuropil), strict=True):
            file[first : first + n] = traces


def extract(folder: Path, nwb: Path) -> float:
    """Write the traces of a recording as `simulate` does; returns its frame rate."""
    from glasscortex.data.nwb import read

    recording = read(nwb)
    cells = slice(None)
    np.save(folder / "corrected.npy", recording.corrected_fluorescence(cells))
    np.save(folder / "measured.npy", recording.fluorescence(cells))
    np.save(folder / "neuropil.npy", recording.neuropil(cells))
    return recording.frame_rate_hz


def ours(what: str, folder: Path, rate: float, cells: int, threads: int) -> dict:
    """Compute, and return the result and the seconds."""
    from glasscortex.data.dff import methods
    from glasscortex.data.dff.neuropil import contamination_ratios

    def compute(*traces: np.ndarray) -> np.ndarray:
        if what == "fitted_r":
            return contamination_ratios(*traces, threads=threads)
        options = {"percentile": 8, "window_s": 60} if what == "rolling_percentile" else {}
        return getattr(methods, what)(*traces, rate, threads=threads, **options).dff

    traces = inputs(what, folder, cells)
    compute(*(values[:1] for values in traces))
    start = time.perf_counter(), time.process_time()
    return {"result": compute(*traces), **since(start)}


def theirs(what: str, folder: Path, rate: float, cells: int, threads: int) -> dict:
    """The same by AllenSDK, its windows scaled to the frame rate."""
    # its reader of NWB files, which needs old libraries, is imported for a command only
    for name in ("allensdk.core", "allensdk.core.brain_observatory_nwb_data_set"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules[name].BrainObservatoryNwbDataSet = None
    from allensdk.brain_observatory import dff
    from allensdk.brain_observatory.r_neuropil import estimate_contamination_ratios

    def odd(frames: int) -> int:
        return 2 * round((frames * rate / 30 - 1) / 2) + 1

    traces = [values.astype(np.float64) for values in inputs(what, folder, cells)]
    start = time.perf_counter(), time.process_time()
    if what == "windowed_median":
        windows = {"median_kernel_long": 5401, "median_kernel_short": 101}
        windows["noise_kernel_length"] = 31
        result = dff.compute_dff_windowed_median(*traces, **{k: odd(v) for k, v in windows.items()})
    elif what == "windowed_mode":
        windows = {"mode_kernelsize": 5400, "mean_kernelsize": 3000}
        result = dff.compute_dff_windowed_mode(
            *traces, **{k: 2 * round(v * rate / 60) for k, v in windows.items()}
        )
    else:
        pairs = zip(*traces, strict=True)
        result = np.array([estimate_contamination_ratios(*pair)["r"] for pair in pairs])
    return {"result": result, **since(start)}


def since(start: tuple[float, float]) -> dict[str, float]:
    """Seconds, by the clock and of all cores together."""
    return {"seconds": time.perf_counter() - start[0], "cpu_s": time.process_time() - start[1]}


def inputs(what: str, folder: Path, cells: int) -> list[np.ndarray]:
    """The arrays that a method takes, float32 (cells, frames)."""
    names = ("measured", "neuropil") if what == "fitted_r" else ("corrected",)
    return [np.load(folder / f"{name}.npy")[:cells] for name in names]


def work(who: str, what: str, folder: str, rate: str, cells: str, threads: str) -> None:
    """In a process of its own: compute, keep the result, print the seconds as JSON."""
    import scipy

    compute = {"ours": ours, "theirs": theirs}[who]
    done = compute(what, Path(folder), float(rate), int(cells), int(threads))
    np.save(Path(folder) / f"{who}.npy", done.pop("result"))
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    versions["scipy"] = scipy.__version__
    # unlike ru_maxrss, this peak is not the parent's at the fork
    peak = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
    print(json.dumps({**done, "versions": versions, "peak_mb": int(peak) / 1024}))


def measure(
    python: Path, who: str, what: str, folder: Path, rate: float, cells: int, threads: int = 1
) -> dict:
    """Seconds, versions and peak memory (MB) of a process that computes."""
    arguments = map(str, (who, what, folder, rate, cells, threads))
    command = [str(python), __file__, "work", *arguments]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return json.loads(output.splitlines()[-1])


def peer() -> Path:
    """The interpreter of AllenSDK's environment, which is made where it is missing."""
    caches = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = caches / "glasscortex" / f"allensdk-{ALLENSDK}"
    if not (folder / "complete").exists():
        uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
        install = [uv, "pip", "install", "--quiet", "--python", str(folder)]
        for command in (
            [uv, "venv", "--quiet", "--clear", "--python", "3.11", str(folder)],
            [*install, "--no-deps", f"allensdk=={ALLENSDK}"],
            [*install, *PEER_NEEDS],
        ):
            subprocess.run(command, check=True)
        (folder / "complete").touch()
    return folder / "bin" / "python"


def compare(what: str, folder: Path) -> float:
    """Largest relative difference of two ΔF/F, or largest difference of two r."""
    a = np.load(folder / "ours.npy", mmap_mode="r")
    b = np.load(folder / "theirs.npy", mmap_mode="r")
    differences = []
    for x, y in zip(a, b, strict=False):  # the peer may have had fewer cells
        size = 1 if what == "fitted_r" else np.maximum(np.abs(y), np.finfo(np.float32).tiny)
        differences.append(np.max(np.abs(x - y) / size))
    return float(max(differences))


def race(what: str, folder: Path, cells: int, threads: int, full: bool, python: Path) -> dict:
    """Both in turn on the simulated cells: best times, memory, difference."""
    few = cells if full or what not in SLOW else min(cells, FEW_CELLS)
    mine, alone, peers = [], [], []
    for _ in range(REPEATS):
        peers.append(measure(python, "theirs", what, folder, RATE, few))
        alone.append(measure(sys.executable, "ours", what, folder, RATE, cells))
        mine.append(measure(sys.executable, "ours", what, folder, RATE, cells, threads))
    seconds = {
        "allensdk_s": min(run["seconds"] for run in peers) * cells / few,
        "one_thread_s": min(run["seconds"] for run in alone),
        "seconds": min(run["seconds"] for run in mine),
        "allensdk_cpu_s": min(run["cpu_s"] for run in peers) * cells / few,
        "cpu_s": min(run["cpu_s"] for run in mine),
    }
    return {
        "what": what,
        "allensdk_cells": few,
        **seconds,
        "ratio": seconds["allensdk_s"] / seconds["seconds"],
        "allensdk_mb": max(run["peak_mb"] for run in peers),
        "peak_mb": max(run["peak_mb"] for run in mine),
        "difference": compare(what, folder),
        "versions": {"ours": mine[0]["versions"], "allensdk": peers[0]["versions"]},
    }


def real_differences(nwb: Path, folder: Path, python: Path) -> dict[str, float]:
    """Differences to AllenSDK on all cells of a recording."""
    rate = extract(folder, nwb)
    cells = len(np.load(folder / "corrected.npy", mmap_mode="r"))
    differences = {}
    for what in METHODS:
        measure(python, "theirs", what, folder, rate, cells)
        measure(sys.executable, "ours", what, folder, rate, cells)
        differences[what] = compare(what, folder)
    return differences


def best_seconds(function: Callable[[], object]) -> float:
    """The least time of several calls, after one that does not count."""
    times = []
    for _ in range(6):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times[1:])


def roofline(trace: np.ndarray, seconds: float) -> str:
    """What bounds windowed_median, which takes so many seconds of one core for a frame."""
    from glasscortex.data.dff.running import Sorted

    source = np.ones(20_000_000)
    copied = 16e-9 * len(source) / best_seconds(source.copy)
    ordered = Sorted(trace, 5401)
    sort = best_seconds(lambda: Sorted(trace, 5401)) / len(trace)
    slow, fast = (best_seconds(lambda w=w: ordered.median(w)) / len(trace) for w in (31, 5401))
    return (
        f"windowed_median takes {seconds * 1e9:.0f} ns of one core for a frame: two sorts of "
        f"{sort * 1e9:.0f} ns, four running medians of {fast * 1e9:.0f} to {slow * 1e9:.0f} ns, "
        f"and arithmetic. It moves 8 bytes to and from memory, {8e-9 / seconds:.2f} of the "
        f"{copied:.0f} GB/s that a core copies; the rest stays in its caches. So what bounds it is "
        "the latency of dependent steps in the core, not memory."
    )


def main() -> None:
    """Measure, print, and keep as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=200)
    parser.add_argument("--frames", type=int, default=115_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--real", type=Path, help="NWB file to compare results on, too")
    parser.add_argument("--full", action="store_true", help="AllenSDK on all cells throughout")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    python = peer()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        simulate(folder, arguments.cells, arguments.frames)
        sizes = arguments.cells, arguments.threads, arguments.full
        rows = [race(what, folder, *sizes, python) for what in METHODS]
        percentile = measure(sys.executable, "ours", "rolling_percentile", folder, RATE, *sizes[:2])
        of_a_frame = rows[0]["cpu_s"] / (arguments.cells * arguments.frames)
        bound = roofline(np.load(folder / "corrected.npy")[0].astype(np.float64), of_a_frame)
        real = real_differences(arguments.real, folder, python) if arguments.real else {}
    line = "{:<16}{:>10}{:>12}{:>10}{:>10}{:>8}{:>13}{:>9}{:>12}"
    heads = ("", "cells of", "AllenSDK", "1 thread", "threads", "", "AllenSDK", "ours", "largest")
    print(f"{arguments.cells} cells x {arguments.frames} frames, {arguments.threads} threads")
    print(line.format(*heads))
    heads = ("AllenSDK", "s", "s", "s", "ratio", "MB", "MB", "difference")
    print(line.format("", *heads))
    for row in rows:
        times = (row["allensdk_s"], row["one_thread_s"], row["seconds"], row["ratio"])
        memory = (row["allensdk_mb"], row["peak_mb"])
        shown = [*(f"{t:.2f}" for t in times), *(f"{m:.0f}" for m in memory)]
        print(line.format(row["what"], row["allensdk_cells"], *shown, f"{row['difference']:.1e}"))
    print(
        f"rolling_percentile, which AllenSDK has not: {percentile['seconds']:.2f} s, "
        f"{percentile['peak_mb']:.0f} MB"
    )
    for what, difference in real.items():
        print(f"{arguments.real.name}: largest difference of {what} {difference:.1e}")
    print(bound)
    for row in rows:
        print(f"ratio {row['what']} {row['ratio']:.2f}")
    if arguments.json:
        sizes = {name: vars(arguments)[name] for name in ("cells", "frames", "threads")}
        kept = {"sizes": sizes, "rows": rows, "rolling_percentile": percentile, "real": real}
        machine = {"processor": platform.processor() or platform.machine(), "cpus": os.cpu_count()}
        kept |= {"machine": machine, "bound": bound, "allensdk": ALLENSDK}
        arguments.json.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        work(*sys.argv[2:])
    else:
        main()

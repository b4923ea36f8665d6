"""Size and speed of the browser of units, on simulated tables.

    python benchmarks/browser.py [--units 2000] [--sessions 1000] [--json FILE]

One dictionary of so many units, on so many sessions of twelve test presentations of drifting
gratings each; its tables are simulated, its files are written by the stages. Time and memory of
the build are of a process of its own. Times of the page are Chromium's: from the start of the
navigation to the first paint, and from the change of the address to the unit's page, all panels
drawn, the median of twenty units; of the page opened from its folder.
"""

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch
import zarr
from browser_site import lay_out, of_units, place
from chromium import Chromium

from glasscortex.config import SelectivityConfig
from glasscortex.data.labels import with_labels
from glasscortex.data.store import write_manifest
from glasscortex.dictionaries import TopK
from glasscortex.dictionaries.activations import Writer
from glasscortex.stages.units import units
from glasscortex.tables import write_table
from glasscortex.tasks import ALLEN
from glasscortex.words import SPLITS

DIM, CELLS, SAMPLES, STEPS = 64, 40, 20, 10
SHOWN = {"train": 1, "validation": 6, "test": 12}
"""Presentations of a session, by split."""
FIT = {"model": "trained", "seed": 0, "sae": "topk"}

TIMED = """window.timed = (unit) => new Promise((done) => {
  const root = document.documentElement, from = performance.now();
  const painted = () => requestAnimationFrame(() => done(performance.now() - from));
  const look = () => (root.dataset.ready === location.hash ? painted() : setTimeout(look, 1));
  location.hash = `#unit=${unit}`;
  look();
}); 0"""
"""Milliseconds from the change of the address to the next frame after the unit's page is there."""


def trials(sessions: int) -> pd.DataFrame:
    """The table of presentations."""
    rng = np.random.default_rng(0)
    split = np.repeat(list(SHOWN), list(SHOWN.values()))
    n = sessions * len(split)
    start = np.tile(3.0 * np.arange(len(split)), sessions)
    table = pd.DataFrame(
        {
            "session_id": np.repeat([f"{i:06d}" for i in range(sessions)], len(split)),
            "stimulus": "drifting_gratings",
            "presentation": np.tile(np.arange(len(split)), sessions),
            "block": 0,
            "start_s": start,
            "end_s": start + 2,
            "split": np.tile(split, sessions),
        }
    )
    for variable in ALLEN.at("stimulus", "behaviour"):
        table[variable] = np.full(n, np.nan, np.float32)
    table["direction"] = 45.0 * rng.integers(0, 8, n)
    table["orientation"] = table["direction"] % 180
    table["temporal_frequency"] = rng.choice([1.0, 2.0, 4.0, 8.0, 15.0], n)
    table["running_speed"] = rng.gamma(1.0, 5.0, n)
    return with_labels(table)


def simulate(folder: Path, width: int, sessions: int) -> None:
    """Write what the stages take."""
    rng, table = np.random.default_rng(1), trials(sessions)
    table.to_parquet(folder / "trials.parquet")
    names = table["session_id"].unique()
    lines, depths = np.array(["Cux2", "Rbp4", "Sst", "Vip"]), np.array([175, 275, 375])
    number = np.arange(sessions)
    about = {"session_id": names, "container_id": names, "mouse": [f"m{i // 2}" for i in number]}
    about |= {"cre_line": lines[number // 2 % 4], "area": "VISp", "depth_um": depths[number % 3]}
    write_table(pd.DataFrame(about | {"held_out": False}), folder / "sessions.csv")
    torch.manual_seed(0)
    sae = TopK(width=width, k=32, hook="latents.2", seed=0).build(DIM).requires_grad_(False)
    sae.W_dec.copy_(torch.nn.functional.normalize(torch.randn(width, DIM), dim=1))
    sae.W_enc.copy_(sae.W_dec.T)
    own = place(folder)
    (own / "decoder").mkdir(parents=True)
    sae.save(own)
    responses = zarr.create_group(own / "responses.zarr")
    tokens = zarr.create_group(own / "activations.zarr", attributes={"hook": "latents.2"})
    for split in SPLITS:
        rows = np.flatnonzero(table["split"] == split)
        writer, held = Writer(tokens.create_group(split), DIM), []
        for part in np.array_split(rows, 50):
            x = rng.normal(size=(len(part), STEPS, DIM)).astype(np.float32)
            writer.add(x, part)
            held.append(sae.encode(torch.from_numpy(x)).mean(1).numpy())
        writer.flush()
        group = responses.create_group(split)
        group.create_array("trial", data=rows)
        group.create_array("response", data=np.concatenate(held), chunks=(1024, width))
    for name in ("responses", "activations"):
        write_manifest(own / f"{name}.zarr", own / f"{name}.json")
    (folder / "windows").mkdir()
    (folder / "raw").mkdir()
    shown = sum(SHOWN.values())
    for name in names:
        with h5py.File(folder / f"windows/{name}.h5", "w") as file:
            cells = np.array([f"{name}/{cell}" for cell in range(CELLS)], dtype="S")
            file.attrs.update(session_id=name, cells=cells, sample_rate_hz=10.0)
            file["drifting_gratings"] = rng.normal(size=(shown, CELLS, SAMPLES)).astype("f4")
        h5py.File(folder / f"raw/{name}.nwb", "w").close()
    described = {"model": {"latents_per_step": 1, "patch_frames": 2}, "sample_rate_hz": 10.0}
    (own / "decoder/decoder.json").write_text(json.dumps(described))
    _write_tables(own, width, names, rng)
    _write_scores(folder, names, rng)


def _write_tables(folder: Path, width: int, names: np.ndarray, rng: np.random.Generator) -> None:
    """Tables of units, as far as the page's size depends on them."""
    tested = {"direction": "drifting_gratings", "orientation": "drifting_gratings"}
    tested |= {"temporal_frequency": "drifting_gratings", "running_speed": "all"}
    tested |= {"cre_line": "drifting_gratings", "depth_um": "drifting_gratings"}
    preferred = {"direction": "45", "orientation": "45", "temporal_frequency": "2"}
    parts = []
    for variable, stimulus in tested.items():
        effect = rng.beta(1, 10, width)
        numbers = {"effect": effect, "p": 0.01, "q": 0.02, "p_min": 0.001, "null_high": 0.02}
        numbers |= {"effect_selection": effect, "explained_selection": effect, "q_selection": 0.02}
        numbers |= {"circular": effect, "mutual_information": effect, "auroc": 0.5 + effect / 2}
        numbers |= {"n": 12000, "n_active": 300, "n_permutations": 1000}
        words = {"index": "eta2", "preferred": preferred.get(variable, "increasing")}
        words |= {"replicate": "presentation", "selected": effect > 0.05, "significant": True}
        part = pd.DataFrame({"unit": np.arange(width), **numbers, **words})
        parts.append(part.assign(variable=variable, stimulus=stimulus))
    write_table(pd.concat(parts), folder / "selectivity.csv", **FIT)
    tasks = {"direction": 8, "orientation": 4, "temporal_frequency": 5, "running_speed": 1}
    outputs = [(task, label) for task, n in tasks.items() for label in range(n)]
    rows = pd.DataFrame(outputs * width, columns=["task", "label"])
    rows["unit"] = np.repeat(np.arange(width), len(outputs))
    rows[["direct", "attribution", "sd"]] = rng.normal(size=(len(rows), 3))
    write_table(rows, folder / "effects.csv", **FIT)
    rows = rows.drop_duplicates(["unit", "task"])[["unit", "task"]]
    write_table(rows.assign(size=1.0, share=0.25, tasks=4.0), folder / "reuse.csv", **FIT)
    seeds = pd.DataFrame({"unit": np.repeat(np.arange(width), 2), "other_seed": [1, 2] * width})
    seeds = seeds.assign(other_unit=seeds["unit"], correlation=0.8, correlation_selection=0.8)
    seeds = seeds.assign(seed=0, n_alike=2, consensus=True)
    write_table(seeds, folder / "consensus.csv", model="trained", sae="topk")
    for name in ("cells", "times"):
        _write_drives(folder / f"{name}.parquet", names, width, rng)


def _write_scores(folder: Path, names: np.ndarray, rng: np.random.Generator) -> None:
    """Tables of sessions: scores of two decoders, confusions of directions, quality of cells."""
    keys = [(model, name) for model in ("trained", "linear") for name in (*names, "all")]
    scores = pd.DataFrame(keys, columns=["model", "session_id"])
    numbers = {"seed": 0, "chance": 0.125, "constant": 0.125, "n": 12, "n_classes": 8}
    scores = scores.assign(task="direction", metric="accuracy", **numbers)
    scores["value"] = rng.uniform(0.2, 0.8, len(scores))
    scores = scores.assign(ci_low=scores["value"] - 0.1, ci_high=scores["value"] + 0.1)
    both = [scores.assign(split=split) for split in ("validation", "test")]
    write_table(pd.concat(both), folder / "decoding.csv")
    pairs = pd.MultiIndex.from_product([names, range(8), range(8)])
    counts = pairs.to_frame(index=False, name=["session_id", "label", "predicted"])
    counts = counts.assign(task="direction", n=1, model="trained", seed=0)
    write_table(counts, folder / "confusion.csv")
    quality = pd.DataFrame({"session_id": np.repeat(names, CELLS)})
    quality["cell_specimen_id"] = np.tile(np.arange(CELLS), len(names))
    for name in ("snr", "noise", "baseline_drift", "low_baseline_fraction", "r"):
        quality[name] = rng.gamma(2.0, 1.0, len(quality))
    write_table(quality.assign(used=True, reason=None), folder / "quality.csv")


def _write_drives(path: Path, names: np.ndarray, width: int, rng: np.random.Generator) -> None:
    """A tenth of the units is traced back in each session."""
    import pyarrow.parquet as pq

    from glasscortex.analysis.input_attribution import Drive, schema

    name = {"cells": "cell", "times": "time_s"}[path.stem]
    with pq.ParquetWriter(path, schema(name)) as writer:
        for session in names:
            drive = Drive(
                session_id=session,
                stimulus="drifting_gratings",
                cells=tuple(f"{session}/{cell}" for cell in range(CELLS)),
                times_s=(np.arange(SAMPLES) + 0.5) / 10,
                units=np.sort(rng.permutation(width)[: width // 10]),
                attribution=rng.normal(size=(width // 10, CELLS, SAMPLES)).astype(np.float32),
            )
            writer.write_table(drive.by_cell() if name == "cell" else drive.by_time())


def build(folder: Path) -> dict[str, float]:
    """Seconds and memory of both stages, and bytes of what they leave."""
    torch.set_num_threads(1)
    start = time.perf_counter()
    units(**of_units(folder, FIT["sae"], SelectivityConfig()))
    units_s = time.perf_counter() - start
    fit = {"hook": "latents.2", "architecture": "topk", "width": 0, "k": 32, "split": "test"}
    write_table(pd.DataFrame([fit]), folder / "sae.csv", **FIT)
    start = time.perf_counter()
    lay_out(folder, FIT["sae"])
    site = folder / "browser"
    pages = list((site / "data/trained/seed0/topk").glob("*.js"))
    return {
        "units_s": units_s,
        "browser_s": time.perf_counter() - start,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "site_mb": sum(p.stat().st_size for p in site.rglob("*") if p.is_file()) / 2**20,
        "table_mb": (site / "data/trained/seed0/topk/fit.js").stat().st_size / 2**20,
        "unit_kb": float(np.median([path.stat().st_size for path in pages])) / 2**10,
    }


def look(page: str) -> dict[str, float]:
    """Milliseconds to the first paint, to the table, and to a unit; and memory of the page."""
    with Chromium() as chromium:
        chromium.open(page)
        paint = chromium.run("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        table = chromium.run("performance.getEntriesByName('drawn')[0].startTime")
        chromium.run(TIMED)
        links = "[...document.querySelectorAll('.listing tbody a')].slice(0, 20)"
        order = chromium.run(f"{links}.map((link) => link.textContent)")
        found = [chromium.run(f"timed({unit})") for unit in order]
        heap = chromium.run("performance.memory.usedJSHeapSize") / 2**20
    times = {"paint_ms": paint, "table_ms": table, "unit_ms": float(np.median(found))}
    return times | {"slowest_unit_ms": max(found), "heap_mb": heap}


def main() -> None:
    """Measure, print, and keep as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=2000)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        simulate(Path(name), arguments.units, arguments.sessions)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            row = pool.apply(build, (Path(name),))
        row |= look((Path(name) / "browser/index.html").as_uri())
    print(pd.Series(row).round(1).to_string())
    if arguments.json:
        sizes = {"units": arguments.units, "sessions": arguments.sessions}
        arguments.json.write_text(json.dumps(sizes | row, indent=1) + "\n")


if __name__ == "__main__":
    main()

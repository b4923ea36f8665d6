"""A browser of units, made by the stages from a small world whose names are hostile."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import torch

from benchmarks.browser_site import lay_out, of_units, place
from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.selectivity import selectivity
from glasscortex.config import AblationConfig, AttributionConfig, ModelConfig, SelectivityConfig
from glasscortex.data.batches import Batches
from glasscortex.data.labels import with_labels
from glasscortex.data.responses import read_responses
from glasscortex.data.store import write_manifest
from glasscortex.data.vocabulary import Vocabulary
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.model import Decoder
from glasscortex.dictionaries import TopK
from glasscortex.dictionaries.activations import write_activations
from glasscortex.dictionaries.responses import write_responses
from glasscortex.stages.ablate import ablate
from glasscortex.stages.attribute import attribute
from glasscortex.stages.evaluate import evaluate
from glasscortex.stages.units import units
from glasscortex.tables import concatenate, write_table
from tests.conftest import CELLS, LABELS, RATE, gratings, movie

CONFIG = SelectivityConfig(permutations=99, mouse_permutations=9, q=0.5, min_active=3)
HOOK, WIDTH, SAE = "latents.1", 24, "topk"
SESSIONS = {
    "\"><img src=x onerror=alert(1)> 'a'": "<script>alert(1)<" + chr(92) + "script>&amp;",
    "b" * 150: "Ünïcödé–線 " + "x" * 190,
}
"""Their names, and the Cre lines of their mice."""
FITS = (("trained", 0), ("trained", 1), ("start", 0))
SHOWN = [[gratings], [gratings, movie]]


class Site:
    """The folder of a run, with its browser in `browser`.

    Attributes
    ----------
    folder, browser : Path
    sae : str
        Name of the dictionary.
    alive : list of int
        Units that have a page.
    """

    sae = SAE

    def __init__(self, folder: Path):
        self.folder, self.browser = folder, folder / "browser"
        self._write_recordings()
        self._write_decoders()
        sae = [
            {"model": model, "seed": seed, "sae": SAE, "hook": HOOK, "architecture": "topk"}
            | {"width": WIDTH, "k": 6, "fvu": 0.2, "l0": 6.0, "dead_fraction": 0.0, "split": "test"}
            for model, seed in FITS
        ]
        write_table(pd.DataFrame(sae), folder / "sae.csv")
        for model, seed in FITS:
            self._describe(model, seed)
        self._score()
        lay_out(folder, SAE)
        self.alive = sorted(self.table("selectivity")["unit"].unique().tolist())

    def place(self, model: str = "trained", seed: int = 0) -> Path:
        """Folder of a dictionary."""
        return place(self.folder, model, seed)

    def table(self, name: str, model: str = "trained", seed: int = 0) -> pd.DataFrame:
        """A table of a dictionary."""
        return pd.read_csv(self.place(model, seed) / f"{name}.csv", dtype={"preferred": str})

    @property
    def address(self) -> str:
        return (self.browser / "index.html").as_uri()

    def _write_recordings(self) -> None:
        rng, tables, self.cells = np.random.default_rng(1), [], {}
        for name in ("windows", "raw"):
            (self.folder / name).mkdir()
        for number, (session, stimuli) in enumerate(zip(SESSIONS, SHOWN, strict=True)):
            self.cells[session] = tuple(f"{number}/{cell}" for cell in range(CELLS))
            with h5py.File(self.folder / "windows" / f"{session}.h5", "w") as file:
                cells = np.array(self.cells[session], dtype="S")
                file.attrs.update(session_id=session, cells=cells, sample_rate_hz=RATE)
                for make in stimuli:
                    table, values = make(session, rng)
                    tables.append(table)
                    file[table["stimulus"].iloc[0]] = values
            write_recording(self.folder / "raw" / f"{session}.nwb", masks=not number)
        table = pd.concat(tables, ignore_index=True).astype(dict.fromkeys(LABELS, "float32"))
        self.trials = with_labels(table)
        self.trials.to_parquet(self.folder / "trials.parquet")
        rows = [
            {"session_id": session, "container_id": str(number), "mouse": f"</td>{session}"}
            | {"cre_line": line, "area": "VISp", "depth_um": 175 + 100 * number, "held_out": False}
            for number, (session, line) in enumerate(SESSIONS.items())
        ]
        self.sessions = pd.DataFrame(rows)
        write_table(self.sessions, self.folder / "sessions.csv")

    def _write_decoders(self) -> None:
        samples = {"drifting_gratings": 20, "natural_movie_one": 10}
        vocabulary = Vocabulary.of(self.trials, self.cells, samples, "all")
        reader = WindowsFolder(self.folder / "windows")
        batches = Batches(reader, self.trials, vocabulary, 32)
        for model, seed in FITS:
            torch.manual_seed(seed + 5 * (model == "start"))
            place = self.place(model, seed)
            (place / "decoder").mkdir(parents=True)
            decoder = Decoder(ModelConfig(dim=16, depth=2, heads=2), vocabulary, RATE).eval()
            decoder.save(place / "decoder")
            write_activations(place / "activations.zarr", decoder, batches, HOOK)
            write_manifest(place / "activations.zarr", place / "activations.json")
            sae = TopK(width=WIDTH, k=6, hook=HOOK, steps=60, seed=seed)
            tokens = batch_of(decoder, batches)
            sae.fit(tokens).save(place)
            write_responses(place / "responses.zarr", sae, place / "activations.zarr")
            write_manifest(place / "responses.zarr", place / "responses.json")

    def _describe(self, model: str, seed: int) -> None:
        place, about = self.place(model, seed), {"model": model, "seed": seed, "sae": SAE}
        files = {"trials": self.folder / "trials.parquet", "windows": self.folder / "windows"}
        validation, test = (
            Presentations.joined(
                read_responses(place / "responses.zarr", split), self.trials, self.sessions
            )
            for split in ("validation", "test")
        )
        found = selectivity(validation, test, self.sessions, CONFIG, SAE, seed)
        write_table(found, place / "selectivity.csv", **about)
        if model == "trained":
            attribute(
                decoder=place / "decoder",
                folder=place,
                effects=place / "effects.csv",
                reuse=place / "reuse.csv",
                cells=place / "cells.parquet",
                times=place / "times.parquet",
                config=AttributionConfig(windows=8, nodes=2),
                **files,
                **about,
            )
            ablate(
                decoder=place / "decoder",
                folder=place,
                responses=place / "responses.zarr",
                manifest=place / "responses.json",
                sessions=self.folder / "sessions.csv",
                table=place / "ablation.csv",
                steering=place / "steering.csv",
                interactions=place / "interactions.csv",
                config=AblationConfig(units=3, doses=(2,), draws=2, windows=10),
                **files,
                **about,
            )
        alive = found["unit"].unique()
        consensus = {"seed": seed, "unit": alive, "other_seed": 1 - seed, "other_unit": alive}
        consensus |= {"correlation": 0.5, "correlation_selection": 0.6, "n_alike": 0}
        frame = pd.DataFrame({**consensus, "consensus": False})
        write_table(frame, place / "consensus.csv", model=model, sae=SAE)
        units(**self.arguments(model, seed))

    def _score(self) -> None:
        """Tables of the sessions: scores and confusions of all decoders, quality of all cells."""
        files = {"trials": self.folder / "trials.parquet", "windows": self.folder / "windows"}
        for model, seed in FITS:
            own = self.place(model, seed)
            tables = {"scores": own / "decoding.csv", "confusion": own / "confusion.csv"}
            names = {"model": model, "seed": seed, "threads": 1}
            evaluate(decoder=own / "decoder", **files, **tables, **names)
        rival = pd.read_csv(self.place() / "decoding.csv").assign(model="linear", value=0.25)
        write_table(rival, self.place() / "linear.csv")
        parts = [self.place(*fit) for fit in FITS]
        scores = [*(part / "decoding.csv" for part in parts), self.place() / "linear.csv"]
        concatenate(out=self.folder / "decoding.csv", parts=scores)
        confusion = [part / "confusion.csv" for part in parts]
        concatenate(out=self.folder / "confusion.csv", parts=confusion)
        rng = np.random.default_rng(2)
        cells = [(name, int(cell.split("/")[1])) for name in SESSIONS for cell in self.cells[name]]
        quality = pd.DataFrame(cells, columns=["session_id", "cell_specimen_id"])
        quality[["snr", "noise"]] = rng.gamma(3.0, 1.0, (len(cells), 2))
        quality[["baseline_drift", "r"]] = rng.normal(0.0, 0.1, (len(cells), 2))
        quality = quality.assign(used=True, reason=None, low_baseline_fraction=0.0)
        quality.loc[0, ["used", "reason"]] = False, "<b>flat</b>"
        write_table(quality, self.folder / "quality.csv")

    def arguments(self, model: str = "trained", seed: int = 0) -> dict[str, Any]:
        """What the stage `units` is given for a dictionary."""
        return of_units(self.folder, SAE, CONFIG, model, seed)


def batch_of(decoder: Decoder, batches: Batches) -> np.ndarray:
    """Activations of the training split, (tokens, dim)."""
    from glasscortex.decoder.hooks import activations

    train = (batches.trials["split"] == "train").to_numpy()
    with torch.no_grad():
        parts = [activations(decoder, HOOK, batch) for batch in batches.ordered(train)]
    return torch.cat([part.flatten(0, 1) for part in parts]).numpy()


def write_recording(path: Path, *, masks: bool) -> None:
    """What a recording holds to look at: masks of its cells, and a movie."""
    with h5py.File(path, "w") as file:
        place = "processing/brain_observatory_pipeline/ImageSegmentation"
        if masks:
            file[f"{place}/cell_specimen_ids"] = np.arange(CELLS)
            names = [f"roi_{cell}" for cell in range(CELLS)]
            file[f"{place}/imaging_plane_1/roi_list"] = np.array(names, dtype="S")
            for cell, name in enumerate(names):
                mask = np.zeros((64, 64), np.uint8)
                mask[4 * cell : 4 * cell + 3, 10:13] = 1
                file[f"{place}/imaging_plane_1/{name}/img_mask"] = mask
        file["stimulus/templates/natural_scenes_image_stack/data"] = np.zeros((118, 46, 58), "u1")
        frames = np.linspace(0, 255, 300)[:, None, None] * np.ones((38, 76))
        file["stimulus/templates/natural_movie_one_image_stack/data"] = frames.astype(np.uint8)

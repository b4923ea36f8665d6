"""Where the files of a small run lie that a browser is made of, and the stages that make it."""

from pathlib import Path
from typing import Any

from glasscortex.config import SelectivityConfig
from glasscortex.stages.browser import browser
from glasscortex.stages.session_pages import session_pages

MEASURED = ("ablation.csv", "effects.csv", "reuse.csv", "cells.parquet", "times.parquet")
"""What is measured of the trained decoder only."""


def place(folder: Path, model: str = "trained", seed: int = 0) -> Path:
    """Folder of a dictionary: its files, its tables, and `decoder` in it."""
    return folder / model / f"seed{seed}"


def of_units(
    folder: Path, sae: str, config: SelectivityConfig, model: str = "trained", seed: int = 0
) -> dict[str, Any]:
    """What the stage `units` is given for a dictionary; what was not measured is left out."""
    own = place(folder, model, seed)
    optional = {Path(name).stem: own / name for name in (*MEASURED, "consensus.csv")}
    return {
        "decoder": own / "decoder/decoder.json",
        "folder": own,
        "responses": own / "responses.zarr",
        "manifest": own / "responses.json",
        "activations": own / "activations.zarr",
        "recorded": own / "activations.json",
        "trials": folder / "trials.parquet",
        "windows": folder / "windows",
        "sessions": folder / "sessions.csv",
        "selectivity": own / "selectivity.csv",
        "data": folder / "browser/data" / model / f"seed{seed}" / sae,
        "model": model,
        "seed": seed,
        "sae": sae,
        "config": config,
        **{name: path for name, path in optional.items() if path.exists()},
    }


def lay_out(folder: Path, sae: str) -> None:
    """Write the pages of the sessions, and the page that shows all, in `folder/browser`."""
    site, recordings = folder / "browser", folder / "raw"
    session_pages(
        **{n: folder / f"{n}.csv" for n in ("sessions", "quality", "decoding", "confusion")},
        recordings=recordings,
        table=site / "data/sessions.js",
        data=site / "data/sessions",
    )
    browser(
        sae=folder / "sae.csv",
        sessions=folder / "sessions.csv",
        trials=folder / "trials.parquet",
        recordings=recordings,
        page=site / "index.html",
        static=site / "static",
        catalogue=site / "data/catalogue.js",
        pictures=site / "data/pictures",
        opened=[sae],
        movie_bin_s=1.0,
    )

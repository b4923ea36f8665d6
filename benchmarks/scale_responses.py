"""Responses of units to presentations of many sessions: noise, of which only the size matters."""

from pathlib import Path

import numpy as np
import pandas as pd
import zarr

from glasscortex.data.labels import with_labels
from glasscortex.data.store import write_manifest
from glasscortex.tables import write_table

LINES = ("Cux2-CreERT2", "Rbp4-Cre_KL100", "Sst-IRES-Cre", "Vip-IRES-Cre")


def write(folder: Path, sessions: int, presentations: dict[str, int], units: int) -> None:
    """Write what the stage of selectivity takes.

    Parameters
    ----------
    folder : Path
        Receives sessions.csv, trials.parquet, responses.zarr and responses.json.
    sessions : int
        One a mouse.
    presentations : dict of str to int
        Of a session, by split.
    units : int
    """
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    names = np.array([f"{i:06d}" for i in range(sessions)])
    mice = {"session_id": names, "mouse": names, "cre_line": np.resize(LINES, sessions)}
    write_table(pd.DataFrame(mice | {"held_out": False}), folder / "sessions.csv")
    split = np.repeat(list(presentations), list(presentations.values()))
    n = sessions * len(split)
    shown = pd.DataFrame(
        {
            "session_id": np.repeat(names, len(split)),
            "stimulus": "drifting_gratings",
            "block": np.int16(0),
            "start_s": np.tile(3.0 * np.arange(len(split)), sessions),
            "split": np.tile(split, sessions),
            "direction": 45 * rng.integers(8, size=n).astype(np.float32),
            "running_speed": rng.gamma(1.0, 5.0, n).astype(np.float32),
        }
    )
    trials = with_labels(shown)
    trials.to_parquet(folder / "trials.parquet")
    root = zarr.create_group(folder / "responses.zarr")
    for name in presentations:
        rows = np.flatnonzero(trials["split"] == name)
        group = root.create_group(name)
        group.create_array("trial", data=rows)
        shape = len(rows), units
        responses = group.create_array(
            "response", shape=shape, chunks=(1024, units), dtype="f4", compressors=None
        )
        for first in range(0, len(rows), 1024):
            drawn = rng.standard_normal((min(1024, len(rows) - first), units), np.float32)
            responses[first : first + 1024] = np.maximum(drawn - 1, 0)
    write_manifest(folder / "responses.zarr", folder / "responses.json")

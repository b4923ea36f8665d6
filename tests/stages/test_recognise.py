"""Mice are recognised from what lies on disk: activations of every split, or windows of cells."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.recognition import COLUMNS
from glasscortex.config import SelectivityConfig
from glasscortex.errors import InputError
from glasscortex.stages.recognise import recognise
from glasscortex.stages.recognise_cells import recognise_cells
from tests.conftest import LABELS
from tests.dictionaries.recordings import random_topk, write_activations

SESSIONS, SHOWN, DIM = 8, 24, 6
CONFIG = SelectivityConfig(mouse_permutations=199)


@pytest.fixture
def files(tmp_path):
    """Eight mice of two lines; in one line activations are larger, and late."""
    rng = np.random.default_rng(0)
    count = SESSIONS * SHOWN
    session = np.arange(count) % SESSIONS
    trials = pd.DataFrame(dict.fromkeys(LABELS, np.nan), index=range(count), dtype="float32")
    trials = trials.assign(
        session_id=[f"s{i}" for i in session],
        stimulus="drifting_gratings",
        presentation=np.arange(count) // SESSIONS,
        split=np.repeat(["train", "validation", "test"], count // 3),
        direction=(np.arange(count) // SESSIONS % 4 * 90.0).astype("float32"),
        running_speed=rng.gamma(1, 5, count).astype("float32"),
    )
    trials.to_parquet(tmp_path / "trials.parquet")
    lines = np.array(["Cux2", "Vip"])[np.arange(SESSIONS) % 2]
    sessions = pd.DataFrame({"session_id": [f"s{i}" for i in range(SESSIONS)]})
    sessions["mouse"] = sessions["session_id"].str.replace("s", "m")
    sessions.assign(cre_line=lines).to_csv(tmp_path / "sessions.csv", index=False)
    x = rng.normal(size=(count, 4, DIM)) + 3 * (session % 2)[:, None, None] * np.eye(4, DIM)
    splits = dict(zip(["train", "validation", "test"], np.split(x.astype("f4"), 3), strict=True))
    activations = write_activations(tmp_path, splits)
    random_topk(DIM).save(tmp_path / "sae")
    (tmp_path / "windows").mkdir()
    for number in range(SESSIONS):
        with h5py.File(tmp_path / f"windows/s{number}.h5", "w") as file:
            cells = np.array([f"{number}/{i}" for i in range(DIM)], dtype="S")
            file.attrs.update(session_id=f"s{number}", cells=cells, sample_rate_hz=10.0)
            file["drifting_gratings"] = x[session == number].swapaxes(1, 2).astype("f4")
    model = {"latents_per_step": 2, "patch_frames": 1}
    described = {"model": model, "sample_rate_hz": 10.0}
    (tmp_path / "decoder.json").write_text(json.dumps(described))
    of_units = {
        "decoder": tmp_path / "decoder.json",
        "folder": tmp_path / "sae",
        "activations": activations,
        "manifest": activations.with_suffix(".json"),
        "model": "trained",
        "seed": 3,
        "sae": "topk",
    }
    tables = {"trials": tmp_path / "trials.parquet", "sessions": tmp_path / "sessions.csv"}
    return tables | {"table": tmp_path / "table.csv", "config": CONFIG}, of_units


def test_units_of_all_splits_tell_the_line(files):
    shared, of_units = files
    recognise(**shared, **of_units)
    table = pd.read_csv(shared["table"])
    assert table.columns.tolist() == ["model", "seed", "sae", *COLUMNS]
    whole = table[(table["mouse"] == "all") & (table["kind"] == "all")].iloc[0]
    assert (whole["value"], whole["n_mice"], whole["stimulus"]) == (1, 8, "drifting_gratings")
    assert whole["p"] == whole["p_min"]
    written = shared["table"].read_bytes()
    recognise(**shared, **of_units)
    assert shared["table"].read_bytes() == written


def test_summaries_of_cells_stand_in_the_same_table(files, tmp_path):
    shared, _ = files
    recognise_cells(**shared, windows=tmp_path / "windows")
    table = pd.read_csv(shared["table"])
    assert table.columns.tolist() == ["model", "seed", "sae", *COLUMNS]
    assert set(table["model"]) == set(table["sae"]) == {"cells"}
    whole = table[(table["mouse"] == "all") & (table["kind"] == "mean")].iloc[0]
    assert whole["value"] == 1


def test_damaged_activations_leave_no_table(files):
    shared, of_units = files
    next(of_units["activations"].glob("test/x/c/0/*")).write_bytes(b"")
    with pytest.raises(InputError, match="damaged"):
        recognise(**shared, **of_units)
    assert not shared["table"].exists()

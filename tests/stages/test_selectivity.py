import h5py
import numpy as np
import pandas as pd
import pytest
import zarr

from glasscortex.analysis.probing import COLUMNS
from glasscortex.config import SelectivityConfig
from glasscortex.data.store import write_manifest
from glasscortex.errors import InputError
from glasscortex.stages.probe import probe
from glasscortex.stages.recovery import recovery
from glasscortex.stages.selectivity import selectivity
from glasscortex.words import SPLITS

UNITS = 8


@pytest.fixture
def files(world, tmp_path):
    """What all three stages take: responses of noise to the small world, trials and sessions."""
    trials, rng = world[0], np.random.default_rng(0)
    root = zarr.create_group(tmp_path / "responses.zarr")
    for split in SPLITS:
        rows = np.flatnonzero(trials["split"] == split)
        values = rng.normal(size=(len(rows), UNITS)).clip(0).astype(np.float32)
        group = root.create_group(split)
        group.create_array("trial", data=rows)
        group.create_array("response", data=values)
    write_manifest(tmp_path / "responses.zarr", tmp_path / "manifest.json")
    sessions = pd.DataFrame({"session_id": ["a", "b"], "mouse": ["1", "2"], "cre_line": ["x", "y"]})
    sessions.to_csv(tmp_path / "sessions.csv", index=False)
    return {
        "responses": tmp_path / "responses.zarr",
        "manifest": tmp_path / "manifest.json",
        "trials": world[1],
        "sessions": tmp_path / "sessions.csv",
        "table": tmp_path / "table.csv",
        "model": "trained",
        "seed": 3,
        "sae": "topk",
    }


@pytest.fixture
def options(tmp_path):
    config = SelectivityConfig(permutations=19, mouse_permutations=19, min_active=5)
    return {"tuning": tmp_path / "tuning.csv", "config": config}


def test_both_tables_name_the_decoder_and_the_dictionary(files, options):
    selectivity(**files, **options)
    for path in (files["table"], options["tuning"]):
        table = pd.read_csv(path)
        assert list(table.columns[:4]) == ["model", "seed", "sae", "unit"]
        assert set(table["variable"]) >= {"direction", "movie_frame"}
        fits = table[["model", "seed", "sae"]].drop_duplicates()
        assert fits.to_numpy().tolist() == [["trained", 3, "topk"]]


def test_the_same_seed_writes_the_same_bytes(files, options):
    selectivity(**files, **options)
    first = files["table"].read_bytes(), options["tuning"].read_bytes()
    selectivity(**files, **options)
    assert (files["table"].read_bytes(), options["tuning"].read_bytes()) == first


def test_damaged_responses_are_bad_input(files, options, tmp_path):
    next(files["responses"].glob("test/response/c/0/*")).write_bytes(b"")
    with pytest.raises(InputError, match="damaged"):
        selectivity(**files, **options)
    with pytest.raises(InputError, match="damaged"):
        recovery(**files, truth=tmp_path)
    with pytest.raises(InputError, match="damaged"):
        probe(**files)
    assert not files["table"].exists()


def test_probes_name_the_decoder_and_the_dictionary(files):
    probe(**files)
    table = pd.read_csv(files["table"])
    assert table.columns.tolist() == ["model", "seed", "sae", *COLUMNS]
    assert set(table["task"]) >= {"direction", "movie_one"}
    assert set(table["split"]) == {"validation", "test"}
    assert set(table["session_id"]) == {"a", "b"}
    fits = table[["model", "seed", "sae"]].drop_duplicates()
    assert fits.to_numpy().tolist() == [["trained", 3, "topk"]]


def test_recovery_reads_the_truth_of_every_session(files, world, tmp_path):
    trials = world[0]
    for session, rows in trials.groupby("session_id"):
        gratings = rows[rows["stimulus"] == "drifting_gratings"]
        with h5py.File(tmp_path / f"{session}.h5", "w") as file:
            file["cells/preferred_direction_deg"] = np.arange(8) * 45.0
            file["cells/temporal_frequency_hz"] = np.full(8, 2.0)
            file["rates/drifting_gratings"] = np.random.default_rng(0).random((len(gratings), 8))
            file["gain/drifting_gratings"] = np.linspace(0, 1, len(gratings))
    recovery(**files, truth=tmp_path)
    table = pd.read_csv(files["table"])
    assert len(table) == 8 + 4 + 1
    assert set(table["sae"]) == {"topk"}

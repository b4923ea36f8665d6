import numpy as np
import pandas as pd
import pytest
import zarr

from glasscortex.config import SelectivityConfig
from glasscortex.data.store import write_manifest
from glasscortex.errors import InputError
from glasscortex.stages.stability import stability
from glasscortex.words import SPLITS

UNITS = 6


def write_seed(folder, trials, seed, left_out=0):
    """Noise in response to the small world, less the last presentations of test."""
    rng = np.random.default_rng(seed)
    path = folder / f"seed{seed}" / "topk" / "responses.zarr"
    root = zarr.create_group(path)
    for split in SPLITS:
        rows = np.flatnonzero(trials["split"] == split)
        rows = rows[: len(rows) - left_out * (split == "test")]
        values = rng.normal(size=(len(rows), UNITS)).clip(0).astype(np.float32)
        group = root.create_group(split)
        group.create_array("trial", data=rows)
        group.create_array("response", data=values)
    write_manifest(path, path.with_suffix(".manifest.json"))
    return path


@pytest.fixture
def options(world, tmp_path):
    sessions = pd.DataFrame({"session_id": ["a", "b"], "mouse": ["1", "2"]})
    sessions.to_csv(tmp_path / "sessions.csv", index=False)
    return {
        "folder": tmp_path,
        "trials": world[1],
        "sessions": tmp_path / "sessions.csv",
        "table": tmp_path / "stability.csv",
        "consensus": tmp_path / "consensus.csv",
        "model": "trained",
        "sae": "topk",
        "seeds": [3, 5],
        "config": SelectivityConfig(min_active=5),
    }


def test_both_tables_name_the_model_and_the_dictionary(world, options, tmp_path):
    for seed in (3, 5):
        write_seed(tmp_path, world[0], seed)
    stability(**options)
    table, units = pd.read_csv(options["table"]), pd.read_csv(options["consensus"])
    assert table["seeds"].tolist() == ["3-5", "all"]
    assert table["n_mice"].tolist() == [2, 2]
    assert list(units.columns[:5]) == ["model", "sae", "seed", "unit", "other_seed"]
    assert len(units) == 2 * UNITS
    for frame in (table, units):
        assert set(map(tuple, frame[["model", "sae"]].to_numpy())) == {("trained", "topk")}
    before = options["table"].read_bytes(), options["consensus"].read_bytes()
    stability(**options)
    assert (options["table"].read_bytes(), options["consensus"].read_bytes()) == before


def test_a_seed_of_other_presentations_is_named(world, options, tmp_path):
    write_seed(tmp_path, world[0], 3)
    write_seed(tmp_path, world[0], 5, left_out=1)
    with pytest.raises(InputError, match=r"seed5/topk.* hold different test presentations: remove"):
        stability(**options)
    assert not options["table"].exists()


def test_damaged_responses_are_named(world, options, tmp_path):
    write_seed(tmp_path, world[0], 3)
    next(write_seed(tmp_path, world[0], 5).glob("test/response/c/0/*")).write_bytes(b"")
    with pytest.raises(InputError, match=r"seed5/topk/responses.zarr: .* damaged"):
        stability(**options)

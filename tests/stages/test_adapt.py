import pandas as pd
import pytest

from glasscortex.config import AdaptConfig, BaselineConfig, DecoderConfig
from glasscortex.errors import InputError
from glasscortex.stages.adapt import adapt
from glasscortex.stages.train import train
from glasscortex.tables import write_table

CONFIG = DecoderConfig.model_validate(
    {
        "model": {"dim": 16, "depth": 1, "heads": 2},
        "train": {"epochs": 1, "batch": 16},
    }
)


@pytest.fixture(scope="module")
def folder(world, tmp_path_factory):
    """Presentations of each session apart, and a decoder of session a."""
    folder = tmp_path_factory.mktemp("adapt")
    trials = world[0]
    for session in ("a", "b"):
        trials[trials["session_id"] == session].to_parquet(folder / f"{session}.parquet")
    sessions = pd.DataFrame({"session_id": ["a", "b"], "held_out": [False, True]})
    write_table(sessions, folder / "sessions.csv")
    train(
        trials=folder / "a.parquet",
        windows=world[2],
        folder=folder / "decoder",
        checkpoint=folder / "checkpoint.pt",
        config=CONFIG,
        tasks="all",
        model="trained",
        seed=0,
    )
    return folder


def run(world, folder, out, decoder="decoder"):
    adapt(
        sessions=folder / "sessions.csv",
        trials=folder,
        decoder=folder / decoder,
        windows=world[2],
        scores=out,
        seed=0,
        config=AdaptConfig(repeats=(1,), steps=2),
        scratch=CONFIG,
        linear=BaselineConfig(inverse_regularisation=(0.1,)),
        threads=1,
    )


def test_every_method_is_written(world, folder, tmp_path):
    run(world, folder, tmp_path / "adaptation.csv")
    table = pd.read_csv(tmp_path / "adaptation.csv", dtype={"repeats": str})
    assert table.columns.tolist()[:6] == [
        "model",
        "seed",
        "session_id",
        "task",
        "repeats",
        "method",
    ]
    assert set(table["method"]) == {"adapted", "scratch", "linear"}
    assert set(table["repeats"]) == {"1", "all"}
    assert (table["model"] == "trained").all()


def test_a_decoder_without_its_start_is_an_error(world, folder, tmp_path):
    (folder / "lacking").mkdir()
    for name in ("weights.safetensors", "decoder.json"):
        (folder / "lacking" / name).write_bytes((folder / "decoder" / name).read_bytes())
    with pytest.raises(InputError, match=r"holds no start\.safetensors: train"):
        run(world, folder, tmp_path / "adaptation.csv", decoder="lacking")

import pandas as pd
import pytest

from glasscortex.config import DecoderConfig, validated
from glasscortex.decoder.baselines.single import single

CONFIG = DecoderConfig.model_validate(
    {
        "model": {"dim": 32, "depth": 1, "heads": 2, "cell_dropout": 0.2},
        "train": {"epochs": 30, "patience": 30, "batch": 16, "weight_decay": 0.01},
    }
)


def scores(world, out, trials=None, **changes):
    _, path, windows, _ = world
    given = {"trials": trials or path, "windows": windows, "out": out, "config": CONFIG}
    single(**given | {"tasks": "all", "processes": 1} | changes)
    table = pd.read_csv(out)
    return table[(table["split"] == "test") & (table["metric"] != "balanced_accuracy")]


@pytest.fixture(scope="module")
def both(world, tmp_path_factory):
    return scores(world, tmp_path_factory.mktemp("single") / "decoding.csv")


def test_it_reads_planted_tuning_of_every_session(both):
    value = both[both["metric"] == "accuracy"].set_index(["task", "session_id"])["value"]
    assert value["direction"].min() > 0.5
    assert value["movie_one", "b"] > 0.4
    assert (both["model"] == "single").all()


def test_a_session_is_decoded_as_if_no_other_existed(both, world, tmp_path):
    trials = world[0]
    (trials[trials["session_id"] == "b"]).to_parquet(tmp_path / "b.parquet", index=False)
    alone = scores(world, tmp_path / "decoding.csv", trials=tmp_path / "b.parquet")
    of_b = alone[alone["session_id"] == "b"].set_index(["task", "metric"])["value"]
    expected = both[both["session_id"] == "b"].set_index(["task", "metric"])["value"]
    pd.testing.assert_series_equal(of_b, expected)


def test_a_session_without_any_of_the_tasks_is_left_out(world, tmp_path):
    table = scores(world, tmp_path / "decoding.csv", tasks=("movie_one",))
    assert set(table["session_id"]) == {"b", "all"}


def test_it_differs_from_the_other_decoders_in_its_training_only():
    settings = {"decoder": {"train": {"devices": 2, "sessions_per_step": 4, "clip": 0.5}}}
    config = validated(settings | {"baseline": {"single": {"epochs": 7}}})
    assert config.single.train.epochs == 7
    assert config.single.train.clip == 0.5
    assert (config.single.train.devices, config.single.train.sessions_per_step) == (1, 1)
    assert config.single.model == config.decoder.model

import numpy as np
import pandas as pd
import pytest

from glasscortex.config import BaselineConfig, DecoderConfig, validated
from glasscortex.data.windows import ArrayWindows, WindowsFolder
from glasscortex.decoder.baselines import baselines
from glasscortex.words import BASELINES

CONFIG = DecoderConfig.model_validate(
    {
        "model": {"dim": 32, "depth": 1, "heads": 2, "cell_dropout": 0.2},
        "train": {"epochs": 30, "patience": 30, "batch": 16, "weight_decay": 0.01},
    }
)


def scores(world, trials=None, **changes):
    windows = WindowsFolder(world[2])
    table = baselines(world[0] if trials is None else trials, windows, "single", CONFIG, **changes)
    return table[(table["split"] == "test") & (table["metric"] != "balanced_accuracy")]


@pytest.fixture(scope="module")
def both(world):
    return scores(world)


def test_it_reads_planted_tuning_of_every_session(both):
    value = both[both["metric"] == "accuracy"].set_index(["task", "session_id"])["value"]
    assert value["direction"].min() > 0.5
    assert value["movie_one", "b"] > 0.4


def test_a_session_is_decoded_as_if_no_other_existed(both, world):
    trials = world[0]
    alone = scores(world, trials[trials["session_id"] == "b"].reset_index(drop=True))
    of_b = alone[alone["session_id"] == "b"].set_index(["task", "metric"])["value"]
    expected = both[both["session_id"] == "b"].set_index(["task", "metric"])["value"]
    pd.testing.assert_series_equal(of_b, expected)


def test_a_session_without_any_of_the_tasks_is_left_out(world):
    table = scores(world, tasks=("movie_one",))
    assert set(table["session_id"]) == {"b", "all"}


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("alone", [True, False])
def test_a_session_of_one_cell_is_decoded(world, name, alone):
    folder, trials = WindowsFolder(world[2]), world[0]
    a = folder["a"]
    shown = {
        stimulus: a.read(stimulus, np.arange(n))[:, :1] for stimulus, (n, *_) in a.shapes.items()
    }
    windows = {**folder, "a": ArrayWindows("a", a.cells[:1], shown, a.sample_rate_hz)}
    kept = trials[(trials["session_id"] == "a") | (not alone)].reset_index(drop=True)
    config = BaselineConfig()
    if name == "single":
        short = {"train": {"epochs": 1}, "model": {"dim": 16, "depth": 1, "heads": 2}}
        config = DecoderConfig.model_validate(short)
    table = baselines(kept, windows, name, config, tasks=("direction",))
    assert "a" in set(table["session_id"])
    assert np.isfinite(table["value"]).all()


def test_it_differs_from_the_other_decoders_in_its_training_only():
    settings = {"decoder": {"train": {"devices": 2, "sessions_per_step": 4, "clip": 0.5}}}
    config = validated(settings | {"baseline": {"single": {"epochs": 7}}})
    assert config.single.train.epochs == 7
    assert config.single.train.clip == 0.5
    assert (config.single.train.devices, config.single.train.sessions_per_step) == (1, 1)
    assert config.single.model == config.decoder.model

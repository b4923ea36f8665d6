import pandas as pd
import pytest

from glasscortex.config import BaselineConfig
from glasscortex.decoder.baselines import baselines


@pytest.fixture(scope="module")
def scores(world, tmp_path_factory):
    _, trials, windows, _ = world
    out = tmp_path_factory.mktemp("linear") / "decoding.csv"
    config = BaselineConfig(inverse_regularisation=(0.01, 0.1))
    baselines(trials=trials, windows=windows, out=out, config=config, tasks="all")
    table = pd.read_csv(out)
    return table[(table["split"] == "test") & (table["session_id"] != "all")]


def test_it_reads_planted_tuning(scores):
    accuracy = scores[scores["metric"] == "accuracy"].groupby("task")["value"].min()
    assert accuracy["direction"] > 0.6
    assert accuracy["movie_one"] > 0.8
    assert scores[scores["task"] == "running_speed"]["value"].min() > 0.5


def test_a_task_is_scored_where_it_applies(scores):
    sessions = scores.groupby("task")["session_id"].unique().map(sorted).to_dict()
    assert sessions == {
        "direction": ["a", "b"],
        "orientation": ["a", "b"],
        "movie_one": ["b"],
        "running_speed": ["a", "b"],
    }

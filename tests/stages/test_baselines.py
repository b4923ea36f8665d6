import pandas as pd
import pytest

from glasscortex.config import BaselineConfig, DecoderConfig
from glasscortex.stages.baselines import baselines

SINGLE = DecoderConfig.model_validate(
    {"model": {"dim": 16, "depth": 1, "heads": 2}, "train": {"epochs": 1, "batch": 16}}
)


@pytest.mark.parametrize(("name", "config"), [("lda", BaselineConfig()), ("single", SINGLE)])
def test_scores_of_a_baseline_are_written(world, tmp_path, name, config):
    _, trials, windows, _ = world
    out = tmp_path / "decoding.csv"
    baselines(
        trials=trials,
        windows=windows,
        scores=out,
        baseline=name,
        tasks=("direction",),
        config=config,
        threads=1,
    )
    table = pd.read_csv(out)
    assert table.columns.tolist()[:4] == ["model", "seed", "session_id", "task"]
    assert (table["model"] == name).all() and (table["seed"] == 0).all()
    assert set(table["task"]) == {"direction"}
    assert set(table["session_id"]) == {"a", "b", "all"}

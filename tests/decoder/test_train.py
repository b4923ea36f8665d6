import os
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn.functional import cross_entropy

from glasscortex.config import DecoderConfig
from glasscortex.decoder.evaluate import evaluate, predict
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.optimisation import task_losses
from glasscortex.decoder.scores import session_scores
from glasscortex.decoder.train import shuffled_labels, train
from glasscortex.tasks import variables

SMALL = DecoderConfig.model_validate(
    {
        "model": {"dim": 32, "depth": 1, "heads": 2, "cell_dropout": 0.2},
        "train": {"epochs": 25, "batch": 16, "sessions_per_step": 2, "weight_decay": 0.01},
    }
)

QUICK = SMALL.model_copy(update={"train": SMALL.train.model_copy(update={"epochs": 5})})


def run(world, folder, model="trained", config=SMALL, **changes):
    _, trials, windows, _ = world
    arguments = {
        "trials": trials,
        "windows": windows,
        "folder": folder / model,
        "checkpoint": folder / "checkpoint.pt",
        "config": config,
        "tasks": "all",
        "model": model,
        "seed": 0,
    }
    train(**arguments | changes)
    return folder / model


@pytest.fixture(scope="module")
def trained(world, tmp_path_factory):
    return run(world, tmp_path_factory.mktemp("trained"))


def test_a_trained_decoder_reads_planted_tuning(world, trained, batches):
    trials = world[0]
    decoder = Decoder.load(trained)
    predictions = predict(decoder, batches, (trials["split"] == "test").to_numpy())
    for task, least in {"direction": 0.5, "movie_one": 0.5, "running_speed": 0.3}.items():
        assert session_scores(task, trials, predictions[task])["value"].min() > least


@pytest.mark.parametrize(("model", "seeds"), [("untrained", 12), ("shuffled", 4)])
def test_controls_are_at_chance(world, tmp_path, batches, model, seeds):
    trials = world[0]
    test = (trials["split"] == "test").to_numpy()
    scores = []
    for seed in range(seeds):
        decoder = Decoder.load(run(world, tmp_path / str(seed), model, QUICK, seed=seed))
        prediction = predict(decoder, batches, test)["direction"]
        scores.append(session_scores("direction", trials, prediction)["value"].mean())
    assert abs(np.mean(scores) - 1 / 8) < max(3 * np.std(scores) / np.sqrt(seeds), 0.03)


def test_the_folder_is_whole_and_the_checkpoint_gone(trained):
    assert {p.name for p in trained.iterdir()} == {
        "weights.safetensors",
        "decoder.json",
        "history.csv",
        "start.safetensors",
    }
    assert not (trained.parent / "checkpoint.pt").exists()
    history = pd.read_csv(trained / "history.csv")
    assert history["validation_loss"].iloc[-1] < history["validation_loss"].iloc[0]


KILLED = """
import os, signal, sys, pickle
from glasscortex.decoder import optimisation
from glasscortex.decoder.train import train
save = optimisation.Optimisation._save
def save_and_die(self):
    save(self)
    if self.epoch == 3:
        os.kill(os.getpid(), signal.SIGKILL)
optimisation.Optimisation._save = save_and_die
train(**pickle.load(sys.stdin.buffer))
"""


def test_a_killed_training_goes_on_and_ends_with_the_same_bytes(world, tmp_path):
    import pickle

    undisturbed = run(world, tmp_path / "undisturbed", config=QUICK)
    _, trials, windows, _ = world
    arguments = {
        "trials": trials,
        "windows": windows,
        "folder": tmp_path / "killed" / "trained",
        "checkpoint": tmp_path / "killed" / "checkpoint.pt",
        "config": QUICK,
        "tasks": "all",
        "model": "trained",
        "seed": 0,
    }
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], input=pickle.dumps(arguments), env=os.environ
    )
    assert killed.returncode == -signal.SIGKILL
    assert arguments["checkpoint"].exists() and not arguments["folder"].exists()
    train(**arguments)
    for name in ("weights.safetensors", "decoder.json", "history.csv"):
        assert (arguments["folder"] / name).read_bytes() == (undisturbed / name).read_bytes()


def test_a_checkpoint_of_other_settings_is_not_taken_up(world, tmp_path, caplog):
    short = SMALL.model_copy(update={"train": SMALL.train.model_copy(update={"epochs": 1})})
    torch.save({"identity": "another"}, tmp_path / "checkpoint.pt")
    with caplog.at_level("INFO"):
        run(world, tmp_path, config=short)
    assert "starting afresh" in caplog.text


def test_losses_are_means_over_labelled_windows(decoder, batch, batches):
    outputs = decoder(batch)
    losses = task_losses(outputs, batches.targets, batch)
    target = torch.from_numpy(batches.targets["direction"][batch.trials])
    torch.testing.assert_close(losses["direction"], cross_entropy(outputs["direction"], target))
    batches.targets["direction"][batch.trials[5:]] = -1
    losses = task_losses(outputs, batches.targets, batch)
    known = cross_entropy(outputs["direction"][:5], target[:5])
    torch.testing.assert_close(losses["direction"], known)


def test_shuffling_keeps_the_labels_of_each_session_stimulus_and_split(world):
    trials = world[0]
    shuffled = shuffled_labels(trials, seed=0)
    columns = variables("stimulus", "behaviour")
    test = trials["split"] == "test"
    pd.testing.assert_frame_equal(shuffled[test], trials[test])
    moved = ~test & trials["direction"].notna()
    assert (shuffled["direction"] == trials["direction"])[moved].mean() < 0.3
    for _, group in trials.groupby(["session_id", "stimulus", "split"]):
        ours = shuffled.loc[group.index, columns].sort_values(columns).to_numpy()
        np.testing.assert_array_equal(ours, group[columns].sort_values(columns).to_numpy())
    together = shuffled["orientation"] == shuffled["direction"] % 180
    assert together[shuffled["direction"].notna()].all()


def test_the_same_seed_gives_the_same_decoder(world, trained, tmp_path):
    again = run(world, tmp_path)
    for name in ("weights.safetensors", "decoder.json", "history.csv"):
        assert (again / name).read_bytes() == (trained / name).read_bytes()


def test_evaluation_writes_every_session_and_the_pool(world, trained, tmp_path):
    _, trials, windows, _ = world
    evaluate(
        decoder=trained,
        trials=trials,
        windows=windows,
        out=tmp_path / "decoding.csv",
        model="trained",
        seed=0,
        threads=1,
    )
    table = pd.read_csv(tmp_path / "decoding.csv")
    test = table[(table["split"] == "test") & (table["task"] == "direction")]
    assert set(test["session_id"]) == {"a", "b", "all"}
    accuracy = test[test["metric"] == "accuracy"].set_index("session_id")
    assert accuracy.loc["all", "value"] == pytest.approx(accuracy.loc[["a", "b"], "value"].mean())
    assert (accuracy["chance"] == 1 / 8).all()
    assert (test["ci_low"] <= test["value"]).all() and (test["value"] <= test["ci_high"]).all()

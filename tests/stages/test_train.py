import os
import pickle
import shutil
import signal
import subprocess
import sys

import pandas as pd
import pytest
import torch

from glasscortex.config import DecoderConfig
from glasscortex.decoder.model import Decoder
from glasscortex.errors import InputError
from glasscortex.stages.evaluate import evaluate
from glasscortex.stages.train import train

CONFIG = DecoderConfig.model_validate(
    {
        "model": {"dim": 32, "depth": 1, "heads": 2, "cell_dropout": 0.2},
        "train": {"epochs": 5, "batch": 16, "sessions_per_step": 2, "weight_decay": 0.01},
    }
)


def arguments(world, folder, **changes):
    _, trials, windows, _ = world
    return {
        "trials": trials,
        "windows": windows,
        "folder": folder / "trained",
        "checkpoint": folder / "checkpoint.pt",
        "config": CONFIG,
        "tasks": "all",
        "model": "trained",
        "seed": 0,
    } | changes


@pytest.fixture(scope="module")
def trained(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    train(**arguments(world, folder))
    return folder / "trained"


def test_the_folder_is_complete_and_the_checkpoint_gone(trained):
    files = {"weights.safetensors", "decoder.json", "history.csv", "start.safetensors"}
    assert {p.name for p in trained.iterdir()} == files | {f".{name}.sha256" for name in files}
    assert not list(trained.parent.glob("*checkpoint*"))
    history = pd.read_csv(trained / "history.csv")
    assert history.columns.tolist() == ["model", "seed", "epoch", "train_loss", "validation_loss"]
    assert history["epoch"].tolist() == [0, 1, 2, 3, 4, 5]


KILLED = """
import os, signal, sys, pickle
from glasscortex.decoder import optimisation
from glasscortex.stages.train import train
save = optimisation.Optimisation._save
def save_and_die(self):
    save(self)
    if self.epoch == 3:
        os.kill(os.getpid(), signal.SIGKILL)
optimisation.Optimisation._save = save_and_die
train(**pickle.load(sys.stdin.buffer))
"""


def test_a_killed_training_goes_on_and_ends_with_the_same_bytes(world, trained, tmp_path, caplog):
    given = arguments(world, tmp_path)
    program = [sys.executable, "-c", KILLED]
    killed = subprocess.run(program, input=pickle.dumps(given), env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    assert given["checkpoint"].exists() and not given["folder"].exists()
    with caplog.at_level("INFO"):
        train(**given)
    assert "going on after 3 epochs" in caplog.text
    for name in ("weights.safetensors", "decoder.json", "history.csv"):
        assert (given["folder"] / name).read_bytes() == (trained / name).read_bytes()


def short(**changes):
    return CONFIG.model_copy(
        update={"train": CONFIG.train.model_copy(update={"epochs": 1} | changes)}
    )


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file", b"\x80\x02N."])
def test_a_damaged_checkpoint_is_told_and_left(world, tmp_path, caplog, trained, content):
    (tmp_path / "checkpoint.pt").write_bytes(content)
    train(**arguments(world, tmp_path))
    assert "checkpoint.pt is damaged: starting afresh" in caplog.text
    for name in ("weights.safetensors", "decoder.json"):
        assert (tmp_path / "trained" / name).read_bytes() == (trained / name).read_bytes()


def test_a_checkpoint_of_other_settings_is_not_taken_up(world, tmp_path, caplog):
    torch.save({"identity": "another"}, tmp_path / "checkpoint.pt")
    with caplog.at_level("INFO"):
        train(**arguments(world, tmp_path, config=short()))
    assert "starting afresh" in caplog.text


def identity(monkeypatch, world, folder, **changes) -> str:
    """What the stage gives to the checkpoint of such a training."""
    seen = []
    monkeypatch.setattr(
        "glasscortex.decoder.train.train", lambda *given, **_: seen.append(given[-1]) or 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        train(**arguments(world, folder, **{"config": short()} | changes))
    return seen[0].identity


def test_a_checkpoint_belongs_to_its_settings_and_data(world, tmp_path, monkeypatch):
    trials, _, windows, _ = world
    own = identity(monkeypatch, world, tmp_path)
    assert identity(monkeypatch, world, tmp_path) == own
    assert identity(monkeypatch, world, tmp_path, config=short(checkpoint_minutes=60)) == own
    others = [{"seed": 1}, {"model": "shuffled"}, {"tasks": ("direction",)}]
    others.append({"config": short(clip=0.5)})
    found = {identity(monkeypatch, world, tmp_path, **changes) for changes in others}
    trials.iloc[:-1].to_parquet(tmp_path / "fewer.parquet")
    found.add(identity(monkeypatch, world, tmp_path, trials=tmp_path / "fewer.parquet"))
    (tmp_path / "windows").mkdir()
    for session in ("a", "b"):
        content = (windows / f"{session}.h5").read_bytes()
        (tmp_path / "windows" / f"{session}.h5").write_bytes(content + b" ")
    found.add(identity(monkeypatch, world, tmp_path, windows=tmp_path / "windows"))
    assert len(found | {own}) == 7


def test_evaluation_writes_the_scores_of_the_decoder(world, trained, tmp_path):
    _, trials, windows, _ = world
    out = {name: tmp_path / f"{name}.csv" for name in ("scores", "confusion")}
    files = {"decoder": trained, "trials": trials, "windows": windows}
    evaluate(**files, **out, model="m", seed=3, threads=1)
    table, confusion = (pd.read_csv(path) for path in out.values())
    assert table.columns.tolist()[:4] == ["model", "seed", "session_id", "task"]
    assert (table["model"] == "m").all() and (table["seed"] == 3).all()
    assert set(table["split"]) == {"validation", "test"}
    assert set(table["session_id"]) == {"a", "b", "all"}
    assert confusion.columns.tolist()[:4] == ["model", "seed", "session_id", "task"]
    assert set(confusion["session_id"]) == {"a", "b"}


@pytest.mark.parametrize("name", ["weights.safetensors", "decoder.json"])
def test_a_damaged_decoder_is_found(trained, tmp_path, name):
    folder = shutil.copytree(trained, tmp_path / "copy")
    content = bytearray((folder / name).read_bytes())
    content[-9] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name} is damaged or was changed"):
        Decoder.load(folder)

"""The engine of training: kills, faults, precision, and processes that share a step."""

import multiprocessing
import os
import random
import signal
from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from glasscortex.config import DecoderConfig, TrainConfig
from glasscortex.data.batches import Batches
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder import progress
from glasscortex.decoder import train as training
from glasscortex.decoder.checkpoint import Checkpoint
from glasscortex.decoder.devices import is_out_of_memory, on_devices, set_random_states
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.optimisation import Optimisation
from glasscortex.decoder.progress import Progress
from glasscortex.decoder.train import Training, train
from glasscortex.errors import InputError

KILLS = 10
STEPS = 8
"""In an epoch of the small world: 15 batches, two a step."""


def configured(dropout=0.2, **changes) -> DecoderConfig:
    model = {"dim": 16, "depth": 1, "heads": 2}
    model |= {"cell_dropout": dropout, "feature_dropout": dropout}
    settings = {"epochs": 3, "batch": 16, "sessions_per_step": 2, "checkpoint_minutes": 1e-9}
    return DecoderConfig.model_validate({"model": model, "train": settings | changes})


def arguments(world, folder, config, **changes) -> dict:
    trials, _, windows, _ = world
    given = {
        "trials": trials,
        "windows": WindowsFolder(windows),
        "config": config,
        "checkpoint": Checkpoint(folder / "checkpoint.pt"),
    }
    return given | changes


def run(world, folder, config, **changes) -> Training:
    return train(**arguments(world, folder, config, **changes))


def assert_same(training: Training, other: Training) -> None:
    weights = other.decoder.state_dict()
    for name, value in training.decoder.state_dict().items():
        assert torch.equal(value, weights[name]), name
    pd.testing.assert_frame_equal(training.history, other.history)


def train_until_killed(steps: int, given: dict) -> None:
    """Train, and die in the step after `steps` of them, before anything of it is saved."""
    step = Optimisation._step
    done = []

    def counted(self, *batches):
        if len(done) == steps:
            os.kill(os.getpid(), signal.SIGKILL)
        done.append(step(self, *batches))
        return done[-1]

    Optimisation._step = counted
    train(**given)


def steps_done(checkpoint, steps_per_epoch) -> int:
    state = torch.load(checkpoint, weights_only=True)
    return state["epoch"] * steps_per_epoch + len(state["losses"])


def test_training_killed_at_random_steps_ends_the_same(world, tmp_path, caplog):
    undisturbed = run(world, tmp_path / "undisturbed", configured())
    killed = arguments(world, tmp_path / "killed", configured())
    rng = random.Random(0)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["glasscortex.decoder.train", "lightning_fabric"])
    done = 0
    for _ in range(KILLS):
        steps = rng.randint(1, 3)
        life = context.Process(target=train_until_killed, args=(steps, killed))
        life.start()
        life.join()
        assert life.exitcode == -signal.SIGKILL
        done += steps
        assert steps_done(killed["checkpoint"].path, STEPS) == done
    # how often a checkpoint is kept is no part of the result
    with caplog.at_level("INFO"):
        resumed = train(**killed | {"config": configured(checkpoint_minutes=60)})
    assert f"going on after {done // STEPS} epochs and {done % STEPS} steps" in caplog.text
    assert_same(resumed, undisturbed)


@pytest.mark.parametrize(("architecture", "slowed"), [("glasscortex", 0.25), ("poyo_plus", 1)])
def test_epochs_are_taken_back_where_there_is_a_start_to_lose(
    world, tmp_path, monkeypatch, architecture, slowed
):
    """From random weights a loss that waits on its first plateau would stop all steps."""
    losses, rates = iter((0.0, 1.0, 2.0)), []
    monkeypatch.setattr(Optimisation, "_validation_loss", lambda self: next(losses))
    monkeypatch.setattr(Optimisation, "_save", lambda self: rates.append(self.schedule.base_lrs[1]))
    peer = {"dim": 8, "depth": 1, "heads": 1, "head_dim": 8, "latents_per_step": 1}
    config = configured(epochs=2, learning_rate=1e-3).model_dump()
    config |= {"architecture": architecture, "poyo_plus": peer}
    run(world, tmp_path, DecoderConfig.model_validate(config))
    assert rates[-1] == pytest.approx(slowed * 1e-3)


def test_without_a_checkpoint_training_ends_the_same(world, tmp_path):
    kept = run(world, tmp_path, configured())
    assert_same(run(world, tmp_path, configured(), checkpoint=None), kept)


def test_a_checkpoint_within_an_epoch_waits_for_its_minutes(world, tmp_path, monkeypatch):
    saved = []
    save = Optimisation._save
    monkeypatch.setattr(Optimisation, "_save", lambda o: (saved.append(len(o.losses)), save(o)))
    run(world, tmp_path / "seldom", configured(checkpoint_minutes=60))
    assert saved == [0, 0, 0]
    saved.clear()
    run(world, tmp_path / "often", configured())
    assert saved == [*range(1, STEPS + 1), 0] * 3


@pytest.mark.parametrize("fault", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_told_and_the_last_good_checkpoint_kept(
    world, tmp_path, monkeypatch, fault
):
    given = arguments(world, tmp_path, configured())
    loss, calls = Optimisation._loss, []

    def broken(self, batch):
        if self.decoder.training:
            calls.append(batch.session_id)
        return loss(self, batch) * (fault if len(calls) == 8 else 1)

    monkeypatch.setattr(Optimisation, "_loss", broken)
    with pytest.raises(InputError) as told:
        train(**given)
    message = str(told.value)
    assert f"epoch 1, step 4, session {calls[-1]}:" in message
    assert "learning_rate" in message and f"{given['checkpoint']} keeps" in message
    state = torch.load(given["checkpoint"].path, weights_only=True)
    assert len(state["losses"]) == 3
    assert all(value.isfinite().all() for value in state["weights"].values())


def test_a_gradient_that_is_no_number_is_told_before_the_weights_take_it(
    world, tmp_path, monkeypatch
):
    def poisoned(self, batch, loss=Optimisation._loss):
        value = loss(self, batch)
        if self.decoder.training:
            value.register_hook(lambda gradient: gradient * float("nan"))
        return value

    monkeypatch.setattr(Optimisation, "_loss", poisoned)
    with pytest.raises(InputError, match=r"epoch 1, step 1, session \w.*there is no checkpoint"):
        train(**arguments(world, tmp_path, configured()))


def test_windows_that_are_no_numbers_name_their_session(world, tmp_path):
    trials, path, windows, _ = world
    for session in ("a", "b"):
        (tmp_path / f"{session}.h5").write_bytes((windows / f"{session}.h5").read_bytes())
    bad = trials.index[(trials["session_id"] == "b") & (trials["split"] == "validation")][0]
    with h5py.File(tmp_path / "b.h5", "r+") as file:
        file[trials.loc[bad, "stimulus"]][trials.loc[bad, "presentation"], 3, 2] = np.nan
    with pytest.raises(InputError, match="windows of session b hold values that are no numbers"):
        run((trials, path, tmp_path, None), tmp_path, configured())


def test_running_out_of_memory_is_told(world, tmp_path, monkeypatch):
    encode, calls = Decoder.encode, []

    def greedy(self, batch):
        if self.training:
            calls.append(batch.session_id)
        if len(calls) == 6:
            torch.empty(2**60)
        return encode(self, batch)

    given = arguments(world, tmp_path, configured())
    monkeypatch.setattr(Decoder, "encode", greedy)
    with pytest.raises(
        InputError, match=r"epoch 1, step 3, session .*12 cells.*decoder.train.batch"
    ):
        train(**given)
    assert len(torch.load(given["checkpoint"].path, weights_only=True)["losses"]) == 2


def test_running_out_of_memory_while_reading_is_told(world, tmp_path, monkeypatch):
    def greedy(self, piece):
        raise MemoryError

    monkeypatch.setattr(Batches, "_batch", greedy)
    for name in ("start", "calibrate"):
        monkeypatch.setattr(training, name, lambda decoder, batches, *given, **named: None)
    with pytest.raises(InputError, match="memory ran out in epoch 1, step 1"):
        train(**arguments(world, tmp_path, configured()))


def test_running_out_of_memory_before_the_first_step_is_told(world, tmp_path, monkeypatch):
    def greedy(self, piece):
        raise MemoryError

    monkeypatch.setattr(Batches, "_batch", greedy)
    with pytest.raises(InputError, match="memory ran out before the first step: lower"):
        train(**arguments(world, tmp_path, configured()))


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory")])
def test_every_kind_of_running_out_of_memory_is_known(error):
    assert is_out_of_memory(error)
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_two_processes_learn_what_one_learns(world, tmp_path):
    one = run(world, tmp_path / "one", configured(dropout=0.0))
    two = run(world, tmp_path / "two", configured(dropout=0.0, accelerator="cpu", devices=2))
    weights = two.decoder.state_dict()
    for name, value in one.decoder.state_dict().items():
        torch.testing.assert_close(weights[name], value, rtol=0, atol=1e-5, msg=name)
    pd.testing.assert_frame_equal(one.history, two.history, rtol=1e-5)


def test_a_fault_in_one_of_two_processes_ends_both_with_its_message(world, tmp_path):
    config = configured(devices=2, accelerator="cpu", learning_rate=1e30)
    with pytest.raises(InputError, match=r"^the loss or its gradient is .*checkpoint$"):
        train(**arguments(world, tmp_path, config))


def test_every_process_takes_up_its_own_random_numbers():
    states, drawn = [], []
    for seed in (1, 2):
        torch.manual_seed(seed)
        states.append(torch.get_rng_state())
        drawn.append(torch.rand(3).tolist())
    for rank in (0, 1):
        process = SimpleNamespace(global_rank=rank, device=torch.device("cpu"))
        set_random_states(process, {"cpu": torch.stack(states)})
        assert torch.rand(3).tolist() == drawn[rank]


def test_a_device_without_a_batch_is_refused():
    with pytest.raises(ValidationError, match="raise sessions_per_step"):
        TrainConfig(devices=2, sessions_per_step=1)


def test_missing_gpus_are_told(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for accelerator in ("gpu", "auto"):
        config = TrainConfig(devices=2, sessions_per_step=2, accelerator=accelerator)
        with pytest.raises(InputError, match="needs 2 GPUs and there are 1"):
            on_devices(config, print, torch.nn.Linear(1, 1))


def test_bf16_learns_with_weights_in_32_bits(world, tmp_path):
    half = run(world, tmp_path, configured(precision="bf16", epochs=6), checkpoint=None)
    weights = half.decoder.state_dict()
    assert {value.dtype for value in weights.values()} == {torch.float32}
    loss = half.history["validation_loss"]
    assert loss.iloc[-1] < loss.iloc[0]
    exact = run(world, tmp_path, configured(epochs=6), checkpoint=None).decoder.state_dict()
    assert any((weights[name] != exact[name]).any() for name in weights)


def test_a_log_gets_a_line_with_loss_speed_and_time_left(caplog, monkeypatch):
    clock = iter([0.0, 30.0, 90.0, 100.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with caplog.at_level("INFO"), Progress(total=10_000, done=1_000, show=True) as shown:
        for _ in range(3):
            shown.add(450, epoch=2, loss=0.25)
    assert [record.getMessage() for record in caplog.records] == [
        "epoch 2: loss 0.2500, 10 windows/s, at most 14 min left"
    ]


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with Progress(total=100, done=20, show=True) as shown:
        shown.add(80, epoch=3, loss=0.5)
    bar = capsys.readouterr().err
    assert "100/100" in bar and "loss=0.5000" in bar and "window/s" in bar

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn.functional import cross_entropy

from glasscortex.config import DecoderConfig
from glasscortex.data.windows import ArrayWindows, SessionWindows, WindowsFolder
from glasscortex.decoder.evaluate import evaluate, predict
from glasscortex.decoder.optimisation import task_losses
from glasscortex.decoder.scores import session_scores
from glasscortex.decoder.train import shuffled_labels, train
from glasscortex.tasks import ALLEN, label_column

SMALL = DecoderConfig.model_validate(
    {
        "model": {"dim": 32, "depth": 1, "heads": 2, "cell_dropout": 0.2},
        "train": {"epochs": 25, "batch": 16, "sessions_per_step": 2, "weight_decay": 0.01},
    }
)

QUICK = SMALL.model_copy(update={"train": SMALL.train.model_copy(update={"epochs": 5})})


def run(world, model="trained", config=SMALL, **changes):
    trials, _, windows, _ = world
    return train(trials, WindowsFolder(windows), config, model=model, **changes)


@pytest.fixture(scope="module")
def trained(world):
    return run(world)


def test_a_trained_decoder_reads_planted_tuning(world, trained, batches):
    trials = world[0]
    predictions = predict(trained.decoder, batches, (trials["split"] == "test").to_numpy())
    for task, least in {"direction": 0.5, "movie_one": 0.5, "running_speed": 0.3}.items():
        assert session_scores(task, trials, predictions[task])["value"].min() > least


def test_validation_loss_falls(trained):
    loss = trained.history["validation_loss"]
    assert loss.iloc[-1] < loss.iloc[0]


@pytest.mark.parametrize(("model", "seeds"), [("untrained", 12), ("shuffled", 4)])
def test_controls_are_at_chance(world, batches, model, seeds):
    trials = world[0]
    test = (trials["split"] == "test").to_numpy()
    scores = []
    for seed in range(seeds):
        decoder = run(world, model, QUICK, seed=seed).decoder
        prediction = predict(decoder, batches, test)["direction"]
        scores.append(session_scores("direction", trials, prediction)["value"].mean())
    assert abs(np.mean(scores) - 1 / 8) < max(3 * np.std(scores) / np.sqrt(seeds), 0.03)


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
    columns = [label_column(task) for task in ALLEN.tasks]
    test = trials["split"] == "test"
    pd.testing.assert_frame_equal(shuffled[test], trials[test])
    moved = ~test & trials["label_direction"].notna()
    assert (shuffled["label_direction"] == trials["label_direction"])[moved].mean() < 0.3
    for _, group in trials.groupby(["session_id", "stimulus", "split"]):
        ours = shuffled.loc[group.index, columns].sort_values(columns).to_numpy()
        np.testing.assert_array_equal(ours, group[columns].sort_values(columns).to_numpy())
    together = shuffled["label_orientation"] == shuffled["label_direction"] % 180
    assert together[shuffled["label_direction"].notna()].all()


def test_the_same_seed_gives_the_same_decoder(world, trained):
    again = run(world)
    ours, theirs = (training.decoder.state_dict() for training in (again, trained))
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():
        assert torch.equal(weight, theirs[name]), name
    pd.testing.assert_frame_equal(again.history, trained.history)


def test_controls_have_no_history(world):
    for model in ("untrained", "start"):
        assert run(world, model).history.empty


def test_a_decoder_is_trained_from_arrays(world, trained):
    """As in a notebook: no file is read or written."""
    trials, _, windows, _ = world
    arrays = {}
    for session in ("a", "b"):
        reader = SessionWindows(windows / f"{session}.h5")
        rows = {name: np.arange(shape[0]) for name, shape in reader.shapes.items()}
        values = {name: reader.read(name, rows[name]) for name in rows}
        arrays[session] = ArrayWindows(session, reader.cells, values, reader.sample_rate_hz)
    ours = train(trials, arrays, SMALL).decoder.state_dict()
    for name, weight in trained.decoder.state_dict().items():
        assert torch.equal(ours[name], weight), name


def test_evaluation_scores_every_session_and_the_pool(world, trained):
    trials, _, windows, _ = world
    table = evaluate(trained.decoder, trials, WindowsFolder(windows))
    test = table[(table["split"] == "test") & (table["task"] == "direction")]
    assert set(test["session_id"]) == {"a", "b", "all"}
    accuracy = test[test["metric"] == "accuracy"].set_index("session_id")
    assert accuracy.loc["all", "value"] == pytest.approx(accuracy.loc[["a", "b"], "value"].mean())
    assert (accuracy["chance"] == 1 / 8).all()
    assert (test["ci_low"] <= test["value"]).all() and (test["value"] <= test["ci_high"]).all()

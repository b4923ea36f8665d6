"""What no decoder may read: shuffled labels, shifted traces, cells that changed places."""

import h5py
import numpy as np
import pandas as pd
import pytest

from glasscortex.config import BaselineConfig, DecoderConfig
from glasscortex.data.windows import SessionWindows, WindowsFolder
from glasscortex.decoder.baselines import baselines
from glasscortex.decoder.evaluate import evaluate
from glasscortex.decoder.train import shuffled_labels, train

BASELINES = ("linear", "lda", "mlp", "template")
CHANCE, TEST = 1 / 8, 80
"""Score of a guess, and test presentations of gratings in the small world."""

DECODER = DecoderConfig.model_validate(
    {
        "model": {"dim": 32, "depth": 1, "heads": 2, "cell_dropout": 0.2},
        "train": {"epochs": 8, "batch": 16, "sessions_per_step": 2, "weight_decay": 0.01},
    }
)


def test_chance_is_told_from_decoding():
    assert CHANCE + 4 * np.sqrt(CHANCE * (1 - CHANCE) / TEST) < 0.3


def decodes(accuracy: float) -> bool:
    """Whether the accuracy is farther from chance than four standard errors of one test."""
    return accuracy > 0.3


def altered(world, folder, change):
    """The small world with `change(values, rows of the trials)` in place of its windows."""
    trials, _, windows, cells = world
    folder.mkdir()
    for session in cells:
        reader = SessionWindows(windows / f"{session}.h5")
        with h5py.File(folder / f"{session}.h5", "w") as file:
            file.attrs.update(
                session_id=session,
                cells=np.array(reader.cells, dtype="S"),
                sample_rate_hz=reader.sample_rate_hz,
            )
            for stimulus in reader.shapes:
                rows = trials[(trials["session_id"] == session) & (trials["stimulus"] == stimulus)]
                values = reader.read(stimulus, np.arange(len(rows)))
                file[stimulus] = change(values, rows).astype(np.float32)
    return folder


def shifted(by: int):
    """Every window takes the place of one that was shown some presentations later."""
    return lambda values, rows: np.roll(values, by, axis=0)


def with_cells_permuted(seed: int):
    """In the test split each cell's window is another cell's.

    Every presentation has a permutation of its own: one for all would be far above chance, or
    below, as luck has it.
    """
    rng = np.random.default_rng(seed)

    def change(values, rows):
        for row in np.flatnonzero(rows["split"] == "test"):
            values[row] = rng.permutation(values[row])
        return values

    return change


def accuracy_of(table: pd.DataFrame) -> float:
    rows = table[(table["task"] == "direction") & (table["metric"] == "accuracy")]
    return rows.loc[(rows["session_id"] == "all") & (rows["split"] == "test"), "value"].item()


def accuracy_of_baseline(model, trials, windows) -> float:
    config = BaselineConfig(inverse_regularisation=(0.01, 0.1), shrinkage=(0.3, 0.7))
    return accuracy_of(baselines(trials, WindowsFolder(windows), model, config, ("direction",)))


@pytest.mark.parametrize("model", BASELINES)
def test_baselines_read_none_of_the_nulls(world, tmp_path, model):
    trials, _, windows, _ = world
    assert decodes(accuracy_of_baseline(model, trials, windows))
    found = {"shuffled": [], "shifted": [], "permuted": []}
    for seed in range(4):
        moved = altered(world, tmp_path / f"moved{seed}", shifted(17 + 20 * seed))
        permuted = altered(world, tmp_path / f"permuted{seed}", with_cells_permuted(seed))
        inputs = {
            "shuffled": (shuffled_labels(trials, seed), windows),
            "shifted": (trials, moved),
            "permuted": (trials, permuted),
        }
        for null, given in inputs.items():
            found[null].append(accuracy_of_baseline(model, *given))
    for null, accuracies in found.items():
        assert np.mean(accuracies) == pytest.approx(CHANCE, abs=0.075), null


def scored(trials, trained_on, tested_on, model="trained") -> float:
    """Accuracy of a transformer trained and tested on the given windows."""
    result = train(trials, WindowsFolder(trained_on), DECODER, ("direction",), model)
    return accuracy_of(evaluate(result.decoder, trials, WindowsFolder(tested_on)))


def test_the_transformer_reads_none_of_the_nulls(world, tmp_path):
    trials, _, windows, _ = world
    moved = altered(world, tmp_path / "moved", shifted(17))
    permuted = altered(world, tmp_path / "permuted", with_cells_permuted(0))
    assert decodes(scored(trials, windows, windows))
    assert not decodes(scored(trials, windows, windows, "shuffled"))
    assert not decodes(scored(trials, moved, moved))
    assert not decodes(scored(trials, windows, moved))
    assert not decodes(scored(trials, windows, permuted))

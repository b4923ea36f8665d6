"""Windows that no task asks anything of: recorded as all are, and never decoded."""

import numpy as np
import pandas as pd
import pytest
import torch

from glasscortex.analysis.bench import Bench, Condition, evenly
from glasscortex.analysis.input_attribution import drives
from glasscortex.analysis.output_effects import effects
from glasscortex.config import ModelConfig, PoyoPlusConfig
from glasscortex.data.batches import Batches
from glasscortex.data.vocabulary import Vocabulary
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.evaluate import predict
from glasscortex.decoder.model import Decoder
from glasscortex.dictionaries import TopK
from glasscortex.dictionaries.activations import RecordedTokens, write_activations
from glasscortex.dictionaries.splice import spliced_scores
from glasscortex.words import SPLITS
from tests.conftest import RATE

ARCHITECTURES = {
    "glasscortex": ModelConfig(dim=16, depth=1, heads=2),
    "poyo_plus": PoyoPlusConfig(
        dim=16, depth=1, heads=2, cross_heads=2, head_dim=8, latents_per_step=2
    ),
}

HOOKS = ("latents.1", "readout")

pytestmark = pytest.mark.parametrize("architecture", ARCHITECTURES)


@pytest.fixture
def decoder(architecture, world, samples):
    """It decodes gratings alone; session b shows a movie, too."""
    torch.manual_seed(0)
    vocabulary = Vocabulary.of(world[0], world[3], samples, ("direction",))
    return Decoder(ARCHITECTURES[architecture], vocabulary, RATE).eval()


@pytest.fixture
def batches(decoder, world):
    return Batches(WindowsFolder(world[2]), world[0], decoder.vocabulary, 32)


@pytest.fixture
def movie(world):
    return (world[0]["stimulus"] == "natural_movie_one").to_numpy()


@pytest.fixture
def dictionary(hook):
    axes = TopK(width=32, k=16, hook=hook).build(16).requires_grad_(False)
    axes.W_dec.copy_(torch.cat([torch.eye(16), -torch.eye(16)]))
    axes.W_enc.copy_(axes.W_dec.T)
    return axes


def test_nothing_is_predicted_of_them(decoder, batches, movie):
    assert decoder(next(batches.ordered(movie))) == {}
    predicted = predict(decoder, batches, np.ones(len(movie), bool))["direction"]["value"]
    np.testing.assert_array_equal(np.isnan(predicted), movie)


def test_they_are_no_work_for_predictions(decoder, batches, movie, monkeypatch):
    monkeypatch.setattr(decoder, "until", lambda hook, batch: pytest.fail("was decoded"))
    assert np.isnan(predict(decoder, batches, movie)["direction"]["value"]).all()


def test_latents_are_recorded_of_all_and_queries_of_what_is_asked(
    decoder, batches, movie, tmp_path
):
    for hook in HOOKS:
        write_activations(tmp_path / hook, decoder, batches, hook)
        blocks = [b for s in SPLITS for b in RecordedTokens(tmp_path / hook, s).blocks()]
        trials = np.unique(np.concatenate([block.trial for block in blocks]))
        shown = ~movie if hook == "readout" else np.ones(len(movie), bool)
        np.testing.assert_array_equal(trials, np.flatnonzero(shown))


@pytest.mark.parametrize("hook", HOOKS)
def test_splicing_and_removal_score_the_others(decoder, dictionary, batches, world, hook):
    mice = pd.Series({session: session for session in world[0]["session_id"]})
    table = spliced_scores(decoder, dictionary, batches, mice, 0.1, [0])
    spliced = table.set_index("condition")["delta"]
    assert abs(spliced["spliced"]) < 1e-6
    windows = WindowsFolder(world[2])
    bench = Bench(decoder, dictionary, world[0], windows, np.zeros(32), 200, seed=0)
    removed = bench.scores("test", [Condition("direction", "resample", (0, 3))])
    assert removed[["session_id", "task"]].to_numpy().tolist() == [
        ["a", "direction"],
        ["b", "direction"],
    ]


@pytest.mark.parametrize("hook", HOOKS)
def test_units_are_attributed_to_the_cells_of_what_has_tokens(
    decoder, dictionary, batches, world, hook
):
    mask = evenly(world[0], 8)
    table = effects(decoder, dictionary, hook, batches, mask)
    assert set(table["task"]) == {"direction"} and np.isfinite(table["sd"]).all()
    found = pd.DataFrame(
        (drive.stimulus, np.isfinite(drive.attribution).all())
        for drive in drives(decoder, dictionary, hook, batches, mask, 2, 2)
    )
    assert found[1].all()
    assert ("natural_movie_one" in set(found[0])) == (hook != "readout")

"""What a reconstruction changes in the decoder, what its outputs read, and fitting to both."""

from itertools import islice

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.stats import entropy

from glasscortex.data.batches import Batches
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.hooks import activations, replacing
from glasscortex.dictionaries import BatchTopK, Decoding, Readout, Threshold, TopK, Transcoder
from glasscortex.dictionaries.decoding import TEMPERATURE, divergence, unexplained
from glasscortex.dictionaries.fit import DivergenceError
from glasscortex.dictionaries.tokens import ArrayTokens
from glasscortex.errors import InputError
from tests.analysis.linear import disturbed

HOOKS = ("latents.0", "attention.0", "mlp.1", "latents.2", "readout")
SMALL = {"width": 40, "k": 3, "steps": 150, "learning_rate": 1e-2, "hook": "latents.2"}


@pytest.fixture
def make(world, decoder):
    """A function that makes the decoding at a hook, on the training windows."""
    trials, _, windows, _ = world
    disturbed(decoder, 0.2).requires_grad_(False)
    batches = Batches(WindowsFolder(windows), trials, decoder.vocabulary, size=32)
    return lambda hook: Decoding(decoder, hook, batches, (trials["split"] == "train").to_numpy())


@pytest.fixture
def decoding(make):
    return make("latents.2")


@pytest.fixture
def recorded(decoding):
    """(tokens, dim): what passes the hook on all training windows."""
    with torch.no_grad():
        return torch.cat(
            [
                activations(decoding.decoder, decoding.hook, batch).flatten(0, 1)
                for batch in decoding.batches.ordered(decoding.mask)
            ]
        )


def passage_of(decoding, stimulus="drifting_gratings"):
    passages = decoding.passages(np.random.default_rng(0))
    return next(p for p in passages if p.batch.stimulus == stimulus)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_perfect_reconstruction_changes_nothing_and_another_does(make, hook):
    decoding = make(hook)
    passage = passage_of(decoding)
    same = decoding.changes(passage, passage.x.flatten(0, 1))
    assert {name: abs(term.item()) < 1e-5 for name, term in same.items()} == dict.fromkeys(
        ("decoding", "downstream"), True
    )
    other = decoding.changes(passage, 0 * passage.x.flatten(0, 1))
    assert other["decoding"] > 0.001
    assert (other["downstream"] > 0.001) == (hook != "readout")


def test_a_passage_holds_what_the_decoder_does(decoding):
    passage = passage_of(decoding, "natural_movie_one")
    with torch.no_grad():
        for task, output in decoding.decoder(passage.batch).items():
            torch.testing.assert_close(passage.outputs[task], output)
        torch.testing.assert_close(
            passage.x, activations(decoding.decoder, "latents.2", passage.batch)
        )


@pytest.mark.parametrize(
    ("hook", "later"),
    [
        ("latents.0", {"latents.1", "latents.2", "readout"}),
        ("attention.0", {"latents.1", "latents.2", "readout"}),
        ("mlp.1", {"latents.2", "readout"}),
        ("latents.2", {"readout"}),
        ("readout", set()),
    ],
)
def test_later_hooks_are_those_that_follow(make, hook, later):
    assert set(passage_of(make(hook)).later) == later


def test_every_training_window_comes_once_before_any_comes_again(decoding):
    train = np.flatnonzero(decoding.mask)
    seen, passages = [], decoding.passages(np.random.default_rng(1))
    while len(seen) < 2 * len(train):
        seen += next(passages).batch.trials.tolist()
    assert sorted(seen[: len(train)]) == sorted(seen[len(train) :]) == train.tolist()


def test_the_divergence_is_scipys_at_the_temperature_over_the_logarithm_of_the_classes_shown():
    generator = torch.Generator().manual_seed(0)
    intact, spliced = torch.randn(2, 30, 5, generator=generator)
    intact[:, 3] = spliced[:, 3] = -torch.inf
    p, q = (F.softmax(x / TEMPERATURE, 1).numpy() for x in (intact, spliced))
    p, q = (np.delete(x, 3, 1) for x in (p, q))
    expected = TEMPERATURE**2 * entropy(p, q, axis=1).mean() / np.log(4)
    assert divergence(intact, spliced).item() == pytest.approx(expected, rel=1e-5)
    sure, unsure = torch.tensor([[50.0 * TEMPERATURE, 0.0, 0.0]]), torch.zeros(1, 3)
    assert divergence(sure, unsure).item() == pytest.approx(TEMPERATURE**2)
    only = torch.tensor([[1.0, -torch.inf]])
    assert divergence(only, only - 3).item() == pytest.approx(0, abs=1e-7)
    assert divergence(torch.ones(4, 1), torch.full((4, 1), 3.0)).item() == 4


def test_nothing_but_the_mean_leaves_all_unexplained():
    x = torch.randn(6, 3, 4, generator=torch.Generator().manual_seed(0))
    x = x - x.mean((0, 1))
    assert unexplained(x, torch.zeros_like(x)).item() == pytest.approx(1)
    assert unexplained(x, 0.5 * x).item() == pytest.approx(0.25)


@pytest.mark.parametrize("hook", ["latents.0", "latents.2"])
def test_directions_are_those_that_move_outputs_most(make, hook):
    """Against finite differences, for one task of one stimulus."""
    decoding = make(hook)
    decoder, passage = decoding.decoder, passage_of(decoding)
    some = passage.batch
    some.values, some.trials = some.values[:16], some.trials[:16]
    mask = np.isin(np.arange(len(decoding.mask)), some.trials)
    found = Decoding(decoder, hook, decoding.batches, mask).directions()

    def mean_logits(move):
        with torch.no_grad(), replacing(decoder, hook, lambda x: x + move):
            logits = decoder(some)["direction"]
        return logits.mean(0) - logits.mean()

    axes = 0.01 * torch.eye(16)
    slopes = torch.stack([(mean_logits(axis) - mean_logits(-axis)) / 0.02 for axis in axes], 1)
    torch.testing.assert_close(found[:8], F.normalize(slopes, dim=1), atol=2e-3, rtol=0)


def test_there_is_a_direction_a_class_and_two_a_value(decoding):
    found = decoding.directions()
    tasks = decoding.decoder.vocabulary.tasks.values()
    assert len(found) == sum(len(head.classes or "+-") for head in tasks)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(len(found)))
    assert ((found @ found.T + 1).abs() < 1e-6).any(1).sum() >= 2


def test_the_readout_basis_is_fitted_to_them(decoding, recorded):
    basis = Readout(hook="latents.2").fit(recorded, decoding)
    cosines = F.normalize(basis.W_enc.T, dim=1) @ decoding.directions().T
    torch.testing.assert_close(cosines.diagonal(), torch.ones(basis.d_sae))


def test_units_start_at_what_outputs_read_with_the_pattern_of_each(decoding, recorded):
    sae = Threshold(k=3)
    tokens = ArrayTokens(recorded)
    sae.initialise(tokens, iter([recorded]), decoding, np.random.default_rng(0))
    directions = decoding.directions()
    assert sae.d_sae == sae.settings.width == len(directions)
    z = sae.scaled(recorded)
    p = sae.preactivations(z)
    torch.testing.assert_close(p.std(0, correction=0), torch.ones(sae.d_sae), atol=1e-3, rtol=0)
    pattern = (z - z.mean(0)).T @ p / len(z)
    torch.testing.assert_close(sae.W_dec, F.normalize(pattern.T, dim=1), atol=1e-3, rtol=0)


def test_more_units_than_outputs_start_at_activations(decoding, recorded):
    sae = Threshold(**SMALL | {"width": 60}).fit(recorded, decoding)
    assert sae.d_sae == 60 and sae.W_dec.isfinite().all()


@pytest.mark.parametrize("kind", [Threshold, TopK, BatchTopK])
def test_an_end_to_end_fit_keeps_more_of_decoding_than_reconstruction(kind, decoding, recorded):
    """With as many active units; and it leaves the decoder as it is."""
    before = {name: t.clone() for name, t in decoding.decoder.state_dict().items()}
    lost = {}
    for decoded in (0.0, 1.0):
        objective = {"reconstruction": 1 - 0.99 * decoded, "decoding": decoded, "windows": 32}
        sae = kind(**SMALL | {"steps": 400}, objective=objective).fit(recorded, decoding)
        terms = ["decoding"] if decoded else []
        assert [name for name in sae.history_ if name in ("decoding", "downstream")] == terms
        changes = [
            decoding.changes(passage, sae.splice(passage.x.flatten(0, 1)))["decoding"].item()
            for passage in islice(decoding.passages(np.random.default_rng(5)), 6)
        ]
        lost[decoded] = np.mean(changes)
    assert lost[1.0] < 0.9 * lost[0.0]
    for name, tensor in decoding.decoder.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_the_loss_is_the_sum_of_the_terms_that_have_a_weight(decoding, recorded):
    weights = {"reconstruction": 0, "decoding": 2, "downstream": 0.5}
    history = TopK(**SMALL | {"steps": 5}, objective=weights).fit(recorded, decoding).history_
    assert list(history)[2:] == ["decoding", "downstream", "dead_fraction"]


@pytest.mark.parametrize("seed", range(6))
def test_a_short_fit_does_not_diverge_whatever_its_last_batch_shows(decoding, recorded, seed):
    settings = SMALL | {"steps": 4, "learning_rate": 1e-3}
    sae = Threshold(**settings, seed=seed, objective={"decoding": 5, "windows": 8})
    assert len(sae.fit(recorded, decoding).history_) == 4


def test_an_end_to_end_fit_that_diverges_is_an_error(decoding, recorded):
    settings = SMALL | {"steps": 30, "learning_rate": 100}
    with pytest.raises(DivergenceError, match=r"learning_rate 100 is too high: .* it began with"):
        Threshold(**settings).fit(recorded, decoding)


def test_k_units_a_token_are_active_on_average(decoding, recorded):
    sae = Threshold(**SMALL | {"steps": 300}).fit(recorded, decoding)
    assert (sae.encode(recorded) > 0).sum(1).float().mean().item() == pytest.approx(3, abs=0.5)


def test_the_threshold_rises_where_too_many_units_are_active(tokens):
    sae = Threshold(width=12, k=3, start="activations", objective={}, steps=1, batch=50)
    sae.fit(tokens()).train()
    z = sae.scaled(tokens(seed=2))
    for before, rises in ((0.1, True), (2.0, False)):
        sae.threshold.fill_(before)
        codes = sae.codes(z)
        active = (sae.preactivations(z) >= before).sum(1).float().mean()
        assert (active > 3) == rises
        expected = before * np.exp(0.02 * (active.item() / 3 - 1))
        assert sae.threshold.item() == pytest.approx(expected, rel=1e-5)
        assert ((codes > 0) == (sae.preactivations(z) >= sae.threshold)).all()


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        (Threshold, {}, "threshold: start or objective asks for the decoder"),
        (TopK, {"width": 8, "k": 2, "objective": {"decoding": 1}}, "topk: .* asks for the decoder"),
        (Readout, {}, "readout: .* asks for the decoder"),
    ],
)  # fmt: skip
def test_without_a_decoder_what_needs_it_is_an_error(kind, settings, words, recorded):
    with pytest.raises(InputError, match=words):
        kind(**settings).fit(recorded)


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        (Threshold, {"start": "activations"}, "width is null: give the number of units, or start"),
        (Threshold, {"objective": {"reconstruction": 0}}, "all weights are 0: give one of them"),
        (Threshold, {"width": 3, "k": 5}, "k is 5, larger than width 3: lower k"),
        (Transcoder, {"objective": {"decoding": 1}}, "only reconstruction can be lowered"),
    ],
)
def test_settings_that_contradict_each_other_are_an_error(kind, settings, words, recorded):
    with pytest.raises(InputError, match=words):
        kind(**settings).fit(recorded)


def test_fewer_units_than_outputs_are_an_error(decoding, recorded):
    n = len(decoding.directions())
    with pytest.raises(InputError, match=f"width 9 is less than the {n} outputs of the decoder"):
        Threshold(width=9).fit(recorded, decoding)

import numpy as np
import pytest
import torch
from sklearn.metrics import r2_score

from glasscortex.dictionaries import BatchTopK, TopK
from glasscortex.dictionaries.activations import RecordedTokens
from glasscortex.dictionaries.evaluate import metrics, reconstruction
from glasscortex.dictionaries.fit import DivergenceError, schedule
from glasscortex.dictionaries.tokens import ArrayTokens

ATOMS, DIM = 32, 16
SETTINGS = {"width": 2 * ATOMS, "k": 2, "steps": 800, "batch": 256, "learning_rate": 3e-3}


def tokens_of(planted, split):
    return torch.cat([block.x for block in RecordedTokens(planted, split).blocks()])


@pytest.fixture(scope="module")
def fitted(planted):
    return TopK(hook="latents.1", **SETTINGS).fit(RecordedTokens(planted, "train"))


def test_a_planted_dictionary_is_recovered(planted_dictionary, fitted):
    assert (planted_dictionary @ fitted.W_dec.T).max(1).values.mean() > 0.95


def test_an_array_and_its_recording_give_the_same_dictionary(planted):
    x = tokens_of(planted, "train")
    settings = SETTINGS | {"steps": 20}
    recorded = TopK(**settings).fit(RecordedTokens(planted, "train"))
    for array in (x, x.numpy(), x.double().numpy()):
        assert torch.equal(TopK(**settings).fit(array).W_dec, recorded.W_dec)
    assert not torch.equal(TopK(seed=1, **settings).fit(x).W_dec, recorded.W_dec)


def test_fitting_again_starts_afresh(planted):
    x = tokens_of(planted, "train")
    once = TopK(**SETTINGS | {"steps": 10}).fit(x)
    atoms = once.W_dec.clone()
    assert torch.equal(once.fit(x).W_dec, atoms)


def test_metrics_are_those_of_sklearn_and_numpy(planted, fitted):
    splits = {split: RecordedTokens(planted, split) for split in ("train", "test")}
    rows = metrics(fitted, splits).set_index("split")
    assert list(rows.index) == ["train", "test"]
    x = tokens_of(planted, "test")
    unexplained = 1 - r2_score(x, fitted.splice(x), multioutput="variance_weighted")
    assert rows.loc["test", "fvu"] == pytest.approx(unexplained, rel=1e-5)
    assert rows.loc["test", "fvu"] < 0.1
    codes = fitted.encode(x).numpy()
    assert rows.loc["test", "l0"] == pytest.approx((codes > 0).sum(1).mean(), rel=1e-6)
    assert rows.loc["test", "dead_fraction"] == (codes == 0).all(0).mean()
    assert rows.loc["test", ["hook", "architecture", "width", "k"]].tolist() == [
        *("latents.1", "topk", 64, 2)
    ]


def test_fvu_is_one_for_the_mean_and_dead_for_no_codes(planted):
    recorded = RecordedTokens(planted, "test")
    sae = TopK(width=4, k=1).build(DIM).requires_grad_(False)
    sae.mean.copy_(recorded.moments()[0])
    measures = reconstruction(sae, recorded)
    assert measures["fvu"] == pytest.approx(1, rel=1e-5)
    assert (measures["l0"], measures["dead_fraction"]) == (0, 1)


def test_atoms_keep_unit_norm_and_inputs_unit_mean_square(planted, fitted):
    torch.testing.assert_close(fitted.W_dec.norm(dim=1), torch.ones(fitted.d_sae))
    z = fitted.scaled(tokens_of(planted, "train"))
    assert z.square().mean().item() == pytest.approx(1, rel=1e-4)
    assert z.mean(0).abs().max() < 1e-4


def test_history_tells_of_the_whole_run(fitted):
    history = fitted.history_
    assert list(history) == ["step", "learning_rate", "reconstruction", "dead_fraction"]
    assert history["step"].iloc[-1] == SETTINGS["steps"] and len(history) == 50
    assert history["reconstruction"].iloc[-1] < history["reconstruction"].iloc[0]


def test_auxk_revives_units(planted, monkeypatch):
    initialise = TopK.initialise

    def mostly_silent(sae, *arguments):
        initialise(sae, *arguments)
        sae.b_enc.requires_grad_(False)[4:] = -1.5

    monkeypatch.setattr(TopK, "initialise", mostly_silent)
    last = {}
    for weight in (0.0, 1 / 32):
        settings = SETTINGS | {"steps": 200, "dead_after": 5, "aux_weight": weight}
        sae = TopK(**settings).fit(RecordedTokens(planted, "train"))
        last[weight] = sae.history_.iloc[-1]
    assert last[1 / 32]["dead_fraction"] < 0.7 * last[0.0]["dead_fraction"]
    assert last[1 / 32]["reconstruction"] < last[0.0]["reconstruction"]


@pytest.mark.parametrize("kind", [TopK, BatchTopK])
def test_a_fit_that_diverges_is_an_error(planted, kind):
    sae = kind(**SETTINGS | {"steps": 50, "learning_rate": 100})
    with pytest.raises(DivergenceError, match=r"learning_rate 100 is too high: .* lower it"):
        sae.fit(RecordedTokens(planted, "train"))


def test_a_loss_that_is_not_finite_is_an_error():
    x = np.random.default_rng(0).normal(size=(100, 4))
    sae = TopK(width=8, k=2, steps=5, batch=32, learning_rate=3e38)
    with pytest.raises(DivergenceError, match="diverged"):
        sae.fit(ArrayTokens(x))


@pytest.mark.parametrize("steps", [1, 3, 100, 1000])
def test_the_rate_rises_stays_and_falls(steps):
    rates = np.array([schedule(step, steps) for step in range(1, steps + 1)])
    assert rates.min() > 0 and rates.max() <= 1
    if steps >= 100:
        assert rates[steps // 20 - 1] == 1 and rates[steps // 20 - 2] < 1
        assert rates[int(0.8 * steps)] == pytest.approx(1)
        np.testing.assert_allclose(np.diff(rates[int(0.8 * steps) :]), -5 / steps)


def test_few_distinct_activations_still_make_distinct_finite_atoms():
    x = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    atoms = TopK(width=20, k=2, steps=5, batch=8).fit(x).W_dec
    assert atoms.isfinite().all()
    assert len(torch.unique(atoms, dim=0)) == 20

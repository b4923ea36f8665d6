import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import r2_score

from glasscortex.config import SaeConfig
from glasscortex.dictionaries.activations import Activations
from glasscortex.dictionaries.evaluate import reconstruction
from glasscortex.dictionaries.fit import fit, initialised, optimise, schedule
from glasscortex.dictionaries.topk import TopKSae
from glasscortex.errors import InputError

ATOMS, DIM = 32, 16
CONFIG = SaeConfig(hook="latents.1", width=2 * ATOMS, k=2, steps=800, batch=256, learning_rate=3e-3)


def run(path, folder, config=CONFIG, seed=0):
    fit(
        activations=path,
        manifest=path.with_suffix(".json"),
        folder=folder,
        config=config,
        model="trained",
        seed=seed,
        name="topk",
    )
    return folder


@pytest.fixture(scope="module")
def fitted(planted, tmp_path_factory):
    return run(planted, tmp_path_factory.mktemp("fitted"))


def test_a_planted_dictionary_is_found(planted_dictionary, fitted):
    atoms = TopKSae.load(fitted).dictionary
    assert (planted_dictionary @ atoms.T).max(1).values.mean() > 0.95


def test_metrics_are_those_of_sklearn_and_numpy(planted, fitted):
    sae = TopKSae.load(fitted)
    rows = pd.read_csv(fitted / "metrics.csv").set_index("split")
    assert list(rows.index) == ["train", "validation", "test"]
    x = torch.cat([block.x for block in Activations(planted).blocks("test")])
    unexplained = 1 - r2_score(x, sae.splice(x), multioutput="variance_weighted")
    assert rows.loc["test", "fvu"] == pytest.approx(unexplained, rel=1e-5)
    assert rows.loc["test", "fvu"] < 0.1
    codes = sae.encode(x).numpy()
    assert rows.loc["test", "l0"] == pytest.approx((codes > 0).sum(1).mean(), rel=1e-6)
    assert rows.loc["test", "dead_fraction"] == (codes == 0).all(0).mean()
    assert dict(rows.loc["test", ["model", "sae", "hook", "architecture", "width", "k"]]) == {
        "model": "trained",
        "sae": "topk",
        "hook": "latents.1",
        "architecture": "topk",
        "width": 64,
        "k": 2,
    }


def test_fvu_is_one_for_the_mean_and_dead_for_no_codes(planted):
    sae = TopKSae(DIM, 4, 1, "latents.1")
    sae.mean.copy_(Activations(planted).moments("test")[0])
    found = reconstruction(sae, Activations(planted), "test")
    assert found["fvu"] == pytest.approx(1, rel=1e-5)
    assert (found["l0"], found["dead_fraction"]) == (0, 1)


def test_atoms_keep_unit_norm_and_inputs_unit_mean_square(planted, fitted):
    sae = TopKSae.load(fitted)
    torch.testing.assert_close(sae.dictionary.norm(dim=1), torch.ones(sae.width))
    z = sae.scaled(torch.cat([block.x for block in Activations(planted).blocks("train")]))
    assert z.square().mean().item() == pytest.approx(1, rel=1e-4)
    assert z.mean(0).abs().max() < 1e-4


def test_history_tells_of_the_whole_run(fitted):
    history = pd.read_csv(fitted / "history.csv")
    assert list(history) == ["step", "learning_rate", "fvu", "dead_fraction"]
    assert history["step"].iloc[-1] == CONFIG.steps and len(history) == 50
    assert history["fvu"].iloc[-1] < history["fvu"].iloc[0]


def test_auxk_revives_units(planted, monkeypatch):
    def mostly_silent(*arguments):
        sae = initialised(*arguments)
        sae.encoder_bias.requires_grad_(False)[4:] = -1.5
        return sae

    monkeypatch.setattr("glasscortex.dictionaries.fit.initialised", mostly_silent)
    last = {}
    for weight in (0.0, 1 / 32):
        config = CONFIG.model_copy(update={"steps": 200, "dead_after": 5, "aux_weight": weight})
        _, history = optimise(
            Activations(planted), config, np.random.default_rng(0), torch.device("cpu")
        )
        last[weight] = history.iloc[-1]
    assert last[1 / 32]["dead_fraction"] < 0.7 * last[0.0]["dead_fraction"]
    assert last[1 / 32]["fvu"] < last[0.0]["fvu"]


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(planted, tmp_path):
    config = CONFIG.model_copy(update={"steps": 20})
    files = "weights.safetensors", "sae.json", "history.csv", "metrics.csv"
    first, again, other = (
        [(run(planted, tmp_path / name, config, seed) / file).read_bytes() for file in files]
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert first == again and first[0] != other[0]


@pytest.mark.parametrize("steps", [1, 3, 100, 1000])
def test_the_rate_rises_stays_and_falls(steps):
    rates = np.array([schedule(step, steps) for step in range(1, steps + 1)])
    assert rates.min() > 0 and rates.max() <= 1
    if steps >= 100:
        assert rates[steps // 20 - 1] == 1 and rates[steps // 20 - 2] < 1
        assert rates[int(0.8 * steps)] == pytest.approx(1)
        np.testing.assert_allclose(np.diff(rates[int(0.8 * steps) :]), -5 / steps)


def test_few_distinct_activations_still_make_distinct_finite_atoms(write_activations, tmp_path):
    x = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)[:, None]
    path = write_activations(tmp_path, {"train": x})
    config = SaeConfig(hook="latents.1", width=20, k=2, steps=5, batch=8)
    atoms = TopKSae.load(run(path, tmp_path / "sae", config)).dictionary
    assert atoms.isfinite().all()
    assert len(torch.unique(atoms, dim=0)) == 20


def test_activations_of_another_hook_are_an_error(planted, tmp_path):
    config = CONFIG.model_copy(update={"hook": "readout"})
    with pytest.raises(InputError, match=r"holds hook latents\.1, but sae\.topk\.hook is readout"):
        run(planted, tmp_path, config)


def test_damaged_activations_are_an_error(write_activations, tmp_path):
    x = np.random.default_rng(0).normal(size=(9, 2, 3)).astype(np.float32)
    path = write_activations(tmp_path, {"train": x})
    (path / "train" / "x" / "c" / "0" / "0").write_bytes(b"")
    with pytest.raises(InputError, match="damaged"):
        run(path, tmp_path / "sae")

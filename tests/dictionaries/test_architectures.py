"""What every architecture promises, and what each promises alone."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pydantic import TypeAdapter, ValidationError
from scipy.optimize import nnls

from glasscortex.config import SaeConfig
from glasscortex.dictionaries import (
    Aligned,
    Archetypal,
    BatchTopK,
    Dictionary,
    Frozen,
    Gated,
    JumpRelu,
    MatchingPursuit,
    Matryoshka,
    Pairs,
    Readout,
    Relu,
    SemiNmf,
    Threshold,
    TopK,
    Transcoder,
)
from glasscortex.dictionaries.activations import RecordedTokens
from glasscortex.dictionaries.evaluate import reconstruction
from glasscortex.dictionaries.sae import SparseAutoencoder
from glasscortex.dictionaries.splice import random_dictionary
from glasscortex.dictionaries.tokens import ArrayTokens
from glasscortex.errors import InputError
from tests.dictionaries.conftest import ATOMS, DIM

SMALL = {"width": 12, "k": 3, "steps": 12, "batch": 16, "dead_after": 2, "iterations": 5}
ALONE = {"start": "activations", "objective": {"decoding": 0}}
UNITS = 64
BASES = {"axes", "pca", "ica", "random", "readout"}
TRAINED = {
    name: kind for name, kind in Dictionary.registry.items() if issubclass(kind, SparseAutoencoder)
}
SPARSITY = {
    TopK: {"k": 2},
    BatchTopK: {"k": 2},
    Threshold: {"k": 2, "aux_weight": 1 / 32, **ALONE},
    Matryoshka: {"k": 2},
    Archetypal: {"k": 2},
    Aligned: {"k": 2},
    MatchingPursuit: {"k": 2},
    Relu: {"sparsity": 1.5},
    Gated: {"sparsity": 4},
    JumpRelu: {"sparsity": 0.5},
}


class Reads:
    """A decoder whose outputs read given directions."""

    def __init__(self, directions):
        self.directions = lambda: directions


def small(name, x, **changes):
    """A dictionary of the architecture, fitted in no time."""
    kind = Dictionary.registry[name]
    given = SMALL | ALONE
    settings = {k: v for k, v in given.items() if k in kind.Settings.model_fields} | changes
    if kind is Readout:
        return Readout(hook=settings.get("hook")).fit(x, Reads(x[:4]))
    if kind is Transcoder:
        return Transcoder(**settings).fit(Pairs(x, x.flip(1)))
    return kind(**settings).fit(x)


@pytest.mark.parametrize("name", Dictionary.registry)
def test_what_all_promise(name, tokens, tmp_path):
    x = tokens(300)
    sae = small(name, x, hook="latents.1")
    assert sae.architecture == name and not sae.training
    assert not any(parameter.requires_grad for parameter in sae.parameters())
    torch.testing.assert_close(sae.W_dec.norm(dim=1), torch.ones(sae.d_sae))
    codes = sae.encode(x)
    assert codes.shape == (300, sae.d_sae) and codes.isfinite().all()
    assert (codes >= 0).all() or name in BASES
    assert "step" in sae.history_

    many = x.reshape(3, 4, 25, 6)
    assert torch.allclose(sae.encode(many).flatten(0, 2), codes, atol=1e-5)
    if name != "transcoder":
        torch.testing.assert_close(sae.splice(many), sae.decode(sae.encode(many)))
    alone = torch.cat([sae.encode(token[None]) for token in x[:10]])
    torch.testing.assert_close(alone, codes[:10], atol=1e-5, rtol=1e-5)
    assert torch.equal(small(name, x).W_dec, sae.W_dec)

    sae.save(tmp_path)
    loaded = Dictionary.load(tmp_path)
    assert type(loaded) is type(sae) and loaded.settings == sae.settings
    assert loaded.hook == "latents.1" and not loaded.training
    assert torch.equal(loaded.encode(x), codes)
    assert torch.equal(loaded.splice(x), sae.splice(x))


@pytest.mark.parametrize("name", Dictionary.registry)
def test_nonsense_is_refused_in_one_line(name, tokens):
    with pytest.raises(InputError, match=rf"^{name}: .*colour .*not permitted") as error:
        Dictionary.registry[name](colour="red")
    assert "\n" not in str(error.value)
    if name not in ("readout", "transcoder"):
        with pytest.raises(InputError, match=r"^the 50 tokens do not vary: choose another hook"):
            small(name, torch.ones(50, 6))
    with pytest.raises(InputError, match=r"NaN or infinite"):
        small(name, tokens().fill_(torch.nan))


@pytest.mark.parametrize("name", Dictionary.registry)
def test_every_architecture_has_a_random_control(name, tokens):
    if name == "transcoder":
        pytest.skip("its control is of two places in the transformer")
    sae = small(name, tokens(300))
    control = random_dictionary(sae, tokens(100), np.random.default_rng(0))
    assert type(control) is type(sae) and control.W_dec.shape == sae.W_dec.shape
    assert (control.W_dec - sae.W_dec).abs().max() > 0.1
    assert control.splice(tokens()).isfinite().all()


@pytest.mark.parametrize(("name", "kind"), TRAINED.items())
def test_gradients_go_through_loss_reconstruction_and_codes(name, kind, tokens):
    sae = small(name, tokens(300)).train().requires_grad_(True)
    z = tokens(40)
    if kind is Transcoder:
        z = torch.cat([z, z], 1)
    step = sae.loss(z, torch.arange(12) < 3)
    assert next(iter(step.terms)) == "reconstruction"
    assert all(term.ndim == 0 and term.isfinite() for term in step.terms.values())
    target = z[:, -6:]
    torch.testing.assert_close(
        step.terms["reconstruction"], (target - step.reconstruction).square().mean()
    )
    assert step.fired.shape == (12,) and step.fired.dtype == torch.bool
    for output in (step.reconstruction, sae.codes(z[:, :6])):
        sae.zero_grad()
        output.square().sum().backward(retain_graph=True)
        assert sum(p.grad is not None and bool(p.grad.any()) for p in sae.parameters()) >= 2


@pytest.mark.parametrize(("name", "kind"), TRAINED.items())
def test_history_has_a_column_a_term(name, kind, tokens):
    sae = small(name, tokens(300))
    terms = {
        "relu": ["sparsity"],
        "gated": ["sparsity", "auxiliary"],
        "jump_relu": ["sparsity"],
        "matryoshka": ["nested", "auxiliary"],
        "matching_pursuit": [],
        "topk": [],
        "threshold": [],
    }.get(name, ["auxiliary"])
    assert list(sae.history_) == [
        *("step", "learning_rate", "reconstruction", *terms, "dead_fraction")
    ]


@pytest.mark.parametrize("kind", SPARSITY)
def test_a_planted_dictionary_is_recovered_by_sparse_codes(kind, planted, planted_dictionary):
    sae = kind(width=UNITS, steps=800, batch=256, **SPARSITY[kind])
    sae.fit(RecordedTokens(planted, "train"))
    assert (planted_dictionary @ sae.W_dec.T).max(1).values.mean() > 0.9
    test = RecordedTokens(planted, "test")
    measures = reconstruction(sae, test)
    assert measures["fvu"] < 0.2
    assert measures["l0"] < (10 if kind is Relu else 5)
    if "k" in SPARSITY[kind] and not isinstance(sae, BatchTopK):
        assert ((sae.encode(test.read(slice(500))) > 0).sum(1) <= 2).all()
    if isinstance(sae, BatchTopK):
        assert measures["l0"] == pytest.approx(2, abs=0.2)


def test_random_directions_encode_worse_than_learnt_ones(planted):
    train, test = (RecordedTokens(planted, split) for split in ("train", "test"))
    frozen = Frozen(width=UNITS, k=2).fit(train)
    assert ((frozen.encode(test.read(slice(500))) > 0).sum(1) <= 2).all()
    assert 0.2 < reconstruction(frozen, test)["fvu"] < 0.5


def test_frozen_is_the_least_squares_of_its_codes(tokens):
    x = tokens(400) @ tokens(6, seed=3) + 1
    frozen = Frozen(width=12, k=3).fit(x)
    codes = np.c_[frozen.encode(x), np.ones(len(x))]
    best = codes @ np.linalg.lstsq(codes, x.numpy(), rcond=None)[0]
    np.testing.assert_allclose(frozen.splice(x), best, atol=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_clusters_are_found_by_semi_nmf(seed):
    generator = torch.Generator().manual_seed(seed)
    atoms = F.normalize(torch.randn(12, DIM, generator=generator), dim=1)
    units = torch.randint(12, (4000,), generator=generator)
    size = (1 + 0.3 * torch.randn(4000, 1, generator=generator)).abs()
    x = size * atoms[units] + 0.02 * torch.randn(4000, DIM, generator=generator)
    sae = SemiNmf(width=12, iterations=20).fit(x)
    assert (atoms @ sae.W_dec.T).max(1).values.mean() > 0.9
    assert sae.history_["reconstruction"].iloc[-1] < 0.02
    assert (sae.decode(torch.zeros(1, 12))).abs().max() < 1e-4


def test_codes_of_semi_nmf_are_nonnegative_least_squares(tokens):
    x = tokens(60) + 1
    sae = SemiNmf(width=5, iterations=20).fit(x)
    atoms = sae.scale.item() * sae.W_dec.numpy().T
    expected = [nnls(atoms, token)[0] for token in x.numpy()]
    np.testing.assert_allclose(sae.encode(x), expected, atol=2e-2)


def test_encoders_are_aligned_with_atoms(tokens):
    sae = small("aligned", tokens(300))
    torch.testing.assert_close((sae.W_enc * sae.W_dec.T).sum(0), torch.ones(12))
    assert (sae.W_enc - sae.W_dec.T).abs().max() > 0.01


@pytest.mark.parametrize("relaxation", [0, 0.2])
def test_archetypal_atoms_are_mixtures_of_activations(tokens, relaxation):
    x = tokens(300)
    sae = small("archetypal", x, relaxation=relaxation)
    assert (sae.mixture >= 0).all()
    torch.testing.assert_close(sae.mixture.sum(1), torch.ones(12))
    assert (sae.relaxation.norm(dim=1) <= relaxation + 1e-6).all()
    mixed = sae.mixture @ sae.points + sae.relaxation
    torch.testing.assert_close(sae.W_dec, F.normalize(mixed, dim=1))
    directions = F.normalize(sae.scaled(x), dim=1)
    assert ((directions @ sae.points.T).max(0).values > 0.999).all()


def test_matching_pursuit_explains_what_is_left(tokens):
    sae = small("matching_pursuit", tokens(300), k=3)
    for z, codes in zip(tokens(20), sae.codes(tokens(20)), strict=True):
        left, expected = z - sae.b_dec, torch.zeros(12)
        for _ in range(3):
            unit = (sae.W_dec @ left).argmax()
            value = (sae.W_dec[unit] @ left).clamp(min=0)
            expected[unit] += value
            left = left - value * sae.W_dec[unit]
        torch.testing.assert_close(codes, expected, atol=1e-5, rtol=1e-5)


def test_thresholds_get_straight_through_gradients(tokens):
    sae = small("jump_relu", tokens(300), sparsity=2, bandwidth=0.4).train().requires_grad_(True)
    z, theta = tokens(40), sae.log_threshold.exp().detach()
    p = sae.preactivations(z).detach()
    near = ((p - theta).abs() < 0.2).float()
    sae.zero_grad()
    sae.loss(z, torch.zeros(12, dtype=torch.bool)).terms["sparsity"].backward()
    expected = -2 / z.numel() * near.sum(0) / 0.4 * theta
    torch.testing.assert_close(sae.log_threshold.grad, expected)
    sae.zero_grad()
    sae.codes(z).sum().backward()
    torch.testing.assert_close(sae.log_threshold.grad, -(near.sum(0) * theta / 0.4) * theta)
    torch.testing.assert_close(sae.codes(z), p * (p > theta))


def test_gates_open_apart_from_magnitudes(tokens):
    sae = small("gated", tokens(300))
    z = tokens(40)
    gate = sae.preactivations(z)
    sae.r.fill_(np.log(2))
    sae.b_magnitude.fill_(0.5)
    expected = (gate > 0) * (2 * (gate - sae.b_enc) + 0.5).relu()
    torch.testing.assert_close(sae.codes(z), expected)


def test_first_units_of_a_matryoshka_reconstruct_alone(planted):
    train, test = (RecordedTokens(planted, split) for split in ("train", "test"))
    left = {}
    for kind in (BatchTopK, Matryoshka):
        sae = kind(width=16, k=4, steps=300, batch=256).fit(train)
        x = test.read(slice(2000))
        codes = sae.encode(x)
        codes[:, 4:] = 0
        left[kind] = (x - sae.decode(codes)).square().sum().item()
    assert left[Matryoshka] < 0.9 * left[BatchTopK]


def test_a_transcoder_finds_what_a_block_reads_and_writes():
    generator = torch.Generator().manual_seed(0)
    reads, writes = (
        F.normalize(torch.randn(ATOMS, DIM, generator=generator), dim=1) for _ in range(2)
    )
    x = torch.randn(8000, DIM, generator=generator)
    y = 3 * (x @ reads.T - 1.5).relu() @ writes - 0.5 * x + 1
    sae = Transcoder(width=UNITS, k=4, steps=800, batch=256, learning_rate=1e-2)
    sae.fit(Pairs(x, y))
    assert (writes @ sae.W_dec.T).max(1).values.mean() > 0.9
    assert (reads @ F.normalize(sae.W_enc, dim=0)).max(1).values.mean() > 0.9
    left = (y - sae.splice(x)).square().sum() / (y - y.mean(0)).square().sum()
    assert left < 0.2
    with pytest.raises(InputError, match="transcoder: fit it to Pairs"):
        Transcoder(width=4, k=1).fit(x)
    with pytest.raises(InputError, match=r"\(8000, 16\) before the block and \(7999, 16\) after"):
        Pairs(x, y[1:])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"architecture": "matryoshka", "width": 8, "k": 2, "levels": 4}, "lower levels"),
        ({"architecture": "relu", "sparsity": -1}, "sparsity"),
        ({"architecture": "pca", "width": 3}, "width"),
        ({"architecture": "matching_pursuit", "encoder_scale": 1}, "encoder_scale"),
        ({"architecture": "frozen", "k": 9, "width": 8}, "lower k"),
        ({"architecture": "jump_relu", "bandwidth": 0}, "bandwidth"),
    ],
)
def test_nonsense_in_the_configuration_is_refused(settings, words):
    with pytest.raises(ValidationError, match=words):
        TypeAdapter(SaeConfig).validate_python(settings)


def test_streams_and_arrays_give_the_same(planted):
    recorded = RecordedTokens(planted, "validation")
    x = recorded.read(slice(None))
    for name in ("pca", "ica", "semi_nmf", "frozen"):
        found = [small(name, tokens) for tokens in (recorded, ArrayTokens(x), x.numpy())]
        assert all(torch.equal(other.W_dec, found[0].W_dec) for other in found)

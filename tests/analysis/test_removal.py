"""Removing units from activations, on an SAE whose algebra is known."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from glasscortex.analysis.removal import (
    EncodedBatch,
    Exchange,
    Keeping,
    Removal,
    atoms,
    drawn_donors,
)
from glasscortex.dictionaries import TopK


@pytest.fixture
def sae():
    """Four units on the axes of a six-dimensional space; it sees nothing of the last two."""
    sae = TopK(width=4, k=4, hook="latents.1").build(6)
    with torch.no_grad():
        sae.W_enc.copy_(torch.eye(6)[:, :4])
        sae.W_dec.copy_(torch.eye(6)[:4])
        sae.scale.fill_(2.0)
        sae.mean.copy_(torch.linspace(-1, 1, 6))
    return sae.eval().requires_grad_(False)


@pytest.fixture
def x():
    return torch.randn(5, 3, 6, generator=torch.Generator().manual_seed(0)) + 3


def batch(n=5):
    return SimpleNamespace(session_id="s", stimulus="drifting_gratings", trials=np.arange(n))


def removed(sae, x, units, method, mean=None, labels=None):
    mean = torch.zeros(4) if mean is None else mean
    return Removal(EncodedBatch(sae), units, method, mean, labels, 0)(x, batch(len(x)))


def test_atoms_are_in_the_units_of_the_activations(sae):
    torch.testing.assert_close(atoms(sae), 2 * torch.eye(6)[:4])


def test_zero_takes_out_what_the_unit_explains_and_nothing_else(sae, x):
    found = removed(sae, x, (1, 3), "zero")
    expected = x.clone()
    expected[..., [1, 3]] = torch.minimum(x, sae.mean)[..., [1, 3]]
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(found[..., 4:], x[..., 4:], rtol=0, atol=0)


def test_removing_nothing_changes_nothing(sae, x):
    torch.testing.assert_close(removed(sae, x, (), "zero"), x, rtol=0, atol=0)
    torch.testing.assert_close(
        removed(sae, x - 100, (0, 1), "zero"), x - 100, rtol=0, atol=0
    )  # silent units


def test_units_are_removed_additively(sae, x):
    both = removed(sae, x, (0, 2), "zero") - x
    each = sum(removed(sae, x, (unit,), "zero") - x for unit in (0, 2))
    torch.testing.assert_close(both, each)


def test_mean_puts_the_mean_in_place(sae, x):
    mean = torch.tensor([0.5, 1.0, 1.5, 2.0])
    found = removed(sae, x, (2,), "mean", mean)
    active = (x > sae.mean)[..., 2]
    torch.testing.assert_close(
        found[..., 2][active], torch.full((int(active.sum()),), 3 + sae.mean[2])
    )


def test_resample_takes_the_code_of_another_class(sae, x):
    labels = np.array([0.0, 0, 1, 1, 1])
    found = removed(sae, x, (0,), "resample", labels=labels)
    encoded = EncodedBatch(sae)
    donors = encoded.donors(labels, batch(), 0)
    assert (labels[donors] != labels).all()
    torch.testing.assert_close(sae.encode(found)[..., 0], sae.encode(x)[donors][..., 0])


def test_donors_differ_in_label_and_are_never_oneself():
    rng = np.random.default_rng(0)
    labels = np.array([0.0, 0, 1, np.nan, np.nan])
    for _ in range(20):
        donors = drawn_donors(labels, rng)
        assert (donors != np.arange(5)).all()
        assert (labels[donors] != labels).all()
    np.testing.assert_array_equal(drawn_donors(np.array([2.0, 2.0]), rng), [0, 1])


def test_codes_are_those_of_the_batch_at_hand(sae, x):
    encoded = EncodedBatch(sae)
    first, second = batch(), batch()
    torch.testing.assert_close(encoded.codes(x, first), sae.encode(x).movedim(-1, 0))
    assert encoded.codes(x, first) is encoded.codes(x, first)
    torch.testing.assert_close(encoded.codes(x + 1, second), sae.encode(x + 1).movedim(-1, 0))


def test_removing_and_keeping_together_are_the_other_window(sae, x):
    labels, units = np.array([0.0, 0, 1, 1, 1]), (0, 2)
    encoded = EncodedBatch(sae)
    arguments = encoded, units, "resample", torch.zeros(4), labels, 0
    shown = batch()
    changed = Removal(*arguments)(x, shown) - x
    kept = Keeping(*arguments)(x, shown)
    donors = encoded.donors(labels, shown, 0)
    torch.testing.assert_close(kept + changed, x[donors])
    torch.testing.assert_close(sae.encode(kept)[..., 0], sae.encode(x)[..., 0])
    torch.testing.assert_close(sae.encode(kept)[..., 1], sae.encode(x)[donors][..., 1])


def test_exchange_moves_what_the_subspace_holds_alone(sae, x):
    encoded, onto = EncodedBatch(sae), torch.diag(torch.tensor([1.0, 0, 0.5, 0, 0, 0]))
    shown = batch()
    changed = Exchange(encoded, onto, None, 0)(x, shown)
    y = x[encoded.donors(None, shown, 0)]
    torch.testing.assert_close(changed[..., 0], y[..., 0])
    torch.testing.assert_close(changed[..., 2], (x + y)[..., 2] / 2)
    torch.testing.assert_close(changed[..., [1, 3, 4, 5]], x[..., [1, 3, 4, 5]])


def test_another_batch_of_like_labels_has_donors_and_codes_of_its_own(sae, x):
    encoded, first = EncodedBatch(sae), batch()
    second = SimpleNamespace(session_id="t", stimulus="drifting_gratings", trials=np.arange(5))
    before = [encoded.exchanged(x, None, shown, 0) for shown in (first, second)]
    after = [EncodedBatch(sae).exchanged(x, None, shown, 0) for shown in (first, second)]
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)

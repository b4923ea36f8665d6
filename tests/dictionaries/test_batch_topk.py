import pytest
import torch

from glasscortex.dictionaries import BatchTopK
from glasscortex.dictionaries.activations import RecordedTokens
from glasscortex.dictionaries.evaluate import reconstruction

SETTINGS = {"width": 64, "k": 2, "steps": 800, "batch": 256}


@pytest.fixture(scope="module")
def fitted(planted):
    return BatchTopK(**SETTINGS).fit(RecordedTokens(planted, "train"))


def test_a_planted_dictionary_is_recovered(planted_dictionary, fitted):
    assert (planted_dictionary @ fitted.W_dec.T).max(1).values.mean() > 0.95


def test_k_units_a_token_are_active_on_average(planted, fitted):
    assert reconstruction(fitted, RecordedTokens(planted, "test"))["l0"] == pytest.approx(
        2, abs=0.2
    )


def test_codes_of_a_token_do_not_depend_on_its_neighbours(planted, fitted):
    x = next(RecordedTokens(planted, "test").blocks()).x[:20]
    alone = torch.cat([fitted.encode(token[None]) for token in x])
    torch.testing.assert_close(fitted.encode(x), alone)


def test_a_batch_keeps_its_largest_activations(tokens):
    sae = BatchTopK(width=12, k=3, steps=1, batch=50).fit(tokens()).train().requires_grad_(True)
    sae.threshold.fill_(-1)
    z = sae.scaled(tokens())
    step = sae.loss(z, torch.zeros(12, dtype=torch.bool))
    kept = sae.preactivations(z).relu().flatten().sort(descending=True).values[: 3 * 50]
    assert sae.threshold == kept[-1]
    assert torch.equal(step.fired, (sae.preactivations(z) >= kept[-1]).any(0))


def test_auxk_reaches_dead_units_that_the_batch_leaves_out(tokens):
    sae = BatchTopK(width=12, k=1, steps=1, batch=50).fit(tokens()).train().requires_grad_(True)
    dead = torch.zeros(12, dtype=torch.bool)
    gradients = []
    for dead[3] in (False, True):
        with torch.no_grad():
            sae.b_enc.fill_(1)[3] = 0.5  # above zero, and below what the batch keeps
        step = sae.backward(sae.scaled(tokens()), dead)
        assert not step.fired[3]
        gradients.append(sae.W_dec.grad[3].clone())
    assert not gradients[0].any() and gradients[1].any()

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from glasscortex.dictionaries.topk import TopKSae
from glasscortex.errors import InputError


@given(k=st.integers(1, 10), seed=st.integers(0, 50))
def test_codes_are_the_k_largest_preactivations(tokens, random_weights, k, seed):
    sae, x = random_weights(k=k, seed=seed), tokens(seed=seed + 1)
    z = ((x - sae.mean) / 2.5).numpy()
    pre = (z - sae.b_dec.numpy()) @ sae.encoder.numpy().T + sae.encoder_bias.numpy()
    expected = np.where(pre >= np.sort(pre, axis=1)[:, [-k]], pre.clip(0), 0)
    codes = sae.encode(x)
    np.testing.assert_allclose(codes, expected, atol=1e-5)
    assert ((codes > 0).sum(1) <= k).all()


def test_exactly_k_units_are_active_when_all_inputs_are_positive(tokens, random_weights):
    sae = random_weights(k=4)
    sae.encoder_bias.fill_(100)
    assert ((sae.encode(tokens()) > 0).sum(1) == 4).all()


def test_decoding_is_linear_in_the_codes_and_in_the_units_of_the_input(random_weights):
    sae = random_weights()
    nothing = torch.zeros(1, sae.width)
    one = F.one_hot(torch.tensor([7]), sae.width).float()
    step = sae.decode(3 * one) - sae.decode(nothing)
    torch.testing.assert_close(step, 3 * 2.5 * sae.dictionary[[7]])
    torch.testing.assert_close(sae.decode(nothing)[0], sae.mean + 2.5 * sae.b_dec)


def test_splicing_is_decoding_the_codes_at_any_shape(tokens, random_weights):
    sae, x = random_weights(), tokens(60).reshape(3, 4, 5, 6)
    assert sae.encode(x).shape == (3, 4, 5, 10)
    torch.testing.assert_close(sae.splice(x), sae.decode(sae.encode(x)))


def test_a_whole_basis_splices_back_what_went_in(tokens):
    sae = TopKSae(6, 12, 6, "latents.1").requires_grad_(False)
    basis = torch.linalg.qr(tokens(6))[0]
    sae.dictionary.copy_(torch.cat([basis, -basis]))
    sae.encoder.copy_(sae.dictionary)
    sae.mean.copy_(tokens(1)[0])
    torch.testing.assert_close(sae.splice(tokens()), tokens(), atol=1e-5, rtol=0)


def test_what_was_saved_is_loaded(tokens, random_weights, tmp_path):
    sae = random_weights()
    sae.save(tmp_path, model="trained", seed=3)
    loaded = TopKSae.load(tmp_path)
    assert not loaded.training and not loaded.dictionary.requires_grad
    assert torch.equal(loaded.splice(tokens()), sae.splice(tokens()))
    about = json.loads((tmp_path / "sae.json").read_text())
    assert about == {
        "architecture": "topk",
        "hook": "latents.1",
        "dim": 6,
        "width": 10,
        "k": 3,
        "model": "trained",
        "seed": 3,
    }


def test_k_above_the_width_is_an_error():
    with pytest.raises(InputError, match="k is 11, larger than width 10: lower"):
        TopKSae(6, 10, 11, "latents.1")

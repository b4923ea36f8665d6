import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from glasscortex.dictionaries import TopK


@given(k=st.integers(1, 10), seed=st.integers(0, 50))
def test_codes_are_the_k_largest_preactivations(tokens, random_weights, k, seed):
    sae, x = random_weights(k=k, seed=seed), tokens(seed=seed + 1)
    z = ((x - sae.mean) / 2.5).numpy()
    pre = (z - sae.b_dec.numpy()) @ sae.W_enc.numpy() + sae.b_enc.numpy()
    expected = np.where(pre >= np.sort(pre, axis=1)[:, [-k]], pre.clip(0), 0)
    codes = sae.encode(x)
    np.testing.assert_allclose(codes, expected, atol=1e-5)
    assert ((codes > 0).sum(1) <= k).all()


def test_exactly_k_units_are_active_when_all_inputs_are_positive(tokens, random_weights):
    sae = random_weights(k=4)
    sae.b_enc.fill_(100)
    assert ((sae.encode(tokens()) > 0).sum(1) == 4).all()


def test_decoding_is_linear_in_the_codes_and_in_the_units_of_the_input(random_weights):
    sae = random_weights()
    nothing = torch.zeros(1, sae.d_sae)
    one = F.one_hot(torch.tensor([7]), sae.d_sae).float()
    step = sae.decode(3 * one) - sae.decode(nothing)
    torch.testing.assert_close(step, 3 * 2.5 * sae.W_dec[[7]])
    torch.testing.assert_close(sae.decode(nothing)[0], sae.mean + 2.5 * sae.b_dec)


def test_splicing_is_decoding_the_codes_at_any_shape(tokens, random_weights):
    sae, x = random_weights(), tokens(60).reshape(3, 4, 5, 6)
    assert sae.encode(x).shape == (3, 4, 5, 10)
    torch.testing.assert_close(sae.splice(x), sae.decode(sae.encode(x)))


def test_a_whole_basis_splices_back_what_went_in(tokens):
    sae = TopK(width=12, k=6).build(6).requires_grad_(False)
    basis = torch.linalg.qr(tokens(6))[0]
    sae.W_dec.copy_(torch.cat([basis, -basis]))
    sae.W_enc.copy_(sae.W_dec.T)
    sae.mean.copy_(tokens(1)[0])
    torch.testing.assert_close(sae.splice(tokens()), tokens(), atol=1e-5, rtol=0)

import pytest
import torch
import torch.nn.functional as F

from glasscortex.dictionaries.gradients import gradients

WEIGHT = 1 / 8


def loss_by_autograd(sae, z, dead):
    """The loss with dense codes, left to autograd."""
    n, n_dead = z.numel(), int(dead.sum())
    pre = (z - sae.b_dec) @ sae.encoder.T + sae.encoder_bias

    def dense(inputs, k):
        top = inputs.topk(k)
        return torch.zeros_like(inputs).scatter(1, top.indices, top.values.relu())

    error = z - sae.b_dec - dense(pre, sae.k) @ sae.dictionary
    loss = error.square().sum() / n
    if n_dead:
        most = sae.dim // 2
        masked = pre.masked_fill(~dead, -torch.inf)
        revived = dense(masked, min(n_dead, most)) @ sae.dictionary
        left = (error.detach() - revived).square().sum() / n
        loss = loss + WEIGHT * min(1, n_dead / most) * left
    return loss


@pytest.mark.parametrize("dead", [[], [4], [1, 4], [0, 1, 2, 4, 5, 8, 9]])
@pytest.mark.parametrize("seed", range(3))
def test_explicit_gradients_are_those_of_autograd(tokens, random_weights, dead, seed):
    sae = random_weights(seed=seed)
    z = tokens(200, seed=seed)
    is_dead = torch.zeros(sae.width, dtype=torch.bool)
    is_dead[dead] = True
    found = gradients(sae, z, is_dead, WEIGHT)
    sae.requires_grad_(True)
    loss_by_autograd(sae, z, is_dead).backward()
    for name, parameter in sae.named_parameters():
        torch.testing.assert_close(
            found.parameters[name], parameter.grad, atol=1e-5, rtol=1e-5, msg=name
        )


def test_auxk_reaches_the_encoder_of_dead_units_only_through_them(tokens, random_weights):
    sae = random_weights()
    sae.encoder_bias[3] = -1000.0
    sae.encoder[3] = 0
    dead = torch.zeros(sae.width, dtype=torch.bool)
    dead[3] = True
    silent = gradients(sae, tokens(), dead, WEIGHT)
    assert not silent.parameters["encoder"][3].any()
    sae.encoder_bias[3] = -10.0
    sae.encoder[3] = 100 * sae.dictionary[3]
    sae.encoder_bias[:3] = 1e6
    awake = gradients(sae, tokens(), dead, WEIGHT)
    assert not awake.fired[3] and awake.parameters["encoder"][3].any()


def test_fvu_and_fired_are_those_of_the_forward_pass(tokens, random_weights):
    sae, z = random_weights(), tokens(5)
    sae.mean.zero_(), sae.scale.fill_(1)
    found = gradients(sae, z, torch.zeros(sae.width, dtype=torch.bool), WEIGHT)
    torch.testing.assert_close(found.fvu, F.mse_loss(sae.splice(z), z))
    assert torch.equal(found.fired, (sae.encode(z) > 0).any(0))

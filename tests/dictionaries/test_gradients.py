import pytest
import torch
import torch.nn.functional as F

from glasscortex.dictionaries.gradients import gradients

WEIGHT = 1 / 8


def loss_by_autograd(sae, z, dead):
    """The loss with dense codes, left to autograd."""
    n, n_dead = z.numel(), int(dead.sum())
    pre = (z - sae.b_dec) @ sae.W_enc + sae.b_enc

    def dense(inputs, k):
        top = inputs.topk(k)
        return torch.zeros_like(inputs).scatter(1, top.indices, top.values.relu())

    error = z - sae.b_dec - dense(pre, sae.settings.k) @ sae.W_dec
    loss = error.square().sum() / n
    if n_dead:
        most = sae.d_in // 2
        masked = pre.masked_fill(~dead, -torch.inf)
        revived = dense(masked, min(n_dead, most)) @ sae.W_dec
        left = (error.detach() - revived).square().sum() / n
        loss = loss + WEIGHT * min(1, n_dead / most) * left
    return loss


@pytest.mark.parametrize("dead", [[], [4], [1, 4], [0, 1, 2, 4, 5, 8, 9]])
@pytest.mark.parametrize("seed", range(3))
def test_explicit_gradients_are_those_of_autograd(tokens, random_weights, dead, seed):
    sae = random_weights(seed=seed, aux_weight=WEIGHT)
    z = tokens(200, seed=seed)
    is_dead = torch.zeros(sae.d_sae, dtype=torch.bool)
    is_dead[dead] = True
    found = gradients(sae, z, is_dead)
    sae.requires_grad_(True)
    loss_by_autograd(sae, z, is_dead).backward()
    for name, parameter in sae.named_parameters():
        torch.testing.assert_close(
            found.by_name[name], parameter.grad, atol=1e-5, rtol=1e-5, msg=name
        )


def test_auxk_reaches_the_encoder_of_dead_units_only_through_them(tokens, random_weights):
    sae = random_weights(aux_weight=WEIGHT)
    sae.b_enc[3] = -1000.0
    sae.W_enc[:, 3] = 0
    dead = torch.zeros(sae.d_sae, dtype=torch.bool)
    dead[3] = True
    silent = gradients(sae, tokens(), dead)
    assert not silent.by_name["W_enc"][:, 3].any()
    sae.b_enc[3] = -10.0
    sae.W_enc[:, 3] = 100 * sae.W_dec[3]
    sae.b_enc[:3] = 1e6
    awake = gradients(sae, tokens(), dead)
    assert not awake.fired[3] and awake.by_name["W_enc"][:, 3].any()


def test_fvu_and_fired_are_those_of_the_forward_pass(tokens, random_weights):
    sae, z = random_weights(aux_weight=WEIGHT), tokens(5)
    sae.mean.zero_(), sae.scale.fill_(1)
    found = gradients(sae, z, torch.zeros(sae.d_sae, dtype=torch.bool))
    torch.testing.assert_close(found.fvu, F.mse_loss(sae.splice(z), z))
    assert torch.equal(found.fired, (sae.encode(z) > 0).any(0))

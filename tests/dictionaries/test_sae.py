"""What autoencoders that are trained by gradient descent begin with."""

import numpy as np
import torch

from glasscortex.dictionaries import TopK
from glasscortex.dictionaries.sae import NOISE, whitened
from glasscortex.dictionaries.tokens import ArrayTokens


def test_whitened_activations_vary_alike_in_all_directions():
    rng = np.random.default_rng(0)
    mixing = np.diag([30.0, 3.0, 1.0, 0.1, 0.0]) @ np.linalg.qr(rng.normal(size=(5, 5)))[0]
    z = torch.from_numpy(rng.normal(size=(20_000, 5)) @ mixing)
    drawn = z + NOISE * torch.from_numpy(rng.normal(size=z.shape))
    white = whitened(drawn, z.T.cov(correction=0))
    torch.testing.assert_close(white.T.cov(), torch.eye(5).double(), atol=0.05, rtol=0)


def test_first_atoms_reach_directions_of_little_variance():
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.normal(size=(4_000, 8)) * np.geomspace(1, 0.03, 8)).float()
    tokens, topk = ArrayTokens(x), TopK(width=256, k=4, batch=1024)
    topk.initialise(tokens, tokens.batches(1024, rng), None, rng)
    share = topk.W_dec.square().mean(0)
    assert share.min() > 0.5 / 8

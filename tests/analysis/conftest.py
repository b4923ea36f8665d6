"""Responses to the small world of a dictionary that knows nothing."""

import numpy as np
import pandas as pd
import pytest
import torch

from glasscortex.analysis.presentations import Presentations
from glasscortex.data.responses import Responses
from glasscortex.dictionaries import TopK

UNITS = 48


@pytest.fixture
def sessions():
    sessions = pd.DataFrame({"session_id": ["a", "b"], "mouse": ["m1", "m2"]})
    return sessions.assign(cre_line=["x", "y"], area="VISp", depth_um=[175.0, 275.0])


@pytest.fixture
def noise(world, sessions):
    """From a split to noise."""
    trials, rng = world[0], np.random.default_rng(0)

    def of(split):
        rows = np.flatnonzero(trials["split"] == split)
        values = rng.normal(size=(len(rows), UNITS)).clip(0).astype(np.float32)
        return Presentations.joined(Responses(rows, values), trials, sessions)

    return of


@pytest.fixture
def splits(noise):
    """Validation and test."""
    return noise("validation"), noise("test")


@pytest.fixture
def sae(decoder):
    dim = decoder.config.dim
    sae = TopK(width=UNITS, k=8, hook="latents.2").build(dim)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        sae.W_dec.copy_(torch.randn(UNITS, dim, generator=generator))
        sae.normalise()
        sae.W_enc.copy_(sae.W_dec.T)
    return sae

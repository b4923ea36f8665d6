"""A decoder, an SAE and recorded activations of the small world."""

import pandas as pd
import pytest
import torch

from glasscortex.dictionaries.activations import record
from glasscortex.dictionaries.responses import responses
from glasscortex.dictionaries.topk import TopKSae


@pytest.fixture
def recorded(tmp_path, world, decoder):
    """Arguments that every stage of the analysis takes."""
    _, trials, windows, _ = world
    (tmp_path / "decoder").mkdir()
    decoder.save(tmp_path / "decoder")
    activations, manifest = tmp_path / "latents.2.zarr", tmp_path / "latents.2.json"
    record(
        decoder=tmp_path / "decoder",
        trials=trials,
        windows=windows,
        hook="latents.2",
        out=activations,
        manifest=manifest,
    )
    sae = random_sae(decoder.config.dim)
    sae.save(tmp_path / "sae")
    sessions = pd.DataFrame({"session_id": ["a", "b"], "mouse": ["m1", "m2"]})
    sessions = sessions.assign(cre_line=["x", "y"], area="VISp", depth_um=[175.0, 275.0])
    sessions.to_csv(tmp_path / "sessions.csv", index=False)
    return {
        "sae_folder": tmp_path / "sae",
        "activations": activations,
        "manifest": manifest,
        "trials": trials,
        "sessions": tmp_path / "sessions.csv",
        "model": "trained",
        "seed": 0,
        "name": "topk",
    }


def random_sae(dim: int) -> TopKSae:
    sae = TopKSae(dim, 48, 8, "latents.2")
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        sae.dictionary.copy_(torch.randn(48, dim, generator=generator))
        sae.normalise()
        sae.encoder.copy_(sae.dictionary)
    return sae


@pytest.fixture
def test_responses(recorded):
    """(rows of the trials, responses) of the test split."""
    sae = TopKSae.load(recorded["sae_folder"])
    return responses(sae, recorded["activations"], "test")

"""What drives units: completeness, exactness where all is linear, and units planted by hand."""

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

from glasscortex.analysis.input_attribution import (
    drives,
    integrated_gradients,
    responses,
    strongest,
)
from glasscortex.config import PoyoPlusConfig
from glasscortex.decoder.model import Decoder
from glasscortex.dictionaries import TopK
from tests.analysis.linear import Linear, disturbed
from tests.conftest import RATE


@pytest.fixture
def poyo_plus(vocabulary):
    config = PoyoPlusConfig(dim=16, depth=1, heads=2, cross_heads=2, head_dim=8, latents_per_step=2)
    torch.manual_seed(0)
    return Decoder(config, vocabulary, RATE).eval()


@pytest.fixture
def mask(world):
    return (world[0]["split"] == "test").to_numpy()


@pytest.fixture
def planted(decoder):
    """As training starts, the latents of a step are a mean over cells; only cell 3 has a part
    along the first axis, which is all that the only unit reads, and which is 0 in silence.
    """
    with torch.no_grad():
        decoder.transformer.latent_embedding[:, 0] = 0
        for cells in decoder.cell_embeddings:
            for half in cells.chunk(2, dim=1):
                half[:, 0] = 0
            cells[3, 0] = 1
    return decoder, Linear(torch.eye(16)[:1])


@pytest.mark.parametrize("architecture", ["decoder", "poyo_plus"])
def test_attributions_add_up_to_the_response(architecture, sae, batch, request):
    decoder = disturbed(request.getfixturevalue(architecture), 0.2)
    hook = f"latents.{decoder.config.depth}"
    windows, units = strongest(responses(decoder, sae, hook, batch), 2)
    rows = replace(batch, values=batch.values[windows])
    attribution, change = integrated_gradients(decoder, sae, hook, rows, units, 32)
    assert len(units) > 20
    np.testing.assert_allclose(attribution.sum((1, 2)), change, atol=0.01 * change.std().item())


def test_the_change_is_the_response_less_that_in_silence(decoder, batch):
    """Of a linear dictionary no piece has to be held."""
    decoder, linear = disturbed(decoder, 0.2), Linear(torch.randn(4, 16))
    units = torch.arange(len(batch.values)) % 4
    _, change = integrated_gradients(decoder, linear, "mlp.1", batch, units, 1)
    silent = replace(batch, values=torch.zeros_like(batch.values))
    expected = [responses(decoder, linear, "mlp.1", b) for b in (batch, silent)]
    rows = torch.arange(len(units))
    torch.testing.assert_close(change, (expected[0] - expected[1])[rows, units])


def test_a_unit_that_one_cell_drives_finds_it(planted, batches, mask):
    decoder, dictionary = planted
    for drive in drives(decoder, dictionary, "latents.2", batches, mask, 3, 4):
        by_cell = drive.by_cell().to_pandas().set_index("cell")["attribution"]
        assert by_cell.abs().idxmax() == f"{drive.session_id}/3"
        np.testing.assert_allclose(by_cell.drop(f"{drive.session_id}/3"), 0, atol=1e-5)


def test_where_all_is_linear_the_attribution_is_the_activity_itself(planted, batch):
    decoder, dictionary = planted
    units = torch.zeros(len(batch.values), dtype=torch.long)
    attribution, change = integrated_gradients(decoder, dictionary, "latents.2", batch, units, 1)
    x = batch.values[:, 3]
    slope = change / x.sum(1)
    torch.testing.assert_close(slope, slope[:1].expand_as(slope))
    torch.testing.assert_close(attribution[:, 3], slope[:, None] * x)


def test_only_the_strongest_responses_count(planted, batches, mask):
    """Of either sign: their mean is what the attributions of all cells and times add up to."""
    decoder, dictionary = planted
    read = batches.ordered(mask)
    for drive in drives(decoder, dictionary, "latents.2", batches, mask, 2, 1):
        response = responses(decoder, dictionary, "latents.2", next(read))[:, 0]
        largest = response[response.abs().argsort()[-2:]].mean().item()
        assert drive.attribution.sum() == pytest.approx(largest, rel=1e-4)
        for table, places in ((drive.by_cell(), drive.cells), (drive.by_time(), drive.times_s)):
            assert table["attribution"].to_numpy().sum() == pytest.approx(largest, rel=1e-4)
            assert len(table) == len(places)


def test_silent_units_have_no_rows(decoder, batches, mask):
    silent = TopK(width=4, k=2, hook="latents.2").build(16).requires_grad_(False)
    assert list(drives(decoder, silent, "latents.2", batches, mask, 2, 1)) == []


def test_what_the_quadrature_misses_is_told(decoder, sae, batches, mask, caplog):
    decoder = disturbed(decoder, 0.2)
    with caplog.at_level(logging.INFO):
        list(drives(decoder, sae, "latents.2", batches, mask, 1, 1))
        list(drives(decoder, sae, "latents.2", batches, mask, 1, 24))
    coarse, fine = caplog.records
    assert (coarse.levelname, fine.levelname) == ("WARNING", "INFO")
    assert "raise attribution.nodes" in coarse.getMessage()


def test_activations_are_followed_back_in_parts(decoder, sae, batches, mask, monkeypatch):
    whole = list(drives(decoder, sae, "latents.2", batches, mask, 2, 2))
    monkeypatch.setattr("glasscortex.analysis.input_attribution.AT_ONCE", 7)
    parts = list(drives(decoder, sae, "latents.2", batches, mask, 2, 2))
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one.attribution, other.attribution, atol=1e-5)

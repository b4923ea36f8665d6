import numpy as np
import pytest
import torch

from glasscortex.config import ModelConfig
from glasscortex.decoder.hooks import reading, replacing
from glasscortex.decoder.layers import Rotary, turn
from glasscortex.decoder.model import Decoder
from glasscortex.errors import InputError

HOOKS = ("latents.0", "latents.1", "latents.2", "attention.0", "attention.1", "mlp.0", "mlp.1")


def test_every_task_of_the_stimulus_gets_an_output(decoder, batch):
    outputs = decoder(batch)
    assert set(outputs) == {"direction", "orientation", "running_speed"}
    assert outputs["direction"].shape == (32, 8)
    assert outputs["running_speed"].shape == (32, 1)


@pytest.mark.parametrize("hook", [*HOOKS, "readout"])
def test_since_after_until_is_the_whole_model(decoder, batch, hook):
    whole = decoder(batch)
    halves = decoder.since(hook, decoder.until(hook, batch), batch)
    for task, output in whole.items():
        torch.testing.assert_close(halves[task], output, rtol=0, atol=0)


@pytest.mark.parametrize("hook", [*HOOKS, "readout"])
def test_an_edit_in_since_equals_the_same_edit_in_the_whole_model(decoder, batch, hook):
    with replacing(decoder, hook, lambda x: 0.5 * x + 1):
        whole = decoder(batch)
        halves = decoder.since(hook, decoder.until(hook, batch), batch)
    for task, output in whole.items():
        torch.testing.assert_close(halves[task], output, rtol=0, atol=0)
    assert not torch.equal(whole["direction"], decoder(batch)["direction"])


def test_hooks_are_listed_and_read(decoder, batch):
    assert set(decoder.hooks) == {*HOOKS, "readout"}
    with reading(decoder, "latents.2") as seen:
        decoder(batch)
    assert seen.value.shape == (32, 8, 16)
    with reading(decoder, "readout") as seen:
        decoder(batch)
    assert seen.value.shape == (32, len(batch.tasks), 16)


def test_a_hook_is_gone_after_an_exception(decoder, batch):
    before = decoder(batch)["direction"]
    with pytest.raises(RuntimeError), replacing(decoder, "mlp.1", torch.zeros_like):
        raise RuntimeError
    torch.testing.assert_close(decoder(batch)["direction"], before, rtol=0, atol=0)


def test_an_unknown_hook_is_named(decoder):
    unknown = pytest.raises(InputError, match=r"latents\.9 does not exist: use one of latents\.0")
    with unknown, replacing(decoder, "latents.9", torch.zeros_like):
        pass


def test_rotary_products_depend_on_time_differences_only():
    rotary = Rotary(8, (0.1, 4.0))
    q, k = torch.randn(2, 1, 8, generator=torch.Generator().manual_seed(0))

    def product(t, u):
        return (turn(q, rotary(torch.tensor([t]))) * turn(k, rotary(torch.tensor([u])))).sum()

    torch.testing.assert_close(product(0.3, 1.0), product(5.3, 6.0), atol=1e-4, rtol=1e-4)
    assert abs(product(0.3, 1.0) - product(0.3, 1.37)) > 1e-3


def test_the_order_of_cells_does_not_matter(decoder, batch):
    before = decoder(batch)["direction"]
    order = torch.randperm(len(batch.cells), generator=torch.Generator().manual_seed(0))
    batch.values, batch.cells = batch.values[:, order], batch.cells[order]
    torch.testing.assert_close(decoder(batch)["direction"], before, atol=1e-5, rtol=1e-4)


def test_cell_dropout_only_in_training(decoder, batch):
    assert torch.equal(decoder(batch)["direction"], decoder(batch)["direction"])
    decoder.train()
    assert decoder._drop_cells(batch.values, batch.cells)[0].shape[1] == 8
    assert not torch.equal(decoder(batch)["direction"], decoder(batch)["direction"])


def test_windows_that_patches_do_not_fill_are_padded(vocabulary, batch):
    decoder = Decoder(ModelConfig(dim=16, heads=2, patch_frames=3), vocabulary, 10.0)
    assert decoder(batch)["direction"].shape == (32, 8)


def test_saved_and_loaded_decoders_agree(decoder, batch, tmp_path):
    decoder.save(tmp_path)
    loaded = Decoder.load(tmp_path)
    assert loaded.vocabulary == decoder.vocabulary
    assert torch.equal(loaded(batch)["direction"], decoder(batch)["direction"])


def test_latents_are_placed_in_time(decoder, batch):
    angles = decoder._latent_angles(batch)
    assert angles.shape[1] == 2 * decoder.config.latents_per_step
    expected = decoder.rotary(torch.tensor([0.5, 1.5]).repeat_interleave(4))
    np.testing.assert_allclose(angles, expected)

from dataclasses import replace

import numpy as np
import pytest
import torch

from glasscortex.config import ModelConfig
from glasscortex.decoder.heads import StepwiseLinear
from glasscortex.decoder.hooks import reading, replacing
from glasscortex.decoder.layers import USUAL_MAGNITUDE, CellEncoder, Rotary, rotate
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
    with reading(decoder, "latents.2", "readout") as seen:
        decoder(batch)
    assert seen["latents.2"].shape == (32, 10, 16)
    assert seen["readout"].shape == (32, 10 * len(batch.tasks), 16)


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
        return (rotate(q, rotary(torch.tensor([t]))) * rotate(k, rotary(torch.tensor([u])))).sum()

    torch.testing.assert_close(product(0.3, 1.0), product(5.3, 6.0), atol=1e-4, rtol=1e-4)
    assert abs(product(0.3, 1.0) - product(0.3, 1.37)) > 1e-3


def test_the_order_of_cells_does_not_matter(decoder, batch):
    before = decoder(batch)["direction"]
    order = torch.randperm(len(batch.cells), generator=torch.Generator().manual_seed(0))
    batch.values, batch.cells = batch.values[:, order], batch.cells[order]
    torch.testing.assert_close(decoder(batch)["direction"], before, atol=1e-5, rtol=1e-4)


def test_cell_dropout_only_in_training(vocabulary, batch):
    config = ModelConfig(dim=16, heads=2, cell_dropout=0.3)
    decoder = Decoder(config, vocabulary, 10.0).eval()
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
    angles = decoder.transformer.angles(decoder.encode(batch))
    expected = decoder.transformer.rotary(0.1 + 0.2 * torch.arange(10))
    np.testing.assert_allclose(angles, expected, atol=1e-4)


def test_the_encoder_reads_what_attention_to_tokens_reads():
    torch.manual_seed(0)
    encoder = CellEncoder(ModelConfig(dim=8, heads=2, patch_frames=3, feature_dropout=0.0)).eval()
    latents, cells = torch.randn(2, 8), torch.randn(5, 16)
    patches = torch.randn(4, 5, 2, 3)
    magnitude = patches.abs().mean(dim=-1, keepdim=True) - USUAL_MAGNITUDE
    tokens = encoder.value(patches) * cells[:, None, :8] + magnitude * cells[:, None, 8:]
    tokens = tokens.permute(0, 2, 1, 3).flatten(0, 1)
    queries = encoder.norm(latents).expand(8, -1, -1)
    expected = latents + 5**0.5 * encoder.attention(queries, tokens)
    torch.testing.assert_close(
        encoder(latents, patches, cells), expected.unflatten(0, (4, 2)).flatten(1, 2)
    )


def test_latents_of_a_step_see_that_step_alone(decoder, batch):
    before = decoder.encode(batch)
    batch.values = batch.values.clone()
    batch.values[:, :, :2] += 1
    after = decoder.encode(batch)
    torch.testing.assert_close(after[:, 1:], before[:, 1:], rtol=0, atol=0)
    assert not torch.equal(after[:, 0], before[:, 0])


def test_a_window_is_read_step_by_step_and_averaged():
    head = StepwiseLinear(dim=3, steps=4, outputs=2)
    x = torch.randn(5, 2, 3, generator=torch.Generator().manual_seed(0))
    weight = head.weight.unflatten(1, (4, 3))
    expected = (x[:, 0] @ weight[:, 0].T + x[:, 1] @ weight[:, 1].T) / 2 + head.bias
    torch.testing.assert_close(head(x), expected)


def test_the_start_passes_on_what_the_latents_read(decoder, batch):
    with reading(decoder, "latents.0", "latents.2") as seen:
        decoder(batch)
    assert torch.equal(seen["latents.0"], seen["latents.2"])


def test_classes_that_a_session_was_not_shown_are_never_named(decoder, vocabulary, batch):
    shown = {batch.session_id: {"direction": (1, 4)}}
    limited = Decoder(decoder.config, replace(vocabulary, presented=shown), 10.0).eval()
    limited.load_state_dict(decoder.state_dict())
    output, free = limited(batch)["direction"], decoder(batch)["direction"]
    assert torch.isneginf(output[:, [0, 2, 3, 5, 6, 7]]).all()
    assert torch.equal(output[:, [1, 4]], free[:, [1, 4]])
    loss = torch.nn.functional.cross_entropy(output, torch.full((len(output),), 4))
    loss.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in limited.parameters())

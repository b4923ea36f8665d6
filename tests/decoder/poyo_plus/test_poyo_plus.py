"""The architecture of the literature, held to numbers that torch-brain 0.1.2 made.

`poyo_plus.npz` holds random weights, inputs, outputs and the loss of its CalciumPOYOPlus, as
`python benchmarks/decoder.py --oracle tests/decoder/poyo_plus/poyo_plus.npz` writes them.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from glasscortex.config import DecoderConfig, PoyoPlusConfig
from glasscortex.data.batches import Batch
from glasscortex.data.vocabulary import Head, Vocabulary
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.hooks import reading, replacing
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.optimisation import task_losses
from glasscortex.decoder.start import start
from glasscortex.decoder.train import train
from glasscortex.errors import InputError

SMALL = {"dim": 16, "depth": 2, "heads": 2, "head_dim": 8, "latents_per_step": 2}
HEADS = {
    "direction": Head(tuple(range(8)), samples=30),
    "temporal_frequency": Head(tuple(range(5)), samples=30),
    "running_speed": Head(None, samples=30),
}


@pytest.fixture(scope="module")
def peer() -> dict[str, torch.Tensor]:
    stored = np.load(Path(__file__).parent / "poyo_plus.npz")
    return {name: torch.from_numpy(stored[name]) for name in stored.files}


@pytest.fixture
def published(peer) -> Decoder:
    """Our transformer with the peer's weights."""
    cells = {f"{i}": tuple(f"{i}/{cell}" for cell in range(5)) for i in range(2)}
    decoder = Decoder(PoyoPlusConfig(**SMALL), Vocabulary(("0", "1"), cells, HEADS), 30.0)
    prefix = "weights."
    decoder.load_state_dict(
        decoder.state_dict()
        | {k.removeprefix(prefix): v for k, v in peer.items() if k.startswith(prefix)}
    )
    decoder.transformer.rotary.omega.copy_(peer["omega"])
    return decoder.eval()


@pytest.fixture
def faithful(vocabulary) -> Decoder:
    torch.manual_seed(0)
    return Decoder(PoyoPlusConfig(**SMALL), vocabulary, 10.0).eval()


def windows_of(values: torch.Tensor, session: int) -> Batch:
    return Batch(
        session_id=str(session),
        stimulus="drifting_gratings",
        trials=np.arange(len(values)),
        values=values,
        container=session,
        cells=torch.arange(values.shape[1]),
        session=session,
        tasks=tuple(HEADS),
        label_s=0.5,
    )


def outputs_of(decoder: Decoder, peer: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Outputs for the peer's windows, which two sessions share."""
    outputs = {task: torch.zeros_like(peer[f"outputs.{task}"]) for task in HEADS}
    for session in range(2):
        chosen = peer["session"] == session
        batch = windows_of(peer["values"][chosen].mT, session)
        for task, output in decoder(batch).items():
            outputs[task][chosen] = output
    return outputs


def test_the_same_weights_give_the_peers_outputs(published, peer):
    for task, output in outputs_of(published, peer).items():
        assert output.std() > 0.01
        torch.testing.assert_close(output, peer[f"outputs.{task}"], atol=1e-5, rtol=1e-5)


def test_the_same_weights_give_the_peers_loss(published, peer):
    targets = {task: peer[f"targets.{task}"].numpy() for task in HEADS}
    targets["running_speed"] = targets["running_speed"][:, 0]
    batch = windows_of(peer["values"].mT, 0)
    losses = task_losses(outputs_of(published, peer), targets, batch)
    torch.testing.assert_close(sum(losses.values()), peer["loss"], atol=1e-5, rtol=1e-5)


def test_the_periods_are_the_peers(published, peer):
    fresh = Decoder(published.config, published.vocabulary, 30.0).transformer.rotary.omega
    torch.testing.assert_close(fresh, peer["omega"])
    assert (fresh == 0).sum() == 2


def test_the_published_sizes_are_the_defaults():
    config = PoyoPlusConfig()
    assert (config.dim, config.depth, config.cross_heads, config.heads) == (64, 6, 2, 8)
    assert (config.head_dim, config.latent_step_s, config.latents_per_step) == (64, 0.125, 16)
    dropouts = config.feature_dropout, config.block_dropout, config.attention_dropout
    assert dropouts == (0.2, 0.4, 0.2)


def test_reading_without_tokens_equals_reading_the_tokens(published, peer):
    """Outputs and gradients of the encoder, against the tokens themselves."""
    transformer, values = published.transformer, peer["values"][:3]
    encoder, cells = transformer.encoder, published.cell_embeddings[0]
    latents = transformer.latent_embedding.repeat(8, 1)
    angles = transformer.angles(latents[None])[:, :: encoder.latents_per_step]
    frame_angles = transformer.rotary((torch.arange(30) + 0.5) / 30)
    queries = encoder.norm(latents[None])
    query = encoder.attention.project(encoder.attention.query, queries, angles)[0]
    fast = encoder._read(query, values, cells, frame_angles)
    tokens = encoder.token_norm(encoder.tokens(values, cells)).flatten(1, 2)
    slow = encoder.attention(queries.expand(3, -1, -1), tokens, angles, frame_angles)
    fast = encoder.attention.combine(fast, angles)
    torch.testing.assert_close(fast, slow, atol=1e-5, rtol=1e-4)
    learnt = [*encoder.attention.parameters(), *encoder.token_norm.parameters(), cells]
    learnt += [*encoder.value.parameters(), transformer.latent_embedding]
    direction = torch.randn(slow.shape, generator=torch.Generator().manual_seed(0))
    for ours, expected in zip(
        torch.autograd.grad((fast * direction).sum(), learnt, retain_graph=True),
        torch.autograd.grad((slow * direction).sum(), learnt),
        strict=True,
    ):
        torch.testing.assert_close(ours, expected, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("hook", ["latents.0", "latents.2", "attention.1", "mlp.0", "readout"])
def test_an_edit_in_since_equals_the_same_edit_in_the_whole_model(faithful, batch, hook):
    with replacing(faithful, hook, lambda x: 0.5 * x + 1):
        whole = faithful(batch)
        halves = faithful.since(hook, faithful.until(hook, batch), batch)
    for task, output in whole.items():
        torch.testing.assert_close(halves[task], output, rtol=0, atol=0)
    assert not torch.equal(whole["direction"], faithful(batch)["direction"])


def test_latents_have_the_published_number_and_width(faithful, batch):
    with reading(faithful, "latents.1") as seen:
        faithful(batch)
    assert seen["latents.1"].shape == (32, 2 * 16, 16)


def test_saved_and_loaded_decoders_agree(faithful, batch, tmp_path):
    faithful.save(tmp_path)
    loaded = Decoder.load(tmp_path)
    assert loaded.config == faithful.config
    assert torch.equal(loaded(batch)["direction"], faithful(batch)["direction"])


def test_every_weight_learns(faithful, batch):
    sum(output.square().sum() for output in faithful.train()(batch).values()).backward()
    elsewhere = {"cell_embeddings.1", "heads.movie_one.weight", "heads.movie_one.bias"}
    for name, parameter in faithful.named_parameters():
        if name not in elsewhere:
            assert parameter.grad is not None and parameter.grad.any(), name


def test_it_learns_from_the_trials(world):
    trials, _, windows, _ = world
    settings = {"epochs": 12, "patience": 12, "learning_rate": 0.01, "batch": 32}
    config = DecoderConfig(architecture="poyo_plus", poyo_plus=SMALL, train=settings)
    training = train(trials, WindowsFolder(windows), config, tasks=("direction",))
    loss = training.history["train_loss"].to_numpy()
    assert loss[-1] < 0.9 * loss[1]
    assert training.decoder.config.dim == 16


def test_it_has_no_linear_start(faithful):
    with pytest.raises(InputError, match="starts at random: train model untrained"):
        start(faithful, batches=None, seed=0)

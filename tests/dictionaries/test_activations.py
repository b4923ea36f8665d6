import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from glasscortex.data.batches import Batches
from glasscortex.data.store import verify
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.hooks import reading
from glasscortex.dictionaries import activations as module
from glasscortex.dictionaries.activations import Activations, record
from glasscortex.errors import InputError
from glasscortex.words import SPLITS


@settings(max_examples=25)
@given(
    windows=st.integers(1, 40),
    size=st.integers(1, 70),
    chunk=st.integers(1, 30),
    buffered=st.integers(1, 4),
    seed=st.integers(0, 9),
)
def test_each_pass_of_batches_gives_every_token_once(
    write_activations, tmp_path_factory, windows, size, chunk, buffered, seed
):
    n = 3 * windows
    x = np.arange(n, dtype=np.float32).reshape(windows, 3, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK", chunk)
        patch.setattr(module, "BUFFERED", buffered)
        recorded = Activations(write_activations(tmp_path_factory.mktemp("a"), {"train": x}))
        batches = recorded.batches("train", size, np.random.default_rng(seed))
        stream = [next(batches) for _ in range(-(-2 * n // size))]
    assert all(batch.shape == (size, 1) for batch in stream)
    tokens = torch.cat(stream).squeeze(1).numpy()
    for one_pass in (tokens[:n], tokens[n : 2 * n]):
        np.testing.assert_array_equal(np.sort(one_pass), np.arange(n))


def test_the_order_of_batches_follows_from_the_seed_and_mixes_windows(planted):
    def first(seed):
        return next(Activations(planted).batches("train", 512, np.random.default_rng(seed)))

    assert torch.equal(first(1), first(1)) and not torch.equal(first(1), first(2))
    in_order = next(Activations(planted).blocks("train")).x
    places = [(in_order - token).abs().sum(1).argmin().item() for token in first(1)[:50]]
    assert abs(np.corrcoef(np.arange(50), places)[0, 1]) < 0.5


def test_blocks_give_back_what_was_written_across_chunks(
    write_activations, tokens, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "CHUNK", 7)
    x = np.random.default_rng(0).normal(size=(11, 3, 4)).astype(np.float32)
    recorded = Activations(write_activations(tmp_path, {"test": x}, first_trial=100))
    blocks = list(recorded.blocks("test"))
    assert [len(block.trial) for block in blocks] == [7, 7, 7, 7, 5]
    np.testing.assert_array_equal(torch.cat([b.x for b in blocks]), x.reshape(-1, 4))
    trials = np.concatenate([block.trial for block in blocks])
    np.testing.assert_array_equal(trials, np.repeat(np.arange(100, 111), 3))
    assert recorded.tokens("train") == 0 and not list(recorded.blocks("train"))


def test_moments_are_numpys(planted):
    mean, variance = Activations(planted).moments("test")
    x = torch.cat([block.x for block in Activations(planted).blocks("test")]).double().numpy()
    np.testing.assert_allclose(mean, x.mean(0), rtol=1e-12)
    np.testing.assert_allclose(variance, x.var(0).sum(), rtol=1e-9)


@pytest.mark.parametrize("x", [np.ones((5, 2, 3)), np.empty((0, 2, 3))])
def test_activations_that_do_not_vary_are_an_error(write_activations, tmp_path, x):
    recorded = Activations(write_activations(tmp_path, {"train": x.astype(np.float32)}))
    with pytest.raises(InputError, match=r"train activations of latents\.1 do not vary: choose"):
        recorded.moments("train")


@pytest.fixture
def recording(world, decoder, tmp_path):
    def run(name="a"):
        folder = tmp_path / name
        folder.mkdir()
        decoder.save(folder)
        out, manifest = folder / "latents.1.zarr", folder / "latents.1.json"
        record(
            decoder=folder,
            trials=world[1],
            windows=world[2],
            hook="latents.1",
            out=out,
            manifest=manifest,
        )
        return out, manifest

    return run


def test_record_holds_what_the_hook_saw_of_each_split(world, decoder, recording):
    trials, _, windows, _ = world
    out, manifest = recording()
    assert verify(out, manifest) == {"hook": "latents.1"}
    recorded = Activations(out)
    assert (recorded.hook, recorded.dim) == ("latents.1", 16)
    owners = pd.Series(dtype=int)
    for split in SPLITS:
        (block,) = recorded.blocks(split)
        assert set(block.trial) == set(trials.index[trials["split"] == split])
        owners = pd.concat([owners, pd.Series(block.trial).value_counts()])
    tokens = {"drifting_gratings": 10, "natural_movie_one": 5}
    assert (owners.sort_index() == trials["stimulus"].map(tokens)).all()
    one = np.zeros(len(trials), bool)
    one[block.trial[0]] = True
    (batch,) = Batches(WindowsFolder(windows), trials, decoder.vocabulary, 1).ordered(one)
    with torch.no_grad(), reading(decoder, "latents.1") as seen:
        decoder(batch)
    x = block.x[block.trial == block.trial[0]]
    torch.testing.assert_close(x, seen.value[0], atol=1e-5, rtol=0)


def test_recording_twice_gives_the_same_bytes(recording):
    (_, first), (_, second) = recording("a"), recording("b")
    assert first.read_bytes() == second.read_bytes()


def test_an_unknown_hook_is_an_error_and_leaves_nothing(world, decoder, tmp_path):
    decoder.save(tmp_path)
    out, manifest = tmp_path / "out" / "x.zarr", tmp_path / "out" / "x.json"
    with pytest.raises(InputError, match=r"hook latents\.9 does not exist"):
        record(
            decoder=tmp_path,
            trials=world[1],
            windows=world[2],
            hook="latents.9",
            out=out,
            manifest=manifest,
        )
    assert not list((tmp_path / "out").iterdir())

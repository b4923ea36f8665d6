import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from glasscortex.dictionaries.activations import RecordedTokens
from glasscortex.dictionaries.tokens import ArrayTokens, Tokens
from glasscortex.errors import InputError


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
        patch.setattr(Tokens, "chunk", chunk)
        patch.setattr(Tokens, "buffered", buffered)
        path = write_activations(tmp_path_factory.mktemp("a"), {"train": x})
        for source in (RecordedTokens(path, "train"), ArrayTokens(x.reshape(n, 1))):
            batches = source.batches(size, np.random.default_rng(seed))
            stream = [next(batches) for _ in range(-(-2 * n // size))]
            assert all(batch.shape == (size, 1) for batch in stream)
            tokens = torch.cat(stream).squeeze(1).numpy()
            for one_pass in (tokens[:n], tokens[n : 2 * n]):
                np.testing.assert_array_equal(np.sort(one_pass), np.arange(n))


def test_the_order_of_batches_follows_from_the_seed_and_mixes_windows(planted):
    recorded = RecordedTokens(planted, "train")

    def first(seed):
        return next(recorded.batches(512, np.random.default_rng(seed)))

    assert torch.equal(first(1), first(1)) and not torch.equal(first(1), first(2))
    in_order = next(recorded.blocks()).x
    places = [(in_order - token).abs().sum(1).argmin().item() for token in first(1)[:50]]
    assert abs(np.corrcoef(np.arange(50), places)[0, 1]) < 0.5


def test_moments_are_numpys(planted):
    recorded = RecordedTokens(planted, "test")
    x = torch.cat([block.x for block in recorded.blocks()])
    for source in (recorded, ArrayTokens(x)):
        mean, variance = source.moments()
        np.testing.assert_allclose(mean, x.double().numpy().mean(0), rtol=1e-12)
        np.testing.assert_allclose(variance, x.double().numpy().var(0).sum(), rtol=1e-9)


@pytest.mark.parametrize("x", [np.ones((5, 2, 3)), np.empty((0, 2, 3))])
def test_activations_that_do_not_vary_are_an_error(write_activations, tmp_path, x):
    path = write_activations(tmp_path, {"train": x.astype(np.float32)})
    with pytest.raises(InputError, match=r"train activations of latents\.1 do not vary: choose"):
        RecordedTokens(path, "train").moments()
    with pytest.raises(InputError, match=rf"the {2 * len(x)} tokens do not vary: choose"):
        ArrayTokens(x.reshape(-1, 3)).moments()


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.ones((2, 3, 4)), r"shape \(2, 3, 4\): give \(tokens, d_in\)"),
        (np.array([[1.0, np.nan]]), "NaN or infinite numbers: remove"),
    ],
)
def test_an_array_that_holds_no_tokens_is_an_error(x, words):
    with pytest.raises(InputError, match=words):
        ArrayTokens(x)

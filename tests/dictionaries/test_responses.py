import numpy as np
import pytest
import torch
import xarray as xr

from glasscortex.data.responses import read_responses
from glasscortex.dictionaries import responses
from glasscortex.dictionaries.activations import RecordedTokens
from glasscortex.dictionaries.responses import compute_responses, write_responses
from glasscortex.dictionaries.tokens import Tokens
from glasscortex.words import SPLITS


@pytest.fixture
def recorded(write_activations, tmp_path, monkeypatch):
    """Windows of 3 tokens: 11 train, none validation, 5 test, in small chunks."""
    monkeypatch.setattr(Tokens, "chunk", 7)
    monkeypatch.setattr(responses, "CHUNK", 4)
    rng = np.random.default_rng(0)
    windows = {split: rng.normal(size=(n, 3, 6)) for split, n in (("train", 11), ("test", 5))}
    windows = {split: x.astype(np.float32) for split, x in windows.items()}
    return windows, write_activations(tmp_path, windows, first_trial=40)


def test_responses_are_means_over_the_tokens_of_a_window(recorded, random_weights):
    windows, path = recorded
    for split, trials in (("train", range(40, 51)), ("test", range(51, 56))):
        computed = compute_responses(random_weights(), RecordedTokens(path, split))
        expected = random_weights().encode(torch.from_numpy(windows[split])).mean(1)
        np.testing.assert_array_equal(computed.trial, trials)
        np.testing.assert_allclose(computed.values, expected, atol=1e-6)
        assert computed.values.dtype == np.float32


def test_a_window_may_be_longer_than_a_chunk(
    write_activations, random_weights, tmp_path, monkeypatch, tokens
):
    monkeypatch.setattr(Tokens, "chunk", 2)
    x = tokens(14).reshape(2, 7, 6)
    path = write_activations(tmp_path, {"test": x.numpy()})
    computed = compute_responses(random_weights(), RecordedTokens(path, "test"))
    np.testing.assert_array_equal(computed.trial, [0, 1])
    np.testing.assert_allclose(computed.values, random_weights().encode(x).mean(1), atol=1e-6)


def test_reading_is_computing(recorded, random_weights, tmp_path):
    write_responses(tmp_path / "r.zarr", random_weights(), recorded[1])
    for split in SPLITS:
        read = read_responses(tmp_path / "r.zarr", split)
        computed = compute_responses(random_weights(), RecordedTokens(recorded[1], split))
        np.testing.assert_array_equal(read.trial, computed.trial)
        np.testing.assert_array_equal(read.values, computed.values)
        assert (read.trial.dtype, read.values.dtype) == (np.int64, np.float32)
    assert read_responses(tmp_path / "r.zarr", "validation").values.shape == (0, 10)


def test_xarray_reads_them_with_their_coordinates(recorded, random_weights, tmp_path):
    write_responses(tmp_path / "r.zarr", random_weights(), recorded[1])
    tree = xr.open_datatree(tmp_path / "r.zarr", engine="zarr")
    assert set(tree.children) == set(SPLITS)
    response = tree["train/response"]
    assert response.dims == ("presentation", "unit") and response.dtype == np.float32
    np.testing.assert_array_equal(response["trial"], np.arange(40, 51))
    np.testing.assert_array_equal(response.sel(unit=3), response[:, 3])
    np.testing.assert_array_equal(
        response, compute_responses(random_weights(), RecordedTokens(recorded[1], "train")).values
    )

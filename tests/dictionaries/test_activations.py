import numpy as np
import pandas as pd
import torch
import xarray as xr

from glasscortex.data.batches import Batches
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.hooks import reading
from glasscortex.dictionaries.activations import RecordedTokens, hook_of
from glasscortex.dictionaries.activations import write_activations as record
from glasscortex.dictionaries.tokens import Tokens
from glasscortex.words import SPLITS


def test_blocks_give_back_what_was_written_across_chunks(write_activations, tmp_path, monkeypatch):
    monkeypatch.setattr(Tokens, "chunk", 7)
    x = np.random.default_rng(0).normal(size=(11, 3, 4)).astype(np.float32)
    path = write_activations(tmp_path, {"test": x}, first_trial=100)
    blocks = list(RecordedTokens(path, "test").blocks())
    assert [len(block.trial) for block in blocks] == [7, 7, 7, 7, 5]
    np.testing.assert_array_equal(torch.cat([b.x for b in blocks]), x.reshape(-1, 4))
    trials = np.concatenate([block.trial for block in blocks])
    np.testing.assert_array_equal(trials, np.repeat(np.arange(100, 111), 3))
    none = RecordedTokens(path, "train")
    assert len(none) == 0 and not list(none.blocks())


def test_what_is_recorded_is_what_the_hook_saw_of_each_split(world, decoder, batches, tmp_path):
    trials, _, windows, _ = world
    path = tmp_path / "a.zarr"
    record(path, decoder, batches, "latents.1")
    assert hook_of(path) == "latents.1"
    owners = pd.Series(dtype=int)
    for split in SPLITS:
        recorded = RecordedTokens(path, split)
        assert (recorded.hook, recorded.d_in) == ("latents.1", 16)
        (block,) = recorded.blocks()
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
    torch.testing.assert_close(x, seen["latents.1"][0], atol=1e-5, rtol=0)


def test_xarray_reads_recorded_activations(write_activations, tmp_path):
    x = np.random.default_rng(0).normal(size=(5, 3, 4)).astype(np.float32)
    path = write_activations(tmp_path, {"test": x})
    read = xr.open_zarr(path, group="test", consolidated=False)["x"]
    assert read.dims == ("token", "feature")
    np.testing.assert_array_equal(read.sel(token=read["trial"] == 2), x[2])

import pandas as pd
import pytest
import torch

from glasscortex.config import AttributionConfig
from glasscortex.dictionaries import TopK
from glasscortex.errors import InputError
from glasscortex.files import sealed_write
from glasscortex.stages.attribute import attribute

TABLES = {"effects": "csv", "reuse": "csv", "cells": "parquet", "times": "parquet"}


@pytest.fixture
def arguments(world, decoder, tmp_path):
    (tmp_path / "decoder").mkdir()
    decoder.save(tmp_path / "decoder")
    return {
        "decoder": tmp_path / "decoder",
        "folder": tmp_path / "sae",
        "trials": world[1],
        "windows": world[2],
        **{name: tmp_path / f"{name}.{suffix}" for name, suffix in TABLES.items()},
        "model": "trained",
        "seed": 3,
        "sae": "axes",
        "config": AttributionConfig(windows=8, nodes=2),
    }


def saved(folder, hook):
    axes = TopK(width=16, k=16, hook=hook).build(16).requires_grad_(False)
    axes.W_dec.copy_(torch.eye(16))
    axes.W_enc.copy_(torch.eye(16))
    axes.save(folder)


def test_the_tables_name_their_rows_and_are_written_alike_twice(arguments, vocabulary):
    saved(arguments["folder"], "latents.1")
    attribute(**arguments)
    written = [arguments[name].read_bytes() for name in TABLES]
    for name in ("effects", "reuse"):
        table = pd.read_csv(arguments[name])
        assert (table[["model", "seed", "sae"]] == ["trained", 3, "axes"]).all(axis=None)
        assert set(table["task"]) == set(vocabulary.tasks)
    for name, place in (("cells", "cell"), ("times", "time_s")):
        table = pd.read_parquet(arguments[name])
        assert list(table) == ["session_id", "stimulus", "unit", place, "attribution"]
        assert set(table["session_id"]) == {"a", "b"}
    attribute(**arguments)
    assert [arguments[name].read_bytes() for name in TABLES] == written


def test_a_dictionary_without_a_hook_is_told(arguments):
    saved(arguments["folder"], None)
    with pytest.raises(InputError, match="no hook"):
        attribute(**arguments)


def test_trials_that_were_changed_are_refused(arguments, tmp_path):
    saved(arguments["folder"], "latents.1")
    table, own = pd.read_parquet(arguments["trials"]), tmp_path / "changed.parquet"
    with sealed_write(own) as temporary:
        table.to_parquet(temporary)
    table[::-1].to_parquet(own)
    with pytest.raises(InputError, match="is damaged or was changed"):
        attribute(**arguments | {"trials": own})

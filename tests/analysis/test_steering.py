"""Adding units on a decoder whose outputs are the activations."""

import numpy as np
import pandas as pd
import pytest
import torch

from glasscortex.analysis.bench import Bench
from glasscortex.analysis.steering import COLUMNS, DOSES, UNITS, Addition, steered
from glasscortex.data.windows import WindowsFolder


@pytest.fixture
def bench(decoder, sae, world):
    return Bench(decoder, sae, world[0], WindowsFolder(world[2]), np.ones(48), 20, seed=0)


def told(bench, units):
    mice = pd.Series({"a": "m1", "b": "m2"})
    return steered(bench, units, np.arange(48), mice, np.random.default_rng(0))


def test_rows_are_doses_of_own_and_of_random_units_and_of_side_effects(bench, vocabulary):
    table = told(bench, {"direction": np.arange(9), "running_speed": np.arange(3)})
    assert list(table.columns) == COLUMNS
    assert set(table["variable"]) == {"direction"}  # a value has no label to turn to
    counts = table.groupby(["measure", "condition"]).size().to_dict()
    others = len(vocabulary.tasks) - 1
    assert counts == {
        ("turned", "own"): len(DOSES),
        ("turned", "random"): len(DOSES),
        ("lost", "own"): len(DOSES) * others,
    }
    assert (table["n_units"] == UNITS).all()
    assert table["value"].between(-1, 1).all()


def test_a_unit_that_writes_its_label_turns_all_decoding_to_it(bench, decoder, monkeypatch):
    """Every unit's atom is made what the head of its preferred direction reads."""
    head = decoder.head("direction")
    features = head.weight.unflatten(1, (head.steps, -1)).sum(1)
    label = bench.moments.responses["direction"].argmax(dim=1)
    others = features - features.mean(0)
    bench.atoms = 1e4 * others[label]
    monkeypatch.setattr("glasscortex.analysis.steering.DOSES", (0, 1))
    moved = decoder.transformer.reader.attention
    torch.nn.init.eye_(moved.out.weight)
    table = told(bench, {"direction": np.arange(4)})
    turned = table[(table["measure"] == "turned") & (table["condition"] == "own")]
    assert turned["value"].iloc[0] == 0
    assert turned["value"].iloc[1] > 0.5


def test_an_addition_is_the_same_for_every_token():
    x = torch.zeros(2, 3, 4)
    added = Addition(torch.arange(4.0))(x, None)
    torch.testing.assert_close(added, torch.arange(4.0).expand(2, 3, 4))

"""Cells are probed session by session, each on its own windows."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.cells import CELLS_TOPK, cell_probing
from glasscortex.data.windows import ArrayWindows
from glasscortex.words import CELLS

ANGLES = 90.0 * np.arange(4)
REPEATS = {"train": 6, "validation": 4, "test": 5}


@pytest.fixture
def trials():
    """Two sessions; the rows of the second are not in the order of its presentations."""
    rows = [
        {"session_id": session, "stimulus": "drifting_gratings", "split": split}
        | {"presentation": i, "label_direction": ANGLES[i % 4]}
        for session in ("a", "b")
        for i, split in enumerate(np.repeat(list(REPEATS), [4 * n for n in REPEATS.values()]))
    ]
    table = pd.DataFrame(rows)
    order = np.concatenate([np.arange(60), 60 + np.random.default_rng(0).permutation(60)])
    return table.iloc[order].reset_index(drop=True)


def windows(session: str, cells: int, signal: float) -> ArrayWindows:
    """The first four cells are each active in a direction of their own, late in the window."""
    rng = np.random.default_rng(cells)
    values = rng.normal(scale=0.1, size=(60, cells, 3))
    values[np.arange(60), np.arange(60) % 4, 2] += signal
    names = [f"7/{i}" for i in range(cells)]
    return ArrayWindows(session, names, {"drifting_gratings": values}, 10.0)


def of_cells(windows, trials) -> pd.DataFrame:
    probes = cell_probing(windows, trials)
    return probes[probes["sae"] == CELLS]


def test_each_session_is_told_apart_by_its_own_cells(trials):
    probes = of_cells({"a": windows("a", 5, 3.0), "b": windows("b", 9, 3.0)}, trials)
    assert set(probes["measure"]) == {"auroc_1", "auroc_2", "auroc_5", "auroc_dense"}
    assert set(zip(probes["session_id"], probes["split"], strict=True)) == {
        (session, split) for session in "ab" for split in ("validation", "test")
    }
    assert (probes.loc[probes["measure"] == "auroc_1", "value"] == 1).all()
    assert (probes.loc[probes["split"] == "test", "n"] == 20).all()


def test_a_session_of_noise_takes_nothing_from_another(trials):
    probes = of_cells({"a": windows("a", 5, 3.0), "b": windows("b", 9, 0.0)}, trials)
    one = probes[probes["measure"] == "auroc_1"].groupby("session_id")["value"].mean()
    assert one["a"] == 1
    assert abs(one["b"] - 0.5) < 0.2


def test_units_of_a_dictionary_tell_assemblies_that_no_cell_tells(trials):
    """A cell is active in a direction and, as strongly, with a partner of its own in another."""
    rng = np.random.default_rng(0)
    pairs = {0: (0, 1), 1: (1, 2), 2: (2, 3), 3: (3, 0)}
    values = rng.normal(scale=0.05, size=(60, 4, 6))
    for i in range(60):
        values[i, pairs[i % 4]] += 1.0
    own = trials[trials["session_id"] == "a"]
    reader = ArrayWindows("a", [f"7/{i}" for i in range(4)], {"drifting_gratings": values}, 10.0)
    probes = cell_probing({"a": reader}, own)
    one = probes[probes["measure"] == "auroc_1"].groupby("sae")["value"].mean()
    assert one[CELLS] < 0.9
    assert one[CELLS_TOPK] > 0.95

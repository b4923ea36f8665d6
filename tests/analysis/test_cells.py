"""Cells are probed session by session, each on its own windows."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.cells import cell_probing
from glasscortex.data.windows import ArrayWindows

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


def test_each_session_is_told_apart_by_its_own_cells(trials):
    probes = cell_probing({"a": windows("a", 5, 3.0), "b": windows("b", 9, 3.0)}, trials)
    assert set(probes["measure"]) == {"auroc_1", "auroc_2", "auroc_5", "auroc_dense"}
    assert set(zip(probes["session_id"], probes["split"], strict=True)) == {
        (session, split) for session in "ab" for split in ("validation", "test")
    }
    assert (probes.loc[probes["measure"] == "auroc_1", "value"] == 1).all()
    assert (probes.loc[probes["split"] == "test", "n"] == 20).all()


def test_a_session_of_noise_takes_nothing_from_another(trials):
    probes = cell_probing({"a": windows("a", 5, 3.0), "b": windows("b", 9, 0.0)}, trials)
    one = probes[probes["measure"] == "auroc_1"].groupby("session_id")["value"].mean()
    assert one["a"] == 1
    assert abs(one["b"] - 0.5) < 0.2

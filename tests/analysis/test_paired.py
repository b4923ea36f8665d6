"""Means over sessions, and differences between dictionaries, of known tables."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.paired import compared, summarised


def _table(task: str, measure: str, rows: list[tuple[str, float, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["session_id", "value", "weight"])
    return frame.assign(task=task, measure=measure, chance=0.1, split="test", n=1)


def test_purity_is_of_all_sessions_tops_together():
    rows = [("a", 0.5, 4.0), ("b", 1.0, 1.0), ("c", np.nan, 0.0)]
    row, all_gratings = summarised(_table("direction", "purity", rows)).itertuples()
    assert (all_gratings.task, all_gratings[3:]) == ("all gratings", row[3:])
    assert row.value == pytest.approx(3 / 5)
    assert (row.n_sessions, row.chance) == (3, pytest.approx(0.1))
    assert row.ci_low < row.value < row.ci_high


def test_dictionaries_are_compared_session_by_session():
    rng = np.random.default_rng(0)
    level = rng.normal(size=6)
    names = [f"s{i}" for i in range(6)]
    ours, theirs = (
        pd.concat(
            [
                _table("direction", "auroc_1", [(s, v, 1.0) for s, v in zip(names[:4], a[:4])]),
                _table("phase", "auroc_1", [(s, v, 1.0) for s, v in zip(names[4:], a[4:])]),
            ]
        )
        for a in (level + 0.1 + 1e-3 * rng.normal(size=6), level)
    )
    table = compared(ours, theirs).set_index("task")
    assert table.index.tolist() == ["direction", "phase", "all gratings"]
    np.testing.assert_allclose(table["difference"], 0.1, atol=0.005)
    assert table["ci_low"].min() > 0.08
    assert table["n_sessions"].tolist() == [4, 2, 6]
    same = compared(ours, ours)
    assert (same[["difference", "ci_low", "ci_high"]] == 0).all(axis=None)

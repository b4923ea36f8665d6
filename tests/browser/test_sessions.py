"""What is shown of the recordings."""

import pandas as pd
import pytest

from glasscortex.browser.sessions import overview, pages, scores


@pytest.fixture
def sessions():
    rows = {"session_id": ["007", "8"], "mouse": ["m", "n"], "container_id": ["1", "2"]}
    return pd.DataFrame(rows | {"source": "file", "held_out": False})


@pytest.fixture
def quality():
    rows = [("007", 1, True, 2.0), ("007", 2, True, 4.0), ("007", 3, False, 9.0)]
    columns = ["session_id", "cell_specimen_id", "used", "snr"]
    table = pd.DataFrame(rows, columns=columns).assign(reason=None, noise=0.1)
    return table.assign(baseline_drift=0.0, low_baseline_fraction=0.0, r=0.7)


@pytest.fixture
def decoding():
    scored = {("trained", 0): 0.8, ("trained", 1): 0.6, ("linear", 0): 0.5, ("lda", 0): 0.4}
    rows = [
        (*decoder, session, task, split, metric, value + 0.1 * (task == "scene"))
        for decoder, value in scored.items()
        for session in ("007", "8", "all")
        for task in ("direction", "scene")
        for split in ("validation", "test")
        for metric in ("accuracy", "balanced_accuracy")
    ]
    rows += [("trained", 0, "007", "running_speed", "test", "r2", -0.5)]
    columns = ["model", "seed", "session_id", "task", "split", "metric", "value"]
    numbers = {"ci_low": 0.0, "ci_high": 1.0, "chance": 0.1, "n": 20}
    return pd.DataFrame(rows, columns=columns).assign(**numbers)


def test_sessions_are_told_by_their_used_cells(sessions, quality):
    table = overview(sessions, quality)
    assert table["session_id"].tolist() == ["007", "8"]
    assert table.loc[0, ["cells", "used", "snr"]].tolist() == [3, 2, 3.0]
    assert table.loc[1, ["cells", "used", "snr"]].isna().all()
    assert "source" not in table


def test_the_accuracy_of_a_session_is_that_of_its_classifications(decoding):
    table = scores(decoding).set_index(["model", "seed", "session_id"])
    assert set(table.index.unique("model")) == {"trained"}
    first = table.loc[("trained", 0, "007")]
    assert first[["accuracy", "linear", "lead"]].tolist() == pytest.approx([0.85, 0.55, 0.3])
    assert first[["direction", "scene", "running_speed"]].tolist() == [0.8, 0.9, -0.5]
    assert table.loc[("trained", 1, "8"), "accuracy"] == pytest.approx(0.65)


def test_a_page_holds_the_rows_of_its_session(sessions, quality, decoding):
    counts = {"session_id": ["8"], "model": "trained", "seed": 0, "task": "direction"}
    confusion = pd.DataFrame(counts | {"label": 0.0, "predicted": 45.0, "n": 3})
    found = {row["session_id"]: page for row, page in pages(sessions, quality, decoding, confusion)}
    assert len(found["007"]["quality"]) == 3 and found["8"]["quality"].empty
    assert found["007"]["confusion"].empty and found["8"]["confusion"]["n"].tolist() == [3]
    rows = found["8"]["decoding"].set_index(["model", "seed", "task", "metric"])
    assert len(rows) == 16
    assert rows.loc[("linear", 0, "scene", "accuracy"), "over_sessions"] == 0.6
    assert found["007"]["decoding"]["over_sessions"].isna().sum() == 1

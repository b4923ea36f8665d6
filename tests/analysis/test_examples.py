"""Which presentations and cells show what a unit does."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.driving import CELLS, OF_EXAMPLE, by_time, driving
from glasscortex.analysis.examples import NUMBER, cell_traces, examples
from glasscortex.analysis.neighbours import neighbours
from glasscortex.data.windows import WindowsFolder


@pytest.fixture
def responses():
    rng = np.random.default_rng(0)
    return (rng.random((200, 4)) * [1, 1, 1, 0] * (rng.random((200, 4)) < 0.5)).astype(np.float32)


def test_examples_are_the_strongest_those_around_the_median_and_drawn_ones(responses):
    rows = examples(responses, np.array([0, 2]), np.random.default_rng(0))
    assert rows["unit"].unique().tolist() == [0, 2]
    for unit, own in rows.groupby("unit"):
        assert (own["response"] == responses[own["row"], unit]).all()
        ranked = np.sort(responses[:, unit])[::-1]
        assert own.loc[own["kind"] == "top", "response"].tolist() == ranked[:NUMBER].tolist()
        median = np.median(ranked[ranked > 0])
        middle = own.loc[own["kind"] == "middle", "response"]
        assert middle.min() <= median <= middle.max()
        assert len(middle) == NUMBER
        drawn = own.loc[own["kind"] == "random", "row"]
        assert drawn.is_unique
        assert (responses[drawn, unit] > 0).all()


def test_a_silent_unit_has_no_examples_and_no_unit_none(responses):
    assert examples(responses, np.array([3]), np.random.default_rng(0)).empty
    none = examples(responses, np.array([], int), np.random.default_rng(0))
    assert list(none) == ["unit", "kind", "row", "response"]
    assert none.empty


def test_traces_are_what_the_windows_hold(world):
    trials, _, folder, cells = world
    windows = WindowsFolder(folder)
    wanted = pd.DataFrame({"trial": [250, 3, 170, 3], "cell": ["b/2", "a/5", "b/0", "a/1"]})
    for row, trace in zip(wanted.itertuples(), cell_traces(windows, trials, wanted), strict=True):
        shown = trials.iloc[row.trial]
        values = windows[shown["session_id"]].read(
            shown["stimulus"], np.array([shown["presentation"]])
        )
        own = cells[shown["session_id"]].index(row.cell)
        assert (trace == values[0, own]).all()


def part(session: str, attribution: np.ndarray) -> pd.DataFrame:
    units, cells = attribution.shape
    names = [f"{session}/{cell}" for cell in range(cells)]
    return pd.DataFrame(
        {
            "session_id": session,
            "stimulus": "natural_scenes",
            "unit": np.repeat(np.arange(units), cells),
            "cell": np.tile(names, units),
            "attribution": attribution.ravel().astype(np.float32),
        }
    )


def test_cells_are_ranked_over_sessions_and_those_of_examples_within_one():
    rng = np.random.default_rng(0)
    values = {session: rng.normal(size=(3, 20)) for session in "xyz"}
    asked = pd.DataFrame({"session_id": ["y"], "stimulus": "natural_scenes", "unit": [1]})
    found = driving((part(session, v) for session, v in values.items()), asked)
    every = pd.concat(part(session, v) for session, v in values.items())
    for unit, own in found.cells.groupby("unit"):
        expected = every.loc[every["unit"] == unit, "attribution"].abs().nlargest(CELLS)
        assert own["attribution"].abs().tolist() == expected.tolist()
    assert found.examples["unit"].tolist() == [1] * OF_EXAMPLE
    largest = np.argsort(-np.abs(values["y"][1]))[:OF_EXAMPLE]
    assert found.examples["cell"].tolist() == [f"y/{cell}" for cell in largest]
    shares = found.examples["attribution"] / np.abs(values["y"][1]).sum()
    np.testing.assert_allclose(found.examples["share"], shares, rtol=1e-5)


def test_the_map_is_of_the_session_that_drives_the_unit_most():
    weak, strong = np.full((2, 3), 0.1), np.array([[1.0, -2.0, 0.0], [0.0, 0.01, 0.0]])
    found = driving([part("weak", weak), part("strong", strong)], part("weak", weak)[:0])
    first, second = (found.maps[found.maps["unit"] == unit] for unit in (0, 1))
    assert first["session_id"].unique().tolist() == ["strong"]
    assert first["attribution"].tolist() == [1, -2, 0]
    assert second["session_id"].unique().tolist() == ["weak"]


def test_nothing_drives_what_was_never_traced():
    found = driving([], pd.DataFrame(columns=["session_id", "stimulus", "unit"]))
    assert found.cells.empty and found.examples.empty and found.maps.empty
    assert by_time([]).empty


def test_times_are_averaged_over_sessions():
    times = pd.DataFrame({"stimulus": "s", "unit": [0, 0, 1], "time_s": [0.1, 0.3, 0.1]})
    first, second = times.assign(attribution=[1.0, 2.0, 3.0]), times[:2].assign(attribution=[3, 6])
    rows = by_time([first, second]).set_index(["unit", "time_s"])
    assert rows["attribution"].to_dict() == {(0, 0.1): 2, (0, 0.3): 4, (1, 0.1): 3}
    assert rows["n"].tolist() == [2, 2, 1]


def test_neighbours_are_the_closest_among_the_described(responses):
    rng = np.random.default_rng(0)
    atoms = rng.normal(size=(4, 5)).astype(np.float32)
    units = np.array([0, 1, 2])
    rows = neighbours(atoms, responses, units)
    assert set(rows["neighbour"]) == {0, 1, 2}
    for row in rows.itertuples():
        assert row.unit != row.neighbour
        first, second = atoms[row.unit], atoms[row.neighbour]
        cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
        correlation = np.corrcoef(responses[:, row.unit], responses[:, row.neighbour])[0, 1]
        expected = cosine if row.kind == "cosine" else correlation
        assert row.value == pytest.approx(expected, abs=1e-5)
    for _, own in rows.groupby(["unit", "kind"]):
        assert own["value"].is_monotonic_decreasing

"""Which units a session drives, and which are more active in it."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from glasscortex.analysis.by_session import UNITS, above_others, driven


def part(attribution):
    """Attributions, units × cells, of one session and stimulus."""
    unit, cell = np.indices(np.shape(attribution))
    rows = {"session_id": "s", "stimulus": "gratings", "unit": unit.ravel()}
    rows |= {"cell": [f"c/{i}" for i in cell.ravel()], "attribution": np.ravel(attribution)}
    return pd.DataFrame(rows)


def test_units_are_ranked_by_all_that_cells_do_to_them():
    found = driven(part([[1.0, 1.0, 0.0], [-3.0, 2.0, 1.0], [0.0, 0.0, 0.0]]))
    assert found["unit"].tolist() == [1, 0]
    assert found["attribution"].tolist() == [0.0, 2.0]
    assert found["cell"].tolist() == ["c/0", "c/0"]
    assert found["share"].tolist() == [0.5, 0.5]


def test_no_more_units_are_kept_than_are_shown():
    found = driven(part(np.arange(2.0 * UNITS)[:, None]))
    assert found["unit"].tolist() == list(range(2 * UNITS - 1, UNITS - 1, -1))


@given(st.integers(0, 2**32 - 1), st.integers(3, 8))
def test_a_session_is_held_against_the_others_alone(seed, sessions):
    means = np.random.default_rng(seed).normal(size=(sessions, 5))
    names = [f"s{i}" for i in range(sessions)]
    found = above_others(names, means, np.arange(5) + 10)
    assert (found["deviations"] > 0).all()
    for row in found.itertuples():
        place, unit = names.index(row.session_id), row.unit - 10
        others = np.delete(means[:, unit], place)
        np.testing.assert_allclose(row.others, others.mean())
        expected = (means[place, unit] - others.mean()) / others.std(ddof=1)
        np.testing.assert_allclose(row.deviations, expected, rtol=1e-6)
    largest = found.groupby("session_id")["deviations"]
    assert all(values.is_monotonic_decreasing for _, values in largest)


def test_units_that_do_the_same_everywhere_are_above_nowhere():
    assert above_others(["a", "b", "c"], np.full((3, 2), 0.1), np.arange(2)).empty
    assert above_others(["a", "b"], np.eye(2), np.arange(2)).empty

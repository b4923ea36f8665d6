"""Parents that lost a child to a unit of its own are told from those that kept it."""

import numpy as np
import pandas as pd
import pytest

from glasscortex.analysis.hierarchy import families
from glasscortex.analysis.paired import summarised
from glasscortex.analysis.probing import probing
from tests.analysis.worlds import presentations

ANGLES = 45.0 * np.arange(8)


def probed(units_of) -> pd.Series:
    """By measure, how well orientations are told; `units_of` directions gives the responses."""
    rng, parts = np.random.default_rng(0), []
    for n in (12, 8, 20):
        direction = np.tile(ANGLES, 3 * n)
        responses = np.hstack([units_of(direction), rng.normal(size=(len(direction), 4))])
        labels = {"label_direction": direction, "label_orientation": direction % 180}
        parts.append(presentations(3, 8 * n, responses, **labels))
    probes = probing(*parts)
    assert set(probes.loc[probes["measure"] == "auroc_child", "task"]) == {"orientation"}
    table = summarised(probes[probes["split"] == "test"])
    return table[table["task"] == "orientation"].set_index("measure")["value"]


def parents(direction):
    return 1.0 * (direction[:, None] % 180 == ANGLES[:4])


def children(direction):
    return 1.0 * (direction[:, None] == ANGLES)


def test_parents_beside_their_children_tell_every_child():
    found = probed(lambda d: np.hstack([parents(d), children(d)]))
    assert found["auroc_child"] == found["auroc_1"] == 1


@pytest.mark.parametrize(
    "units",
    [
        children,
        lambda d: np.hstack([parents(d) * (d[:, None] < 180), children(d) * (ANGLES >= 180)]),
    ],
    ids=["no parents", "absorbed"],
)
def test_of_children_that_have_all_one_is_not_told(units):
    found = probed(units)
    assert found["auroc_child"] == 0.5
    assert found["auroc_1"] == 0.75
    assert found["auroc_2"] == 1


def test_classes_that_cross_are_no_family():
    rng = np.random.default_rng(0)
    one, other = (rng.integers(3, size=200)[:, None] == np.arange(3) for _ in range(2))
    assert families(one, other) == []


def test_a_class_of_a_single_one_is_no_parent():
    y = np.arange(4)[:, None] == np.arange(4)
    assert families(y, y) == []

"""Responses are standardised by whole sessions, however few of these are in memory together."""

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasscortex.analysis import labelled
from glasscortex.analysis.probing import probing
from tests.analysis.worlds import presentations

ANGLES = 45.0 * np.arange(8)
UNITS = 12


@dataclass
class OnDisk:
    """Responses of which only slices can be read; how many were, each time."""

    values: np.ndarray
    read: list[int] = field(default_factory=list)
    shape = property(lambda self: self.values.shape)
    dtype = property(lambda self: self.values.dtype)

    def __getitem__(self, rows: slice) -> np.ndarray:
        self.read.append(self.values[rows].size)
        return self.values[rows]


@pytest.fixture
def splits():
    """Train, validation and test of six sessions, some units tuned to direction."""
    rng, parts = np.random.default_rng(0), []
    for repeats in (12, 6, 9):
        direction = np.tile(ANGLES, 6 * repeats)
        tuned = np.pad(2.0 * (direction[:, None] == ANGLES), ((0, 0), (0, UNITS - 8)))
        responses = tuned + rng.normal(size=(len(direction), UNITS))
        labels = {"label_direction": direction, "label_orientation": direction % 180}
        parts.append(presentations(6, 8 * repeats, responses, **labels))
    return parts


def on_disk(splits):
    return [replace(part, responses=OnDisk(part.responses)) for part in splits]


def sorted_by_session(probes: pd.DataFrame) -> pd.DataFrame:
    keys = ["task", "split", "measure", "session_id"]
    return probes.sort_values(keys, ignore_index=True)


@pytest.mark.parametrize("sessions", [1, 2.5])
def test_what_is_told_does_not_depend_on_how_many_sessions_are_read_at_once(
    splits, monkeypatch, sessions
):
    expected = probing(*splits)
    most = int(sessions * 96 * UNITS)
    monkeypatch.setattr(labelled, "AT_ONCE", most)
    parts = on_disk(splits)
    found = probing(*parts)
    pd.testing.assert_frame_equal(sorted_by_session(found), sorted_by_session(expected))
    assert max(size for part in parts for size in part.responses.read) <= most
    assert "auroc_child" in set(found["measure"])


def test_sessions_that_lie_among_each_other_are_made_whole(splits, monkeypatch):
    monkeypatch.setattr(labelled, "AT_ONCE", 1)
    rng = np.random.default_rng(1)
    mixed = []
    for part in splits:
        order = rng.permutation(len(part.trials))
        trials = part.trials.iloc[order].reset_index(drop=True)
        mixed.append(replace(part, trials=trials, responses=part.responses[order]))
    pd.testing.assert_frame_equal(
        sorted_by_session(probing(*mixed)), sorted_by_session(probing(*splits))
    )


def test_a_split_in_which_nothing_is_known_tells_nothing(splits):
    train, validation, test = splits
    empty = test.where(np.zeros(len(test.trials), bool))
    assert set(probing(train, validation, empty)["split"]) == {"validation"}


@given(st.lists(st.integers(1, 9), max_size=12), st.integers(1, 20))
def test_blocks_are_whole_sessions_and_no_larger_than_they_must_be(sizes, most):
    session = np.repeat(np.arange(len(sizes)), sizes)
    blocks = [session[at] for at in labelled._blocks(session, most)]
    assert np.concatenate(blocks).tolist() == session.tolist()
    for block in blocks:
        assert len(block) <= most or len(set(block)) == 1
    together = [set(block) for block in blocks]
    assert sum(map(len, together)) == len(sizes)
    for block, following in pairwise(blocks):
        assert len(block) + (following == following[0]).sum() > most

"""Blocks, rows and timing of the sessions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasscortex.data.synthetic.design import BLOCKS, timeline
from glasscortex.words import SESSION_STIMULI

RATE = 30.0


def drawn(session_type, length=1.0, rate=RATE, seed=0):
    return timeline(session_type, length, rate, np.random.default_rng(seed))


def runs(shown, gap):
    """Rows of each contiguous block."""
    cuts = np.flatnonzero(shown.start[1:] - shown.stop[:-1] > gap) + 1
    return [len(part) for part in np.split(shown.start, cuts)]


@pytest.mark.parametrize("session_type", BLOCKS)
def test_session_types_show_what_the_vocabulary_says(session_type):
    assert set(drawn(session_type).presentations) == set(SESSION_STIMULI[session_type])


def test_drifting_gratings_of_a_full_session():
    shown = drawn("three_session_A").presentations["drifting_gratings"]
    direction, frequency = shown.columns["orientation"], shown.columns["temporal_frequency"]
    assert len(direction) == 630
    assert shown.blank.sum() == 30
    pairs, counts = np.unique(
        np.stack([direction, frequency])[:, ~shown.blank], axis=1, return_counts=True
    )
    assert pairs.shape == (2, 40)
    assert (counts == 15).all()
    assert (shown.stop - shown.start == 60).all()
    assert runs(shown, gap=60) == [210, 210, 210]
    assert set(np.diff(shown.start[:210])) == {90}


def test_static_gratings_and_scenes_of_a_full_session():
    presentations = drawn("three_session_B").presentations
    static, scenes = presentations["static_gratings"], presentations["natural_scenes"]
    assert len(static.start) == 6000
    assert (
        len(np.unique(np.stack(list(static.columns.values()))[:, ~static.blank], axis=1).T) == 120
    )
    assert runs(static, gap=15) == [1920, 1920, 2160]
    index, counts = np.unique(scenes.columns["index"], return_counts=True)
    assert len(scenes.start) == 5950
    assert (index == np.arange(-1, 118)).all()
    assert (counts == 50).all()
    for shown in (static, scenes):
        assert set(shown.stop - shown.start) == {7, 8}
        assert np.mean(shown.start[1:] == shown.stop[:-1]) > 0.99


@pytest.mark.parametrize(
    ("session_type", "movie", "rows", "blocks"),
    [
        ("three_session_A", "natural_movie_one", 9000, [9000]),
        ("three_session_A", "natural_movie_three", 36000, [18000, 18000]),
        ("three_session_C", "natural_movie_two", 9000, [9000]),
    ],
)
def test_movies_show_one_frame_a_row_and_whole_repeats(session_type, movie, rows, blocks):
    shown = drawn(session_type).presentations[movie]
    assert runs(shown, gap=15) == blocks
    frames = 3600 if movie.endswith("three") else 900
    assert (shown.columns["index"] == np.arange(rows) % frames).all()
    assert (shown.stop - shown.start == 1).all()


@pytest.mark.parametrize("session_type", ["three_session_A", "three_session_B"])
def test_full_sessions_are_as_long_as_real_ones(session_type):
    assert 112_000 < drawn(session_type).frames < 116_000


def test_spontaneous_blocks_last_five_minutes():
    shown = drawn("three_session_C").presentations["spontaneous"]
    assert (shown.stop - shown.start == 9000).all()
    assert len(shown.start) == 2


def test_order_depends_on_the_generator_only():
    first, again, other = (
        drawn("three_session_A", seed=seed)
        .presentations["drifting_gratings"]
        .columns["orientation"]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other, equal_nan=True)


@settings(max_examples=40)
@given(
    session_type=st.sampled_from(sorted(BLOCKS)),
    length=st.floats(0.005, 1),
    rate=st.floats(30, 60),
)
def test_no_two_presentations_share_a_frame(session_type, length, rate):
    session = drawn(session_type, length, rate)
    shown = np.concatenate(
        [np.stack([p.start, p.stop], axis=1) for p in session.presentations.values()]
    )
    shown = shown[np.argsort(shown[:, 0])]
    assert (shown[:, 0] < shown[:, 1]).all()
    assert (shown[1:, 0] >= shown[:-1, 1]).all()
    assert shown[0, 0] > 0
    assert shown[-1, 1] + 2 * rate < session.frames
    for presentations in session.presentations.values():
        assert {len(c) for c in presentations.columns.values()} <= {len(presentations.start)}


@settings(max_examples=20)
@given(length=st.floats(0.005, 1))
def test_every_condition_is_shown_equally_often_at_any_length(length):
    columns = drawn("three_session_B", length).presentations["static_gratings"].columns
    rows = np.stack(list(columns.values()), axis=1)
    _, counts = np.unique(rows[~np.isnan(rows[:, 0])], axis=0, return_counts=True)
    assert len(counts) == 120
    assert set(counts) == {max(1, round(48 * length))}

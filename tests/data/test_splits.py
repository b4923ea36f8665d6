import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasscortex.config import SplitConfig
from glasscortex.data.splits import blocks, split_in_time, with_gaps
from glasscortex.words import SPLITS

RANK = {name: i for i, name in enumerate(SPLITS)}


def cut(block, unit=None, labels=None, config=None):
    block = np.asarray(block)
    unit = np.arange(len(block)) if unit is None else np.asarray(unit)
    labels = pd.DataFrame({"scene": np.zeros(len(block)) if labels is None else labels})
    return split_in_time(block, unit, labels, config or SplitConfig())


def test_a_new_block_begins_at_another_stimulus_or_after_a_pause():
    table = pd.DataFrame(
        [("a", 0), ("b", 2), ("a", 4), ("a", 5), ("a", 15.5), ("a", 27), ("b", 28)],
        columns=["stimulus", "start"],
    ).sample(frac=1, random_state=0)
    found = blocks(table["stimulus"], table["start"], table["start"] + 1).sort_index()
    assert found.tolist() == [0, 0, 1, 1, 1, 2, 1]
    assert found.dtype == np.int16


def test_every_block_is_cut_by_itself():
    split = cut([0] * 20 + [1] * 20)
    for half in (split[:20], split[20:]):
        assert half.tolist() == ["train"] * 12 + ["validation"] * 3 + ["test"] * 5


@pytest.mark.parametrize(
    ("repeats", "expected"),
    [
        (1, [1, 0, 0]),
        (2, [1, 0, 1]),
        (3, [1, 1, 1]),
        (4, [2, 1, 1]),
        (5, [3, 1, 1]),
        (10, [6, 2, 2]),
    ],
)
def test_repeats_of_a_movie_stay_whole(repeats, expected):
    unit = np.repeat(np.arange(repeats), 7)
    split = cut(np.zeros_like(unit), unit)
    assert [(split == name).sum() // 7 for name in SPLITS] == expected
    for repeat in range(repeats):
        assert len(set(split[unit == repeat])) == 1


def test_blocks_with_too_few_units_are_pooled():
    split = cut([0, 0, 1, 1, 2, 2])
    assert split.tolist() == ["train"] * 4 + ["validation"] + ["test"]


def test_cuts_move_to_where_every_class_is_in_every_split():
    labels = np.array([0] * 70 + [1] + [0] * 29)
    labels[[5, 99]] = 1
    split = cut(np.zeros(100, int), labels=labels)
    for name in SPLITS:
        assert set(labels[split == name]) == {0, 1}
    labels[70], labels[59] = 0, 1  # one presentation before the nominal cut
    split = cut(np.zeros(100, int), labels=labels)
    for name in SPLITS:
        assert set(labels[split == name]) == {0, 1}


def test_cuts_stay_where_every_class_is_shown():
    labels = np.arange(100) % 5
    split = cut(np.zeros(100, int), labels=labels)
    assert [(split == name).sum() for name in SPLITS] == [60, 15, 25]


fractions = st.tuples(*[st.integers(1, 10)] * 3).map(lambda p: [x / sum(p) for x in p])


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=4),
    fractions,
    st.integers(1, 4),
    st.integers(0, 99),
)
@settings(max_examples=60)
def test_splits_are_in_order_of_time_and_whole(sizes, parts, rows_in_unit, seed):
    config = SplitConfig(train=parts[0], validation=parts[1], test=parts[2])
    block = np.repeat(np.arange(len(sizes)), np.array(sizes) * rows_in_unit)
    unit = np.repeat(np.arange(sum(sizes)), rows_in_unit)
    labels = np.random.default_rng(seed).integers(0, 4, len(unit)).astype(float)
    split = cut(block, unit, labels, config)
    assert set(split) <= set(SPLITS)
    pooled = min(sizes) < 3
    for rows in [slice(None)] if pooled else [block == b for b in range(len(sizes))]:
        rank = np.array([RANK[name] for name in split[rows]])
        assert (np.diff(rank) >= 0).all()
        if len(np.unique(unit[rows])) >= 3:
            assert set(rank) == {0, 1, 2}
    for u in np.unique(unit):
        assert len(set(split[unit == u])) == 1


windows = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 8), st.sampled_from(SPLITS)), max_size=30
)


@given(windows)
def test_no_frame_is_in_two_splits(drawn):
    start = np.array([s for s, _, _ in drawn], int)
    stop = np.array([s + n for s, n, _ in drawn], int)
    split = np.array([name for _, _, name in drawn], object)
    result = with_gaps(start, stop, split)
    owner = {}
    for first, last, name in zip(start, stop, result, strict=True):
        if name != "gap":
            for frame in range(first, last):
                assert owner.setdefault(frame, name) == name
    kept = result != "gap"
    assert (result[kept] == split[kept]).all()


def test_the_later_window_is_the_gap_and_a_gap_takes_nothing_with_it():
    # 1 overlaps 0; 2 overlaps only 1, which is a gap already
    start, stop = np.array([0, 8, 12, 20]), np.array([10, 18, 22, 30])
    split = np.array(["train", "validation", "test", "test"], object)
    assert with_gaps(start, stop, split).tolist() == ["train", "gap", "test", "test"]


def test_windows_that_touch_share_no_frame():
    split = np.array(["train", "test"], object)
    assert with_gaps(np.array([0, 10]), np.array([10, 20]), split).tolist() == ["train", "test"]

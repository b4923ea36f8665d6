import threading
import weakref
from contextlib import closing
from itertools import islice

import numpy as np
import pytest

from glasscortex.data.batches import AHEAD, Batches, Piece
from glasscortex.data.labels import with_labels
from glasscortex.data.vocabulary import Vocabulary
from glasscortex.data.windows import SessionWindows, WindowsFolder


def all_of(batches) -> list[Piece]:
    return batches.pieces(np.ones(len(batches.trials), bool), np.random.default_rng(0))


def test_ordered_batches_hold_every_presentation_once(batches, world):
    trials = world[0]
    mask = (trials["split"] == "test").to_numpy()
    rows = np.concatenate([batch.trials for batch in batches.ordered(mask)])
    np.testing.assert_array_equal(np.sort(rows), np.flatnonzero(mask))


def test_pieces_hold_every_labelled_presentation_once(batches, world):
    mask = (world[0]["split"] == "train").to_numpy()
    pieces = batches.pieces(mask, np.random.default_rng(0))
    rows = np.concatenate([piece.trials for piece in pieces])
    np.testing.assert_array_equal(np.sort(rows), np.flatnonzero(mask))
    assert max(len(piece.trials) for piece in pieces) <= batches.size
    again = batches.pieces(mask, np.random.default_rng(0))
    assert [p.trials.tolist() for p in again] == [p.trials.tolist() for p in pieces]


def test_presentations_without_a_label_are_in_no_piece(world, vocabulary):
    trials, _, windows, _ = world
    blank = trials.assign(running_speed=np.float32("nan"))
    blank.loc[:9, ["direction", "orientation"]] = np.nan
    batches = Batches(WindowsFolder(windows), with_labels(blank), vocabulary, 32)
    pieces = batches.pieces(np.ones(len(blank), bool), np.random.default_rng(0))
    rows = np.concatenate([piece.trials for piece in pieces])
    np.testing.assert_array_equal(np.sort(rows), np.arange(10, len(blank)))


def test_batches_come_in_the_order_of_their_pieces(batches, world):
    pieces = batches.pieces(np.ones(len(world[0]), bool), np.random.default_rng(3))
    read = [batch.trials.tolist() for batch in batches.read(pieces)]
    assert read == [piece.trials.tolist() for piece in pieces]


def test_few_batches_are_in_memory_at_a_time(world, vocabulary):
    trials, _, windows, _ = world
    batches = Batches(WindowsFolder(windows), trials, vocabulary, size=1)
    asked, used = [], []
    with closing(batches.read(asked.append(p) or p for p in all_of(batches))) as reading:
        for batch in islice(reading, 100):
            used.append(weakref.ref(batch.values))
            del batch
            assert len(asked) <= len(used) + AHEAD
            assert sum(values() is not None for values in used) <= 2


def test_a_session_that_cannot_be_read_is_told_where_its_batch_would_come(world, vocabulary):
    trials, _, windows, _ = world
    known = trials["session_id"] == "a"
    lost = trials.assign(session_id=np.where(known, "a", "lost"))
    cells = {"a": vocabulary.cells["a"], "lost": vocabulary.cells["b"]}
    batches = Batches(
        WindowsFolder(windows), lost, Vocabulary(("a", "lost"), cells, vocabulary.tasks), 32
    )
    reading = batches.ordered(np.ones(len(lost), bool))
    assert {batch.session_id for batch in islice(reading, 5)} == {"a"}
    with pytest.raises(KeyError, match=r"lost\.h5"):
        next(reading)


def test_reading_ends_its_thread_when_it_is_left_early(batches):
    before = threading.active_count()
    reading = batches.read(all_of(batches))
    next(reading)
    assert threading.active_count() == before + 1
    reading.close()
    assert threading.active_count() == before


def test_only_sessions_that_are_read_are_opened(world, vocabulary, tmp_path):
    trials, _, windows, _ = world
    (tmp_path / "b.h5").symlink_to(windows / "b.h5")
    batches = Batches(WindowsFolder(tmp_path), trials, vocabulary, 32)
    of_b = (trials["session_id"] == "b").to_numpy()
    assert {batch.session_id for batch in batches.ordered(of_b)} == {"b"}


def test_cells_are_numbered_once_for_all_stages(vocabulary):
    assert vocabulary.cell_rows() is vocabulary.cell_rows()
    assert vocabulary.containers() is vocabulary.containers()


def test_a_batch_is_one_stimulus_of_one_session(batches, world):
    trials = world[0]
    readers = {session: SessionWindows(world[2] / f"{session}.h5") for session in ("a", "b")}
    for batch in batches.read(all_of(batches)):
        rows = trials.loc[batch.trials]
        assert set(rows["session_id"]) == {batch.session_id}
        assert set(rows["stimulus"]) == {batch.stimulus}
        expected = readers[batch.session_id].read(batch.stimulus, rows["presentation"].to_numpy())
        np.testing.assert_array_equal(batch.values.numpy(), expected)


def test_label_time_is_the_middle_of_the_presentation(batches, world):
    trials = world[0]
    for batch in batches.ordered(np.ones(len(trials), bool)):
        assert batch.label_s == pytest.approx(1.0 if batch.stimulus == "drifting_gratings" else 0.5)


def test_targets_name_the_classes(batches, vocabulary, world):
    trials = world[0]
    directions = np.array(vocabulary.tasks["direction"].classes)
    shown = (trials["stimulus"] == "drifting_gratings").to_numpy()
    target = batches.targets["direction"]
    np.testing.assert_array_equal(directions[target[shown]], trials["direction"][shown])
    assert (target[~shown] == -1).all()


def test_a_session_with_one_value_of_a_task_has_no_such_task(world, samples):
    trials, _, windows, cells = world
    constant = trials.copy()
    constant.loc[trials["session_id"] == "a", "direction"] = 45.0
    constant = with_labels(constant)
    vocabulary = Vocabulary.of(constant, cells, samples, "all")
    target = Batches(WindowsFolder(windows), constant, vocabulary, 32).targets["direction"]
    assert (target[trials["session_id"] == "a"] == -1).all()
    assert (target[trials["session_id"] == "b"] >= 0).any()


def test_cells_of_one_container_share_their_embedding():
    cells = {"a": ("c/1", "c/2"), "b": ("c/2", "c/3"), "d": ("e/1",)}
    vocabulary = Vocabulary(("a", "b", "d"), cells, {})
    assert vocabulary.containers() == [["c/1", "c/2", "c/3"], ["e/1"]]
    rows = {s: (c, r.tolist()) for s, (c, r) in vocabulary.cell_rows().items()}
    assert rows == {"a": (0, [0, 1]), "b": (0, [1, 2]), "d": (1, [0])}


def test_a_vocabulary_survives_json(vocabulary):
    import json

    assert Vocabulary.from_dict(json.loads(json.dumps(vocabulary.to_dict()))) == vocabulary

import numpy as np
import pytest

from glasscortex.data.batches import Batches
from glasscortex.data.vocabulary import Vocabulary


def test_ordered_batches_hold_every_presentation_once(batches, world):
    trials = world[0]
    mask = (trials["split"] == "test").to_numpy()
    rows = np.concatenate([batch.trials for batch in batches.ordered(mask)])
    np.testing.assert_array_equal(np.sort(rows), np.flatnonzero(mask))


def test_shuffled_batches_hold_every_labelled_presentation_once(batches, world):
    mask = (world[0]["split"] == "train").to_numpy()
    found = list(batches.shuffled(mask, np.random.default_rng(0)))
    assert len(found) == batches.number(mask)
    rows = np.concatenate([batch.trials for batch in found])
    np.testing.assert_array_equal(np.sort(rows), np.flatnonzero(mask))
    assert max(len(batch.trials) for batch in found) <= batches.size


def test_a_batch_is_one_stimulus_of_one_session(batches, world):
    trials = world[0]
    for batch in batches.shuffled(np.ones(len(trials), bool), np.random.default_rng(0)):
        rows = trials.loc[batch.trials]
        assert set(rows["session_id"]) == {batch.session_id}
        assert set(rows["stimulus"]) == {batch.stimulus}
        expected = batches._windows[batch.session_id].read(
            batch.stimulus, rows["presentation"].to_numpy()
        )
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


def test_a_session_with_one_value_of_a_task_has_no_such_task(world):
    trials, _, windows, cells = world
    constant = trials.copy()
    constant.loc[trials["session_id"] == "a", "direction"] = 45.0
    vocabulary = Vocabulary.of(constant, cells, "all")
    target = Batches(windows, constant, vocabulary, 32).targets["direction"]
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

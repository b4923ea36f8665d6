import json

import numpy as np
import pytest

from glasscortex.data.labels import with_labels
from glasscortex.data.vocabulary import Vocabulary

SPEED = "running_speed"


def scaled(trials, session, factor, offset):
    """The trials with another running speed in one session."""
    rows = trials["session_id"] == session
    speed = trials[SPEED].where(~rows, factor * trials[SPEED] + offset)
    return with_labels(trials.assign(running_speed=speed))


def of(trials, session, split):
    return ((trials["session_id"] == session) & (trials["split"] == split)).to_numpy()


def test_a_speed_is_standardised_by_its_session(world, vocabulary):
    trials = world[0]
    target = vocabulary.targets(trials)[SPEED]
    for session in ("a", "b"):
        shown = target[of(trials, session, "train")]
        assert np.nanmean(shown) == pytest.approx(0, abs=1e-5)
        assert np.nanstd(shown) == pytest.approx(1, rel=1e-5)
    faster = vocabulary.targets(scaled(trials, "b", 3, 20))[SPEED]
    np.testing.assert_allclose(faster, target, rtol=1e-4, atol=1e-4)


def test_the_scale_of_a_speed_is_learnt_on_training_only(world, vocabulary):
    trials = world[0]
    held_out = trials["split"] != "train"
    other = with_labels(trials.assign(running_speed=trials[SPEED].where(~held_out, 100)))
    rows = ~held_out.to_numpy()
    target, same = (vocabulary.targets(t)[SPEED][rows] for t in (trials, other))
    np.testing.assert_array_equal(target, same)


def test_a_mouse_that_hardly_moves_in_training_does_not_outweigh_the_others(world, vocabulary):
    trials = world[0]
    sat = scaled(trials, "b", 1e-6, 0)
    running = of(trials, "b", "test") & (trials["stimulus"] == "drifting_gratings").to_numpy()
    sat.loc[running, SPEED] = trials.loc[running, SPEED]
    target = vocabulary.targets(with_labels(sat))[SPEED]
    usual = trials.loc[of(trials, "a", "train"), SPEED].std()
    assert np.nanmax(np.abs(target[running])) < 10 * sat.loc[running, SPEED].abs().max() / usual


def test_outputs_are_the_classes_that_a_session_was_shown_in_training(world, samples):
    trials, _, _, cells = world
    trials = trials.copy()
    left = (
        (trials["session_id"] == "b") & (trials["direction"] == 90) & (trials["split"] == "train")
    )
    trials = trials[~left].reset_index(drop=True)
    vocabulary = Vocabulary.of(trials, cells, samples, "all")
    assert vocabulary.presented["a"]["direction"] == tuple(range(8))
    assert vocabulary.presented["b"]["direction"] == (0, 1, 3, 4, 5, 6, 7)
    assert "movie_one" not in vocabulary.presented["a"]
    assert Vocabulary.from_dict(json.loads(json.dumps(vocabulary.to_dict()))) == vocabulary
    target = vocabulary.targets(trials)["direction"]
    unknown = (trials["session_id"] == "b") & (trials["direction"] == 90)
    assert unknown.any() and (target[unknown] == -1).all()
    assert (target[(trials["session_id"] == "a") & (trials["direction"] == 90)] == 2).all()

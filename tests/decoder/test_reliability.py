from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t
from sklearn.calibration import calibration_curve

from glasscortex.decoder.predictions import predictions
from glasscortex.decoder.reliability import alike, root, squared_error
from glasscortex.decoder.scores import score_table


def sessions(said, number=300, presentations=80, seed=0):
    """Squared errors of sessions in which a class with probability p is given `said(p)`."""
    rng = np.random.default_rng(seed)
    probability = rng.uniform(0.3, 0.95, size=(number, presentations))
    right = rng.random(probability.shape) < probability
    return np.array([squared_error(r, said(p)) for r, p in zip(right, probability)])


def standard_error(values):
    return values.std(ddof=1) / np.sqrt(len(values))


def test_calibrated_decoders_have_no_error_within_that_of_sampling():
    errors = sessions(lambda p: p)
    assert abs(errors.mean()) < 3 * standard_error(errors) < 0.003


@pytest.mark.parametrize("factor", [2.0, 4.0])
def test_the_error_of_odds_that_are_a_power_too_large_is_known(factor):
    def said(p):
        return p**factor / (p**factor + (1 - p) ** factor)

    errors = sessions(said)
    p = np.linspace(0.3, 0.95, 10_000)
    expected = np.mean((said(p) - p) ** 2)
    # within a bin over- and underconfidence cancel, which takes up to a tenth of it
    assert errors.mean() == pytest.approx(0.95 * expected, abs=0.05 * expected + 0.003)


def test_the_same_gap_everywhere_is_the_error():
    errors = sessions(lambda p: p - 0.2)
    assert errors.mean() == pytest.approx(0.04, abs=3 * standard_error(errors))


def test_an_interval_of_a_session_holds_the_error_as_often_as_it_says(world):
    """Of a decoder that says .2 less than it could."""
    trials = world[0][:160].assign(split="test")  # session a's gratings
    trials.loc[:39, "split"] = "train"
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(60):
        probability = rng.uniform(0.5, 0.95, size=160)
        right = rng.random(160) < probability
        named = np.where(right, trials["direction"], 400.0)
        table = score_table(
            "direction", trials, predictions(named, probability - 0.2), "test", seed
        )
        low, high = table.loc[table["metric"] == "ece", ["ci_low", "ci_high"]].to_numpy()[0]
        held += low <= 0.2 <= high
    assert held >= 54


def test_bins_are_scikit_learns():
    rng = np.random.default_rng(0)
    confidence = rng.random(300)
    right = rng.random(300) < confidence**2
    share, mean = calibration_curve(right, confidence, n_bins=15, strategy="quantile")
    bins = alike(confidence)
    np.testing.assert_allclose([right[places].mean() for places in bins], share)
    np.testing.assert_allclose([confidence[places].mean() for places in bins], mean)
    # the error that has a bias, less the variance of each bin's mean gap
    gaps = confidence - right
    variance = [np.var(gaps[places], ddof=1) / len(places) for places in bins]
    expected = np.mean((mean - share) ** 2 - variance)
    assert squared_error(right, confidence) == pytest.approx(expected)


@given(st.lists(st.tuples(st.booleans(), st.floats(0.1, 1)), min_size=2, max_size=200))
def test_every_presentation_is_in_a_bin_of_ten_or_more(pairs):
    right, confidence = map(np.array, zip(*pairs))
    bins = alike(confidence)
    np.testing.assert_array_equal(np.sort(np.concatenate(bins)), np.arange(len(pairs)))
    assert len(bins) <= 15 and min(map(len, bins)) >= min(10, len(pairs))
    assert all(confidence[a].max() <= confidence[b].min() for a, b in pairwise(bins))
    assert -1 <= squared_error(right, confidence) <= 1


def scored(trials, confidence):
    """Of a decoder that names the direction in session a, and another one in b."""
    named = np.where(trials["session_id"] == "a", trials["direction"], 400.0)
    table = score_table("direction", trials, predictions(named, confidence), "test", seed=0)
    return table.set_index(["metric", "session_id"])


def test_the_error_of_sessions_is_pooled_as_a_square(world):
    table = scored(world[0], 0.8)
    ece = table.loc["ece"]
    assert ece["value"].to_dict() == pytest.approx({"a": 0.2, "b": 0.8, "all": 0.34**0.5})
    interval = t.interval(0.95, 1, loc=0.34, scale=0.3)  # of .04 and .64
    assert tuple(ece.loc["all", ["ci_low", "ci_high"]]) == pytest.approx(root(interval))
    own = ece.loc[["a", "b"]]  # of the same gap everywhere nothing is drawn
    np.testing.assert_allclose(own[["ci_low", "ci_high"]], own[["value", "value"]])
    assert ece[["chance", "constant"]].isna().all(axis=None)
    assert ece["n"].to_dict() == {"a": 40, "b": 40, "all": 80}


def test_other_scores_do_not_see_the_confidence(world):
    tables = [scored(world[0], confidence) for confidence in (0.8, np.nan)]
    assert "ece" not in tables[1].index
    pd.testing.assert_frame_equal(tables[0].drop(index="ece", level="metric"), tables[1])


def test_the_error_of_many_draws_is_that_of_each():
    rng = np.random.default_rng(0)
    right, confidence = rng.random((7, 40)) < 0.5, rng.random((7, 40))
    expected = [squared_error(*pair) for pair in zip(right, confidence)]
    np.testing.assert_allclose(squared_error(right, confidence), expected)


def test_a_root_keeps_the_sign():
    np.testing.assert_allclose(root(np.array([-0.04, 0.0, 0.09])), [-0.2, 0.0, 0.3])

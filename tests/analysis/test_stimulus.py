"""False positives and power of the tests over presentations."""

import numpy as np
import pytest

from glasscortex.analysis.stimulus import of_movie, of_presentations
from tests.analysis.worlds import autoregressive, false_positives, presentations


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def gratings(rng, sessions=6, per_session=40, units=300, noise=None):
    direction = rng.integers(8, size=sessions * per_session) * 45.0
    noise = rng.normal(size=(sessions * per_session, units)) if noise is None else noise
    return presentations(sessions, per_session, noise, direction=direction)


def test_noise_is_selective_at_the_nominal_rate(rng):
    measured = of_presentations(gratings(rng), "direction", 199, rng)
    rate, tolerance = false_positives(measured.p)
    assert abs(rate - 0.05) <= tolerance
    assert measured.p_min == 1 / 200
    assert not measured.significant(0.05, 0.0).any()


def test_drift_and_sessions_are_no_selectivity(rng):
    noise = autoregressive(rng, 200, (6, 40, 300), drift=2) + 5 * rng.normal(size=(6, 1, 300))
    shown = gratings(rng, noise=noise.reshape(240, 300))
    rate, tolerance = false_positives(of_presentations(shown, "direction", 199, rng).p)
    assert rate <= 0.05 + tolerance


def test_planted_units_are_found_with_their_direction(rng):
    shown = gratings(rng, units=60)
    shown.responses[:, :5] += 1.5 * (shown.trials["direction"] == 90).to_numpy()[:, None]
    measured = of_presentations(shown, "direction", 499, rng)
    found = measured.significant(0.05, 0.01)
    assert found[:5].all()
    assert (measured.preferred[:5] == 90).all()
    assert found[5:].mean() <= 0.1


def test_an_interval_over_mice_knows_whether_one_mouse_made_a_unit(rng):
    shown = gratings(rng, units=60)
    one_mouse = (shown.trials["mouse"] == "m0").to_numpy()
    is_90 = (shown.trials["direction"] == 90).to_numpy()
    shown.responses[:, :5] += 2 * is_90[:, None]
    shown.responses[:, 5:10] += 30 * (is_90 & one_mouse)[:, None]
    measured = of_presentations(shown, "direction", 999, rng)
    assert measured.significant(0.05, 0.01)[:10].all()
    fractions = measured.fractions_without(0.05, 0.01)
    assert fractions[0] < 8 / 60
    assert fractions[1:].min() >= 10 / 60


def test_one_direction_is_no_test(rng):
    shown = presentations(2, 5, rng.normal(size=(10, 2)), direction=np.zeros(10))
    assert of_presentations(shown, "direction", 9, rng) is None


def movie(rng, responses, repeats, bins):
    frames = np.tile(np.arange(float(bins)), responses.shape[0] * repeats)
    sessions = responses.shape[0]
    flat = responses.reshape(-1, responses.shape[-1])
    return presentations(sessions, repeats * bins, flat, movie_frame=frames)


@pytest.mark.parametrize(("tau", "drift"), [(0.1, 0), (20, 0), (200, 3)])
def test_drifting_signals_are_no_movie_frames(rng, tau, drift):
    responses = autoregressive(rng, tau, (8, 60, 300), drift)
    measured = of_movie(movie(rng, responses, 2, 30), 199, rng)
    rate, tolerance = false_positives(measured.p)
    assert abs(rate - 0.05) <= tolerance


def test_a_course_that_all_repeats_share_is_no_movie_frame(rng):
    """A line, such as bleaching; what the repeats of two sessions can tell is limited."""
    responses = rng.normal(size=(2, 60, 200)) + np.tile(np.linspace(-2, 2, 30), 2)[:, None]
    measured = of_movie(movie(rng, responses, 2, 30), 199, rng)
    rate, tolerance = false_positives(measured.p)
    assert rate <= 0.05 + tolerance


def test_few_repeats_limit_the_smallest_p(rng):
    measured = of_movie(movie(rng, rng.normal(size=(1, 60, 3)), 2, 30), 999, rng)
    assert measured.p_min == 1 / 2**6  # six pieces, each in two repeats


def test_permuting_bins_would_call_drifts_movie_frames(rng):
    """The reason for signs: a response that changes slowly within every repeat alike."""
    responses = np.repeat(autoregressive(rng, 20, (1, 30, 200)), 2, axis=0)
    responses = np.concatenate([responses, rng.normal(size=(2, 30, 200))], axis=1)
    shown = movie(rng, responses, 2, 30)
    permuted = of_presentations(shown, "movie_frame", 99, rng)
    signed = of_movie(shown, 99, rng)
    assert (permuted.p <= 0.05).mean() > (signed.p <= 0.05).mean()


def test_a_unit_that_follows_the_movie_is_found(rng):
    responses = rng.normal(size=(8, 60, 40))
    responses[..., :4] += 1.5 * np.tile(rng.normal(size=(30, 4)), (2, 1))
    measured = of_movie(movie(rng, responses, 2, 30), 499, rng)
    assert measured.significant(0.05, 0.01)[:4].all()
    assert measured.n == 8 * 2 * 30


def test_movies_need_two_repeats(rng):
    assert of_movie(movie(rng, rng.normal(size=(1, 30, 3)), 1, 30), 99, rng) is None


def test_a_broken_repeat_is_left_out(rng):
    shown = movie(rng, rng.normal(size=(3, 60, 3)), 2, 30)
    kept = np.ones(180, bool)
    kept[155:] = False
    assert of_movie(shown.where(kept), 99, rng).n == 5 * 30

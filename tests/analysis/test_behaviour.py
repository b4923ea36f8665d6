"""False positives and power of the test against the behaviour of other mice."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from glasscortex.analysis import effects
from glasscortex.analysis.behaviour import of_behaviour, of_choices
from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.stimulus import of_presentations
from tests.analysis.worlds import autoregressive, false_positives, presentations


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def running(rng, responses, traces):
    flat = responses.reshape(-1, responses.shape[-1])
    return presentations(len(traces), traces.shape[1], flat, running_speed=traces.ravel())


def test_the_effect_is_the_mean_of_spearmans_correlations(rng):
    responses, traces = rng.normal(size=(4, 30, 3)), rng.normal(size=(4, 30))
    measured = of_behaviour(running(rng, responses, traces), "running_speed", 99, rng)
    expected = [
        abs(np.mean([spearmanr(responses[s, :, u], traces[s]).statistic for s in range(4)]))
        for u in range(3)
    ]
    np.testing.assert_allclose(measured.effect, expected, atol=1e-6)


@pytest.mark.parametrize(("tau", "drift"), [(0.1, 0), (200, 0), (200, 3)])
def test_signals_that_drift_alike_are_no_selectivity(rng, tau, drift):
    rates = []
    for _ in range(8):  # a trace is shared by all units: repeat it, so that rates average
        responses = autoregressive(rng, tau, (8, 40, 60), drift)
        traces = autoregressive(rng, tau, (8, 40, 1), drift)[..., 0]
        measured = of_behaviour(running(rng, responses, traces), "running_speed", 199, rng)
        rates.append(measured.p)
    rate, tolerance = false_positives(np.concatenate(rates))
    assert rate <= 0.05 + 2 * tolerance


def test_what_every_session_has_in_common_is_no_selectivity(rng):
    """Both follow the course of the session, as everything does that adapts."""
    course = np.linspace(-2, 2, 40)
    responses = rng.normal(size=(8, 40, 200)) + course[:, None]
    traces = rng.normal(size=(8, 40)) + course
    measured = of_behaviour(running(rng, responses, traces), "running_speed", 199, rng)
    assert measured.effect.mean() > 0.3
    assert (measured.p <= 0.05).mean() < 0.3


def test_a_unit_that_follows_running_is_found_with_its_sign(rng):
    responses, traces = rng.normal(size=(8, 40, 30)), rng.normal(size=(8, 40))
    responses[..., 0] += traces
    responses[..., 1] -= traces
    measured = of_behaviour(running(rng, responses, traces), "running_speed", 999, rng)
    assert measured.significant(0.05, 0.01)[:2].all()
    assert list(measured.preferred[:2]) == ["increasing", "decreasing"]


def test_few_mice_limit_the_smallest_p(rng):
    shown = running(rng, rng.normal(size=(3, 20, 2)), rng.normal(size=(3, 20)))
    measured = of_behaviour(shown, "running_speed", 999, rng)
    assert (len(measured.null), measured.p_min) == (5, 1 / 6)


def test_what_the_sessions_of_a_mouse_have_in_common_is_no_selectivity(rng):
    """Every mouse slows down or speeds up in all its sessions, and its units drift likewise."""
    course = np.linspace(-2, 2, 40)[:, None]
    mice = np.repeat(np.arange(8), 3)
    rates = []
    for _ in range(20):
        drift, slope = rng.normal(size=(8, 1, 60)), rng.normal(size=(8, 1, 1))
        responses = rng.normal(size=(24, 40, 60)) + course * drift[mice]
        traces = rng.normal(size=(24, 40, 1)) + course * slope[mice]
        shown = running(rng, responses, traces[..., 0])
        shown.trials["mouse"] = np.repeat([f"m{mouse}" for mouse in mice], 40)
        rates.append((of_behaviour(shown, "running_speed", 199, rng).p <= 0.05).mean())
    assert np.mean(rates) <= 0.05 + 3 * np.std(rates) / np.sqrt(len(rates))


def test_sessions_of_one_mouse_are_not_exchanged(rng):
    shown = running(rng, rng.normal(size=(3, 20, 2)), rng.normal(size=(3, 20)))
    shown.trials["mouse"] = "m0"
    assert of_behaviour(shown, "running_speed", 99, rng) is None


def test_sessions_of_different_length_are_cut(rng):
    shown = running(rng, rng.normal(size=(4, 30, 2)), rng.normal(size=(4, 30)))
    measured = of_behaviour(shown.where(np.arange(120) < 105), "running_speed", 99, rng)
    assert measured.n == 4
    assert np.isfinite(measured.p).all()


def choosing(rng, responses, stay):
    """Choices that come in runs: each is the last one with probability `stay`."""
    sessions, trials = responses.shape[:2]
    switches = rng.random((sessions, trials)) > stay
    choices = (switches.cumsum(axis=1) + rng.integers(2, size=(sessions, 1))) % 2
    flat = responses.reshape(-1, responses.shape[-1])
    return presentations(sessions, trials, flat, choice=choices.ravel().astype(np.float32))


def test_the_effect_of_choices_is_eta_squared_within_sessions(rng):
    responses = rng.normal(size=(4, 60, 3)) + 9 * np.arange(4)[:, None, None]
    shown = choosing(rng, responses, 0.5)
    measured = of_choices(shown, "choice", 99, rng)
    x = effects.centred(shown.responses.astype(float), shown.numbered("session_id"))
    classes = shown.trials["choice"].to_numpy(int)
    np.testing.assert_allclose(measured.effect, effects.eta_squared(x, classes), rtol=1e-6)
    assert len(measured.null) == 23, "4 mice change places in 24 ways"
    assert measured.p_min == 1 / 24


def test_choices_in_runs_are_no_selectivity_though_permutation_says_so(rng):
    exchanged, permuted = [], []
    for _ in range(6):
        shown = choosing(rng, autoregressive(rng, 30, (8, 100, 60), 1), 0.95)
        exchanged.append(of_choices(shown, "choice", 199, rng).p)
        permuted.append(of_presentations(shown, "choice", 199, rng).p)
    rate, tolerance = false_positives(np.concatenate(exchanged))
    assert rate <= 0.05 + 2 * tolerance
    assert false_positives(np.concatenate(permuted))[0] > 0.3


def test_units_that_follow_choices_are_found_and_told_apart(rng):
    shown = choosing(rng, rng.normal(size=(8, 100, 20)), 0.8)
    choice = shown.trials["choice"].to_numpy()
    shown.responses[:, 0] += 0.8 * choice
    shown.responses[:, 1] -= 0.8 * choice
    measured = of_choices(shown, "choice", 999, rng)
    assert (measured.p[:2] <= 0.01).all()
    assert measured.preferred[:2].tolist() == [1, 0]


def test_choices_of_one_mouse_are_not_tested(rng):
    shown = choosing(rng, rng.normal(size=(4, 60, 2)), 0.5)
    alone = Presentations(shown.trials.assign(mouse="m"), shown.responses)
    assert of_choices(alone, "choice", 99, rng) is None

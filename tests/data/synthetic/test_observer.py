"""The ideal observer: known answers of its likelihood, and a limit that nothing passes."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm, poisson
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from glasscortex.config import SimulateConfig
from glasscortex.data import synthetic
from glasscortex.data.synthetic import observer, sessions
from glasscortex.data.synthetic.leaky import fluctuation
from glasscortex.data.synthetic.observer import Session, Stretches, limits, log_likelihood, observed
from glasscortex.tasks import TASKS

CONFIG = SimulateConfig(
    cre_lines=("Sst-IRES-Cre",),
    mice_per_line=1,
    sessions={"three_session_A": 1, "three_session_B": 1},
    cells=10,
    length=0.2,
    without=("natural_movie_one", "natural_movie_three"),
)
WINDOW_S = {"drifting_gratings": 2.0, "static_gratings": 0.5, "natural_scenes": 0.5}
RATES = np.array([2.0, 5.0])
COUNTS = np.arange(12.0)


@pytest.fixture(scope="module")
def simulated():
    """(session_type, cells, running_fraction, recording) by letter of the type."""
    found = {}
    for row in sessions(CONFIG).itertuples():
        recording, truth = synthetic.simulate(row.session_id, CONFIG)
        about = row.session_type, truth.cells, truth.attributes["running_fraction"]
        found[row.session_type[-1]] = (*about, recording)
    return found


@pytest.fixture(autouse=True)
def few_presentations(monkeypatch):
    monkeypatch.setattr(observer, "PRESENTATIONS", 300)


def drawn(simulated, letter, **changes):
    kind, cells, running_fraction, _ = simulated[letter]
    rng = np.random.default_rng(0)
    return Session.drawn(kind, {**cells, **changes}, running_fraction, CONFIG, rng)


def log_odds(loading, before=0):
    """Of the two rates, for each count of one cell in a single frame of the response."""
    frames = 1 + before
    spikes = np.zeros((len(COUNTS), 1, frames))
    spikes[..., -1] = COUNTS[:, None]
    stretches = Stretches(
        spikes=spikes,
        log_gain=np.zeros_like(spikes),
        loading=np.full((1, frames), loading),
        before=np.full((len(COUNTS), 1, before), 3.0),
        response=RATES[:, None, None],
    )
    return np.subtract(*log_likelihood(stretches).T)


def test_without_a_level_spikes_are_poisson():
    expected = np.subtract(*poisson.logpmf(COUNTS, RATES[:, None]))
    np.testing.assert_allclose(log_odds(0.0), expected)


@pytest.mark.parametrize("before", [0, 2])
@pytest.mark.parametrize("loading", [0.4, -0.7])
def test_the_level_is_integrated_out(loading, before):
    """Against quadrature; of the frames before nothing was seen where 3 spikes were expected."""

    def probability(count, rate):
        def at(level):
            gain = np.exp(loading * level)
            silence = np.exp(-3.0 * before * gain)
            return poisson.pmf(count, rate * gain) * silence * norm.pdf(level)

        return quad(at, -9, 9, epsabs=1e-13)[0]

    expected = [np.log(probability(n, 2.0) / probability(n, 5.0)) for n in COUNTS]
    np.testing.assert_allclose(log_odds(loading, before), expected, atol=1e-4)


def test_the_limit_of_two_poisson_classes_is_that_of_all_counts():
    """Σ over counts of the larger probability, halved."""
    count = np.arange(60)
    both = poisson.pmf(count, RATES[:, None])
    spikes = np.random.default_rng(0).poisson(RATES[np.arange(20_000) % 2])[:, None, None]
    stretches = Stretches(
        spikes=spikes,
        log_gain=np.zeros(spikes.shape),
        loading=np.zeros((1, 1)),
        before=np.zeros((len(spikes), 1, 0)),
        response=RATES[:, None, None],
    )
    odds = np.subtract(*log_likelihood(stretches).T)
    largest = 1 / (1 + np.exp(-np.abs(odds)))
    assert largest.mean() == pytest.approx(both.max(axis=0).sum() / 2, abs=0.005)


def test_what_is_told_of_a_fluctuation_says_nothing_of_its_level():
    before, frames = 5, 12
    private = fluctuation((40_000, 1 + frames), 8.0, np.random.default_rng(0))
    loading, level = observer.split_level(private, before, 8.0)
    told = np.column_stack([private[:, 0], private[:, 1:] - level[:, None] * loading])
    assert level.std() == pytest.approx(1, abs=0.02)
    assert np.abs(level @ told / len(level)).max() < 4 / np.sqrt(len(level))


@pytest.mark.parametrize("stimulus", WINDOW_S)
def test_the_observer_is_right_as_often_as_it_believes(simulated, stimulus):
    session = drawn(simulated, "A" if stimulus.startswith("drifting") else "B")
    posterior, shown = observed(session, stimulus, WINDOW_S[stimulus], np.random.default_rng(1))
    believed, right = posterior.max(axis=1), posterior.argmax(axis=1) == shown
    error = np.sqrt((believed * (1 - believed)).mean() / len(shown))
    assert abs(right.mean() - believed.mean()) < 3 * error


def test_no_decoder_of_windows_passes_the_limit(simulated):
    """A discriminant of the mean ΔF/F of many more cells' windows than it has classes."""
    recording = simulated["A"][-1]
    shown = recording.timeline.presentations["drifting_gratings"]
    there = np.flatnonzero(~shown.blank)
    at = shown.start[there, None] + np.arange(60)
    x = recording.dff[:, at].mean(axis=2).T
    limit = limits(drawn(simulated, "A"), WINDOW_S, np.random.default_rng(1)).set_index("task")
    for task in ("orientation", "temporal_frequency"):
        label = shown.columns[TASKS[task].variable][there] % 180
        decoder = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3)
        fitted = decoder.fit(x[::2], label[::2])
        accuracy = fitted.score(x[1::2], label[1::2])
        chance, most = limit.loc[task, ["chance", "limit"]]
        assert chance + 0.1 < accuracy < most


def test_who_is_told_less_has_a_lower_limit(simulated):
    session = drawn(simulated, "A")
    short, whole = (
        limits(session, {"drifting_gratings": s}, np.random.default_rng(1)) for s in (0.3, 2.0)
    )
    assert (short["limit"] < whole["limit"] - 3 * whole["error"]).all()


def test_cells_without_tuning_leave_chance(simulated):
    count = len(simulated["A"][1]["grating_hz"])
    table = limits(
        drawn(simulated, "A", grating_hz=np.zeros(count)), WINDOW_S, np.random.default_rng(1)
    )
    np.testing.assert_allclose(table["limit"], table["chance"])
    np.testing.assert_allclose(table["chance"], [1 / 8, 1 / 4, 1 / 5])


def test_tasks_are_those_of_the_windows_that_are_shown(simulated):
    session = drawn(simulated, "B")
    tasks = limits(session, WINDOW_S, np.random.default_rng(1))["task"]
    assert set(tasks) == {"static_orientation", "spatial_frequency", "phase", "scene"}
    assert set(limits(session, {"natural_scenes": 0.5}, np.random.default_rng(1))["task"]) == {
        "scene"
    }
    assert limits(session, {"spontaneous": 2.0}, np.random.default_rng(1)).empty

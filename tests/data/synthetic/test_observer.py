"""The ideal observer: it is right as often as it believes, and no decoder passes it."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from glasscortex.config import SimulateConfig
from glasscortex.data import synthetic
from glasscortex.data.synthetic import observer, sessions
from glasscortex.data.synthetic.likelihood import log_likelihood
from glasscortex.data.synthetic.observer import Session, limits, observed
from glasscortex.tasks import ALLEN

CONFIG = SimulateConfig(
    cre_lines=("Sst-IRES-Cre",),
    mice_per_line=1,
    sessions={"three_session_A": 1, "three_session_B": 1},
    cells=10,
    length=0.2,
    without=("natural_movie_one", "natural_movie_three"),
)
WINDOW_S = {"drifting_gratings": 2.0, "static_gratings": 0.5, "natural_scenes": 0.5}


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


@pytest.mark.parametrize("stimulus", WINDOW_S)
def test_the_observer_is_right_as_often_as_it_believes(simulated, stimulus):
    session = drawn(simulated, "A" if stimulus.startswith("drifting") else "B")
    posterior, shown = observed(session, stimulus, WINDOW_S[stimulus], np.random.default_rng(1))
    believed, right = posterior.max(axis=1), posterior.argmax(axis=1) == shown
    error = np.sqrt((believed * (1 - believed)).mean() / len(shown))
    assert abs(right.mean() - believed.mean()) < 3 * error


def test_the_observer_sees_all_spikes_from_before_the_response_to_the_end_of_the_window(
    simulated, monkeypatch
):
    """A static grating is shown for 7 or 8 frames; the next follows within the window."""
    told = []

    def likelihood(stretches):
        told.append(stretches)
        return log_likelihood(stretches)

    monkeypatch.setattr(observer, "log_likelihood", likelihood)
    observed(drawn(simulated, "B"), "static_gratings", 0.5, np.random.default_rng(1))
    before, latency = 90, 2
    assert {(t.own.start, t.own.stop - before) for t in told} == {(before, 7), (before, 8)}
    for stretches in told:
        assert stretches.spikes.shape[-1] == before + 15 - latency
        silent = np.flatnonzero((stretches.around == 0).all(axis=(0, 1)))
        assert list(silent) == list(range(stretches.own.start, stretches.own.stop))


def test_who_is_not_told_the_gain_is_right_less_often(simulated, monkeypatch):
    def ignorant(stretches):
        nothing = np.zeros_like(stretches.log_gain)
        return log_likelihood(replace(stretches, log_gain=nothing, loading=nothing[0]))

    posterior, shown = observed(
        drawn(simulated, "A"), "drifting_gratings", 2.0, np.random.default_rng(1)
    )
    monkeypatch.setattr(observer, "log_likelihood", ignorant)
    guess, same = observed(
        drawn(simulated, "A"), "drifting_gratings", 2.0, np.random.default_rng(1)
    )
    np.testing.assert_array_equal(same, shown)
    assert 0.2 < (guess.argmax(axis=1) == shown).mean() < posterior.max(axis=1).mean() - 0.03


def test_no_decoder_of_windows_passes_the_limit(simulated):
    """A discriminant of the windows' mean ΔF/F, which reads something all the same."""
    recording = simulated["A"][-1]
    shown = recording.timeline.presentations["drifting_gratings"]
    there = np.flatnonzero(~shown.blank)
    at = shown.start[there, None] + np.arange(60)
    x = recording.dff[:, at].mean(axis=2).T
    limit = limits(drawn(simulated, "A"), WINDOW_S, np.random.default_rng(1)).set_index("task")
    for task in ("orientation", "temporal_frequency"):
        label = shown.columns[ALLEN.tasks[task].column][there] % 180
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

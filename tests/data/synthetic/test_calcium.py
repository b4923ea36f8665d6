"""Calcium, fluorescence and behaviour."""

import numpy as np
import pytest

from glasscortex.data.synthetic.behaviour import behave
from glasscortex.data.synthetic.calcium import BLEACHING, DECAY_S, calcium, fluorescence
from glasscortex.data.synthetic.cells import draw
from glasscortex.data.synthetic.leaky import fluctuation, smoothed


def test_a_spike_rises_to_one_and_decays_as_gcamp6f():
    rate = 3000.0
    spikes = np.zeros((1, 6000))
    spikes[0, 0] = 1
    trace = calcium(spikes, rate)[0]
    assert trace[0] == 0
    assert trace.max() == pytest.approx(1, abs=1e-3)
    assert 0.045 < trace.argmax() / rate < 0.06
    late = trace[1500:3000]
    assert np.polyfit(np.arange(1500) / rate, np.log(late), 1)[0] == pytest.approx(
        -1 / DECAY_S, rel=1e-3
    )


def test_spikes_add_up():
    rng = np.random.default_rng(0)
    first, second = rng.poisson(0.1, (2, 3, 200))
    np.testing.assert_allclose(
        calcium(first + second, 30), calcium(first, 30) + calcium(second, 30), atol=1e-12
    )


@pytest.fixture(scope="module")
def silent():
    """Fluorescence of cells that never fire, ten minutes."""
    cells = draw("Cux2-CreERT2", 20, np.random.default_rng(0))
    rate = np.zeros((len(cells["neuropil_r"]), 18_000))
    return cells, fluorescence(rate, cells, 30.0, np.random.default_rng(1))


def test_neuropil_ratio_is_recovered_by_regression(silent):
    """On slow changes, where the noise of single frames averages out."""
    cells, seen = silent
    slow = [smoothed(trace, 15)[:, 200:] for trace in (seen.measured, seen.neuropil)]
    found = [np.polyfit(n, m, 1)[0] for m, n in zip(*slow)]
    np.testing.assert_allclose(found, cells["neuropil_r"], atol=0.25)
    assert np.abs(np.mean(np.subtract(found, cells["neuropil_r"]))) < 0.05


def test_neuropil_correction_leaves_the_resting_cell(silent):
    cells, seen = silent
    corrected = seen.measured - cells["neuropil_r"][:, None] * seen.neuropil
    np.testing.assert_allclose(corrected[:, :600].mean(1), cells["resting_counts"], rtol=0.05)


def test_fluorescence_bleaches():
    cells = {
        "spike_dff": np.array([0.2]),
        "resting_counts": np.array([400.0]),
        "neuropil_r": np.array([0.0]),
    }
    seen = fluorescence(np.zeros((1, 60_000)), cells, 5.0, np.random.default_rng(0))
    last = seen.measured[0, -3000:].mean() / 400
    assert last == pytest.approx(1 - BLEACHING * (1 - np.exp(-11_700 / 2400)), abs=0.01)


def test_fluorescence_follows_the_rate():
    cells = {
        "spike_dff": np.array([0.2, 0.2]),
        "resting_counts": np.array([400.0, 400.0]),
        "neuropil_r": np.array([0.7, 0.7]),
    }
    rate = np.repeat([[0.5], [4.0]], 20_000, axis=1)
    seen = fluorescence(rate, cells, 30.0, np.random.default_rng(0))
    corrected = seen.measured - 0.7 * seen.neuropil
    quiet, busy = corrected.mean(1) / 400
    area = 0.2 * calcium(np.eye(1, 300), 30.0).sum() / 30
    assert (busy - quiet) == pytest.approx(3.5 * area, rel=0.1)


def test_fluctuation_is_stationary_with_its_time_constant():
    noise = fluctuation((4000, 60), 10.0, np.random.default_rng(0))
    np.testing.assert_allclose(noise.std(0), 1, atol=0.06)
    assert np.mean(noise[:, 20] * noise[:, 30]) == pytest.approx(np.exp(-1), abs=0.06)


def test_mice_run_their_share_and_the_pupil_follows():
    rng = np.random.default_rng(0)
    share, correlation = [], []
    for _ in range(12):
        behaviour = behave(0.4, 60_000, 30.0, rng)
        share.append(np.mean(behaviour.running > 0.05))
        correlation.append(np.corrcoef(behaviour.running, behaviour.pupil)[0, 1])
    assert np.mean(share) == pytest.approx(0.4, abs=0.12)
    assert np.mean(correlation) > 0.2
    assert 0 < behaviour.blink.mean() < 0.02
    assert behaviour.speed.mean() == pytest.approx(0.4 * 19.5, rel=0.4)

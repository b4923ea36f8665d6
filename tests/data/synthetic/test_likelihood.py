"""Known answers of the ideal observer's likelihood."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import softmax
from scipy.stats import norm, poisson

from glasscortex.data.synthetic.leaky import fluctuation
from glasscortex.data.synthetic.likelihood import Stretches, log_likelihood, split_level

RATES = np.array([2.0, 5.0])
COUNTS = np.arange(12.0)


def seen(counts, loading=0.0, before=0, after=0):
    """Spikes of one cell, in a single frame of the response; none around, where 3 were expected."""
    spikes = np.zeros((len(counts), 1, before + 1 + after))
    spikes[..., before] = np.reshape(counts, (-1, 1))
    around = np.full(spikes.shape, 3.0)
    around[..., before] = 0
    return Stretches(
        spikes=spikes,
        log_gain=np.zeros_like(spikes),
        loading=np.full(spikes.shape[1:], loading),
        around=around,
        response=RATES[:, None, None],
        own=slice(before, before + 1),
    )


def test_without_a_level_spikes_are_poisson():
    odds = np.subtract(*log_likelihood(seen(COUNTS)).T)
    expected = np.subtract(*poisson.logpmf(COUNTS, RATES[:, None]))
    np.testing.assert_allclose(odds, expected)


@pytest.mark.parametrize(("before", "after"), [(0, 0), (2, 1)])
@pytest.mark.parametrize("loading", [0.4, -0.7])
def test_the_level_is_integrated_out(loading, before, after):
    def probability(count, rate):
        def at(level):
            gain = np.exp(loading * level)
            silence = np.exp(-3.0 * (before + after) * gain)
            return poisson.pmf(count, rate * gain) * silence * norm.pdf(level)

        return quad(at, -9, 9, epsabs=1e-13)[0]

    odds = np.subtract(*log_likelihood(seen(COUNTS, loading, before, after)).T)
    expected = [np.log(probability(n, 2.0) / probability(n, 5.0)) for n in COUNTS]
    np.testing.assert_allclose(odds, expected, atol=1e-4)


def test_the_limit_of_two_poisson_classes_is_that_of_all_counts():
    """Σ over counts of the larger probability, halved."""
    both = poisson.pmf(np.arange(60), RATES[:, None])
    spikes = np.random.default_rng(0).poisson(RATES[np.arange(20_000) % 2])
    largest = softmax(log_likelihood(seen(spikes)), axis=1).max(axis=1)
    assert largest.mean() == pytest.approx(both.max(axis=0).sum() / 2, abs=0.005)


def test_what_is_told_of_a_fluctuation_says_nothing_of_its_level():
    private = fluctuation((40_000, 13), 8.0, np.random.default_rng(0))
    loading, level = split_level(private, slice(5, 9), 8.0)
    told = np.column_stack([private[:, 0], private[:, 1:] - level[:, None] * loading])
    assert level.std() == pytest.approx(1, abs=0.02)
    assert np.abs(level @ told / len(level)).max() < 4 / np.sqrt(len(level))

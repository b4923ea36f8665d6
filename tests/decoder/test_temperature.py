import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.metrics import log_loss

from glasscortex.decoder.temperature import GAINS, confidence, cross_entropies, fitted_gain


def drawn(presentations=3000, classes=8, seed=0):
    """Log-probabilities, and labels drawn by them."""
    rng = np.random.default_rng(seed)
    scores = log_softmax(1.5 * rng.normal(size=(presentations, classes)), axis=1)
    gumbel = rng.gumbel(size=scores.shape)
    return scores, (scores + gumbel).argmax(axis=1)


@pytest.mark.parametrize("temperature", [1, 4, 0.5])
def test_the_temperature_is_found_again(temperature):
    scores, labels = drawn()
    assert fitted_gain(temperature * scores, labels) == pytest.approx(1 / temperature)


def test_the_loss_is_scikit_learns():
    scores, labels = drawn(50)
    scores = scores / 10  # scikit-learn clips what is all but impossible
    expected = [log_loss(labels, softmax(gain * scores, axis=1), normalize=False) for gain in GAINS]
    np.testing.assert_allclose(cross_entropies(scores + 7.0, labels), expected)


def test_what_cannot_be_changes_nothing():
    scores, labels = drawn(50)
    wider = np.c_[scores, np.full(50, -np.inf)]
    np.testing.assert_allclose(cross_entropies(wider, labels), cross_entropies(scores, labels))
    np.testing.assert_allclose(confidence(wider, 0.5), softmax(scores / 2, axis=1).max(axis=1))


def test_without_validation_scores_stay_as_they_are():
    assert fitted_gain(np.empty((0, 3)), np.empty(0, int)) == 1

import numpy as np
import pytest

from glasscortex.decoder.labelled import parts
from glasscortex.decoder.tuning import Evidence, Prior, Tuning

TIMES, CLASSES, CELLS = 3, 4, 60


def simulated(rng, cells=CELLS, repeats=6, noise=2.0, scale=1.0):
    """Windows of cells whose tuning has two dimensions, their labels, and the tuning."""
    axes = np.linalg.qr(np.random.default_rng(0).normal(size=(CLASSES * TIMES, 2)))[0].T
    tuning = (rng.normal(size=(cells, 2)) @ axes * 4 * scale).reshape(cells, CLASSES, TIMES)
    tuning -= tuning.mean(axis=1, keepdims=True)
    classes = np.tile(np.arange(CLASSES), repeats)
    x = tuning[:, classes].transpose(1, 0, 2)
    return x + noise * rng.normal(size=x.shape), np.eye(CLASSES)[classes], tuning


def prior_of(sessions) -> Prior:
    evidence = Evidence()
    for x, label, _ in sessions:
        evidence.add(Tuning.of(x, label))
    return evidence.prior()


def test_responses_are_class_means_less_the_mean():
    x, label, _ = simulated(np.random.default_rng(1))
    tuning = Tuning.of(x, label)
    for k in range(CLASSES):
        expected = x[label[:, k] == 1].mean(axis=0) - x.mean(axis=0)
        np.testing.assert_allclose(tuning.response[:, k], expected)


def test_the_noise_is_what_class_means_leave():
    x, label, _ = simulated(np.random.default_rng(1))
    means = label @ (label.T @ x.reshape(len(x), -1)) / 6
    left = (x.reshape(len(x), -1) - means).reshape(x.shape).mean(axis=2)
    expected = left.T @ left / (len(x) - CLASSES)
    np.testing.assert_allclose(Tuning.of(x, label).noise, expected, atol=1e-12)


def test_the_prior_is_the_covariance_of_tuning():
    rng = np.random.default_rng(2)
    sessions = [simulated(rng, cells=400) for _ in range(10)]
    found = prior_of(sessions).covariance
    true = np.concatenate([s[2].reshape(400, -1) for s in sessions]) / 2.0
    np.testing.assert_allclose(found, true.T @ true / len(true), atol=0.12)


def test_the_likely_tuning_is_nearer_the_truth_than_the_responses():
    rng = np.random.default_rng(3)
    sessions = [simulated(rng) for _ in range(8)]
    prior = prior_of(sessions)
    for x, label, truth in sessions:
        tuning = Tuning.of(x, label)
        far = np.square(tuning.response - truth).mean()
        assert np.square(prior.posterior(tuning) - truth).mean() < 0.5 * far


def test_with_many_repeats_a_session_follows_its_own_responses():
    rng = np.random.default_rng(4)
    prior = prior_of([simulated(rng) for _ in range(8)])
    x, label, _ = simulated(rng, repeats=200)
    unlike = rng.normal(size=(CELLS, CLASSES, TIMES))
    x = x + np.einsum("nk,ckt->nct", label, unlike)
    prior = Prior(prior.covariance + 1e-2 * np.eye(len(prior.covariance)), prior.time)
    tuning = Tuning.of(x, label)
    np.testing.assert_allclose(prior.posterior(tuning), tuning.response, atol=0.45)


def test_classes_that_were_not_shown_and_silent_cells_have_none():
    rng = np.random.default_rng(5)
    prior = prior_of([simulated(rng) for _ in range(4)])
    x, label, _ = simulated(rng)
    x[:, 7] = 0
    tuning = Tuning.of(x[label[:, 2] == 0], label[label[:, 2] == 0])
    likely = prior.posterior(tuning)
    assert not likely[:, 2].any() and not likely[7].any()
    assert likely[:, [0, 1, 3]].any() and np.isfinite(likely).all()


def test_one_window_of_each_class_is_enough():
    rng = np.random.default_rng(6)
    prior = prior_of([simulated(rng) for _ in range(4)])
    tuning = Tuning.of(*simulated(rng, repeats=1)[:2])
    assert np.isfinite(prior.posterior(tuning)).all() and prior.posterior(tuning).any()


@pytest.mark.parametrize(
    "samples, times, expected", [(6, 3, [0.5, 2.5, 4.5]), (5, 3, [0.5, 2.5, 2])]
)
def test_parts_are_means_of_whole_patches(samples, times, expected):
    values = np.arange(samples, dtype=np.float32)[None, None]
    np.testing.assert_allclose(parts(values, 2, 3)[0, 0], expected)

"""Effect sizes against scipy, scikit-learn and known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import f_oneway, spearmanr
from sklearn.metrics import roc_auc_score

from glasscortex.analysis import effects


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_eta_squared_is_the_share_behind_the_f_of_an_anova(rng):
    classes = np.repeat([0, 1, 2], [10, 25, 5])
    responses = rng.normal(size=(40, 6)) + classes[:, None] * np.linspace(0, 1, 6)
    f = f_oneway(*(responses[classes == k] for k in range(3))).statistic
    expected = f * 2 / (f * 2 + 37)
    found = effects.eta_squared(effects.centred(responses, np.zeros(40, int)), classes)
    np.testing.assert_allclose(found, expected)


def test_eta_squared_ignores_differences_between_centred_groups(rng):
    groups = np.repeat([0, 1], 20)
    classes = np.tile([0, 1], 20)
    response = rng.normal(size=(40, 1))
    shifted = response + 100 * groups[:, None]
    np.testing.assert_allclose(
        effects.eta_squared(effects.centred(shifted, groups), classes),
        effects.eta_squared(effects.centred(response, groups), classes),
    )


def test_eta_squared_of_a_constant_unit_is_nan():
    assert np.isnan(effects.eta_squared(np.zeros((6, 1)), np.array([0, 0, 1, 1, 2, 2]))).all()


def test_leaving_a_mouse_out_equals_computing_without_it(rng):
    mice, classes = np.repeat([0, 1, 2], 20), rng.integers(3, size=60)
    responses = effects.centred(rng.normal(size=(60, 4)), mice)
    found = effects.eta_squared_without(responses, classes, mice)
    for mouse in range(3):
        kept = mice != mouse
        expected = effects.eta_squared(responses[kept], classes[kept])
        np.testing.assert_allclose(found[mouse], expected)


def test_leaving_out_the_only_mouse_with_a_class(rng):
    mice, classes = np.repeat([0, 1, 2], 4), np.tile([0, 0, 1, 1], 3)
    classes[mice == 2] = 2
    responses = effects.centred(rng.normal(size=(12, 2)), mice)
    expected = effects.eta_squared(responses[:8], classes[:8])
    np.testing.assert_allclose(effects.eta_squared_without(responses, classes, mice)[2], expected)


def test_products_of_ranks_are_spearmans(rng):
    x, y = rng.integers(6, size=(30, 5)).astype(float), rng.normal(size=30)
    found = effects.standardised_ranks(y) @ effects.standardised_ranks(x)
    np.testing.assert_allclose(found, [spearmanr(column, y).statistic for column in x.T])


def test_a_constant_column_correlates_with_nothing():
    assert (effects.standardised_ranks(np.ones((5, 1))) == 0).all()


def test_auroc_is_scikit_learns(rng):
    responses = rng.integers(4, size=(40, 3)).astype(float)
    preferred = rng.random((40, 3)) < 0.3
    expected = [roc_auc_score(preferred[:, u], responses[:, u]) for u in range(3)]
    np.testing.assert_allclose(effects.auroc(responses, preferred), expected)


def test_auroc_without_a_preferred_presentation_is_nan():
    assert np.isnan(effects.auroc(np.ones((4, 1)), np.zeros((4, 1), bool))).all()


def test_circular_selectivity_of_known_tunings():
    directions = np.radians(np.arange(0, 360, 45))
    one = np.eye(8)[2]
    two_opposite = np.eye(8)[2] + np.eye(8)[6]
    means = np.stack([one, two_opposite, np.ones(8), np.zeros(8)], axis=1)
    dsi = effects.circular_selectivity(means, directions)
    np.testing.assert_allclose(dsi, [1, 0, 0, np.nan], atol=1e-12)
    osi = effects.circular_selectivity(means, 2 * directions)
    np.testing.assert_allclose(osi, [1, 1, 0, np.nan], atol=1e-12)


@given(st.integers(2, 12), st.integers(20, 60), st.integers(0, 100))
def test_information_never_exceeds_what_the_class_holds(n_classes, n, seed):
    rng = np.random.default_rng(seed)
    classes = rng.integers(n_classes, size=n)
    responses = np.maximum(rng.normal(size=(n, 3)), 0)
    assert (effects.mutual_information(responses, classes) <= np.log2(n_classes) + 1e-9).all()


def test_information_of_noise_is_zero_on_average_however_few_the_presentations(rng):
    responses = np.maximum(rng.normal(size=(150, 300)), 0)
    found = effects.mutual_information(responses, rng.integers(50, size=150))
    assert abs(found.mean()) < 3 * found.std() / np.sqrt(300)


def test_information_of_a_unit_that_is_on_for_one_of_two_classes(rng):
    classes = np.repeat([0, 1], 500)
    assert effects.mutual_information(classes[:, None] * 1.0, classes)[0] == pytest.approx(
        1, abs=0.01
    )
    assert effects.mutual_information(np.zeros((1000, 1)), classes)[0] == pytest.approx(0, abs=1e-9)

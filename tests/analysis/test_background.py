"""Genetic background: the mouse is the replicate."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import f_oneway, spearmanr

from glasscortex.analysis.background import of_background
from glasscortex.analysis.stimulus import of_presentations
from tests.analysis.worlds import false_positives, presentations


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def correlated_mice(rng, mice, per_mouse=30, units=400, icc=0.2):
    """Windows of one mouse share what makes the mouse."""
    of_mouse = np.sqrt(icc) * rng.normal(size=(mice, 1, units))
    noise = np.sqrt(1 - icc) * rng.normal(size=(mice, per_mouse, units))
    return presentations(mice, per_mouse, (of_mouse + noise).reshape(-1, units))


def lines(mice, number):
    return pd.Series({f"s{i}": f"line{i % number}" for i in range(mice)})


def test_only_permuting_mice_keeps_the_false_positive_rate(rng):
    shown, labels = correlated_mice(rng, 12), lines(12, 3)
    measured = of_background(shown, labels, 499, rng)
    rate, tolerance = false_positives(measured.p)
    assert rate <= 0.05 + tolerance
    assert rate >= 0.05 - tolerance

    line = shown.trials["session_id"].map(labels).factorize()[0]
    pooled = shown.trials.assign(line=line, session_id="one")
    windows = of_presentations(type(shown)(pooled, shown.responses), "line", 99, rng)
    assert (windows.p <= 0.05).mean() > 0.5


def test_the_effect_is_that_of_an_anova_over_mice(rng):
    shown, labels = correlated_mice(rng, 9, units=4), lines(9, 3)
    measured = of_background(shown, labels, 99, rng)
    means = shown.responses.astype(float).reshape(9, 30, 4).mean(axis=1)
    f = f_oneway(*(means[k::3] for k in range(3)), equal_var=False).statistic
    np.testing.assert_allclose(measured.effect, 2 * f / (2 * f + 6), rtol=1e-5)


def test_a_small_line_that_varies_more_is_no_selectivity(rng):
    """By the variance of all mice together, about .19 of such units pass."""
    rates = []
    for _ in range(4):
        shown = correlated_mice(rng, 20, units=300)
        labels = pd.Series({f"s{i}": "small" if i < 4 else "large" for i in range(20)})
        shown.responses[:] *= np.where(shown.trials["session_id"].map(labels) == "small", 2, 1)[
            :, None
        ]
        rates.append((of_background(shown, labels, 199, rng).p <= 0.05).mean())
    assert np.mean(rates) <= 0.1


def test_eight_mice_of_two_lines_have_35_arrangements(rng):
    measured = of_background(correlated_mice(rng, 8), lines(8, 2), 5000, rng)
    assert len(measured.null) == 34
    assert measured.p_min == pytest.approx(1 / 35)
    assert measured.p.min() >= 1 / 35
    assert measured.n == 8


def test_a_unit_of_one_line_is_found(rng):
    shown, labels = correlated_mice(rng, 16, units=40), lines(16, 4)
    is_line = (shown.trials["session_id"].map(labels) == "line2").to_numpy()
    shown.responses[:, :3] += 3 * is_line[:, None]
    measured = of_background(shown, labels, 2000, rng)
    assert measured.significant(0.05, 0.01)[:3].all()
    assert (measured.preferred[:3] == "line2").all()


def test_a_mouse_with_more_sessions_counts_once(rng):
    shown, labels = correlated_mice(rng, 12), lines(12, 3)
    twins = shown.trials["mouse"].replace({"m9": "m0", "m10": "m1", "m11": "m2"})
    shown = type(shown)(shown.trials.assign(mouse=twins), shown.responses)
    assert of_background(shown, labels, 99, rng).n == 9


def test_unknown_lines_and_lone_mice_are_left_out(rng):
    labels = lines(8, 2)
    labels["s0"], labels["s1"] = "unknown", "line_of_one"
    assert of_background(correlated_mice(rng, 8), labels, 5000, rng).n == 6
    assert of_background(correlated_mice(rng, 8), lines(8, 8), 99, rng) is None
    assert of_background(correlated_mice(rng, 8), lines(8, 1), 99, rng) is None


def test_areas_of_one_mouse_are_compared_within_it(rng):
    """Mice differ a lot, areas a little."""
    shown = correlated_mice(rng, 24, units=60)
    of_mouse = np.repeat(20 * rng.normal(size=(12, 60)), 60, axis=0)
    areas = pd.Series({f"s{i}": ("VISp", "VISl")[i % 2] for i in range(24)})
    responses = shown.responses + of_mouse
    responses[:, 0] += 2 * (shown.trials["session_id"].map(areas) == "VISl")
    mouse = [f"m{int(s[1:]) // 2}" for s in shown.trials["session_id"]]
    shown = type(shown)(shown.trials.assign(mouse=mouse), responses)
    measured = of_background(shown, areas, 999, rng)
    assert measured.p[0] <= 0.01
    rate, tolerance = false_positives(measured.p[1:])
    assert rate <= 0.05 + tolerance


def test_depth_is_ranked(rng):
    shown = correlated_mice(rng, 6, units=5)
    depth = pd.Series({f"s{i}": 100.0 * i for i in range(6)})
    measured = of_background(shown, depth, 719, rng, ordered=True)
    means = shown.responses.astype(float).reshape(6, 30, 5).mean(axis=1)
    expected = [abs(spearmanr(means[:, u], depth).statistic) for u in range(5)]
    np.testing.assert_allclose(measured.effect, expected, atol=1e-9)
    # Of 720 orders two, the order itself and its reverse, are perfect.
    assert 1 / 720 <= measured.p_min <= 9 / 720

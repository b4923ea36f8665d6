import numpy as np
import pytest

from glasscortex.figures.controls import controls_figure


@pytest.fixture(scope="module")
def figure(selectivity):
    return controls_figure(selectivity=selectivity)


def markers(axes):
    """(model, x) of every marker, from the top."""
    lines = [line for line in axes.get_lines() if not line.get_label().startswith("_")]
    lines = sorted(lines, key=lambda line: line.get_ydata()[0])
    return [(line.get_label(), line.get_xdata()[0]) for line in lines]


def test_shares_and_medians_are_those_of_the_table(figure, selectivity):
    shares, effects = figure.axes
    drawn = zip(markers(shares), markers(effects), strict=True)
    for variable, stimulus in selectivity[["variable", "stimulus"]].drop_duplicates().to_numpy():
        rows = selectivity[
            (selectivity["variable"] == variable) & (selectivity["stimulus"] == stimulus)
        ]
        for model in ("trained", "shuffled", "untrained"):
            of_model = rows[rows["model"] == model]
            share, median = next(drawn)
            assert share == (model, pytest.approx(of_model["significant"].mean()))
            assert median == (model, pytest.approx(of_model["effect"].median()))


def test_intervals_stay_between_zero_and_one_and_counts_are_told(figure):
    shares = figure.axes[0]
    ends = np.concatenate([line.get_xdata() for line in shares.get_lines()])
    assert ends.min() >= 0 and ends.max() <= 1
    assert "16/40" in [text.get_text() for text in shares.texts]


def test_a_model_without_living_units_has_none_selective(selectivity):
    of_untrained = selectivity["model"] == "untrained"
    none = of_untrained & (selectivity["variable"] == "direction")
    shares = controls_figure(selectivity=selectivity[~none]).axes[0]
    assert markers(shares)[2] == ("untrained", 0)
    assert "0/0" in [text.get_text() for text in shares.texts]


def test_an_empty_table_says_so(selectivity):
    figure = controls_figure(selectivity=selectivity.head(0))
    assert "no unit" in figure.axes[0].texts[0].get_text()

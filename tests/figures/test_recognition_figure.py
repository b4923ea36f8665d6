import numpy as np
import pandas as pd
import pytest

from glasscortex.figures.recognition import MODELS, ROWS, recognition_figure


@pytest.fixture(scope="module")
def recognition():
    rng, rows = np.random.default_rng(0), []
    for variable, measure in (("cre_line", "accuracy"), ("depth_um", "spearman")):
        for model in MODELS:
            for kind, adjusted, _ in ROWS:
                value = rng.random()
                rows.append(
                    {
                        "model": model, "seed": 0, "sae": "cells" if model == "cells" else "topk",
                        "variable": variable, "stimulus": "drifting_gratings", "kind": kind,
                        "adjusted": adjusted, "mouse": "all", "measure": measure, "value": value,
                        "ci_low": value - 0.1, "ci_high": value + 0.1, "chance": 0.25,
                        "p": 0.5 if value < 0.5 else 0.01, "n_labels": 4, "n_mice": 40,
                    }
                )  # fmt: skip
    return pd.DataFrame([*rows, rows[0] | {"mouse": "m0", "value": np.nan}])


def test_every_value_is_drawn_and_filled_where_mice_are_recognised(recognition):
    figure = recognition_figure(recognition=recognition)
    whole = recognition[recognition["mouse"] == "all"]
    for axes, variable in zip(figure.axes, ("cre_line", "depth_um"), strict=True):
        marks = {line.get_label(): line for line in axes.get_lines()}
        for row in whole[whole["variable"] == variable].itertuples():
            mark = marks[f"{row.model} {row.kind} {row.adjusted}"]
            assert mark.get_xdata()[0] == row.value
            assert (mark.get_markerfacecolor() != "white") == (row.p <= 0.05)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()][1] == "mean"
    assert any("4 labels, 40 mice" in text.get_text() for text in figure.axes[0].texts)


def test_with_too_few_mice_the_figure_says_so(recognition):
    figure = recognition_figure(recognition=recognition.iloc[:0])
    assert "too few mice" in figure.axes[0].texts[0].get_text()

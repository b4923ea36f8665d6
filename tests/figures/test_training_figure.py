import numpy as np
import pandas as pd
import pytest

from glasscortex.figures.training import training_figure

COLUMNS = ["model", "seed", "epoch", "train_loss", "validation_loss"]
VALIDATION = {
    ("trained", 0): [3.0, 2.0, 1.5, 1.7],
    ("trained", 1): [3.1, 1.9, 2.2],
    ("shuffled", 0): [3.0, 2.9],
    ("shuffled", 1): [3.0, 3.2],
}


@pytest.fixture
def history():
    rows = [
        (*of, epoch, loss - 0.2 * epoch, loss)
        for of, losses in VALIDATION.items()
        for epoch, loss in enumerate(losses, start=1)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_every_model_has_a_panel_with_both_losses_of_every_seed(history):
    figure = training_figure(history=history)
    assert [axes.get_label() for axes in figure.axes] == ["trained", "shuffled"]
    for axes in figure.axes:
        curves = [line for line in axes.get_lines() if line.get_label().startswith("_")]
        drawn = [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in curves]
        rows = history[history["model"] == axes.get_label()]
        for _, of_seed in rows.groupby("seed"):
            for column in ("train_loss", "validation_loss"):
                assert (of_seed["epoch"].tolist(), of_seed[column].tolist()) in drawn
        assert len(drawn) == 2 * rows["seed"].nunique()


def test_a_dot_marks_the_epoch_that_is_kept(history):
    dots = {
        (axes.get_label(), int(line.get_label().removeprefix("seed "))): (
            line.get_xdata()[0],
            line.get_ydata()[0],
        )
        for axes in training_figure(history=history).axes
        for line in axes.get_lines()
        if line.get_label().startswith("seed ")
    }
    assert dots == {
        of: (int(np.argmin(losses)) + 1, min(losses)) for of, losses in VALIDATION.items()
    }


def test_without_training_the_figure_says_so():
    figure = training_figure(history=pd.DataFrame(columns=COLUMNS))
    assert [text.get_text() for text in figure.axes[0].texts] == ["no decoder was trained"]

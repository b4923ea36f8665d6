import numpy as np
import pytest

from glasscortex.figures.ablation import ablation_figure


@pytest.fixture(scope="module")
def figure(ablation):
    return ablation_figure(ablation=ablation)


@pytest.fixture(scope="module")
def table(ablation):
    return ablation[ablation["method"] == "zero"]


def test_the_matrix_is_the_share_lost_at_the_full_dose(figure, table):
    matrix = figure.axes[0]
    drawn = np.asarray(matrix.images[0].get_array())
    full = table[(table["condition"] == "selective") & (table["n_units"] == 64)]
    order = list(dict.fromkeys(table["task"]))
    rows = full.assign(share=full["delta"] / full["intact"])
    expected = rows.pivot(index="variable", columns="task", values="share").loc[order[:-1], order]
    np.testing.assert_allclose(drawn, expected)
    names = [tick.get_text() for tick in matrix.get_yticklabels()]
    assert names[0] == "direction (64)" and len(names) == len(order) - 1


def test_cells_tell_their_loss_and_whether_it_exceeds_matched_units(figure, table):
    cells = [text.get_text() for text in figure.axes[0].texts if text.get_text()[:1].isdigit()]
    assert len(cells) == 10 * 11
    assert sum(cell.endswith("*") for cell in cells) == 10
    assert cells[0] == "0.22*"


def test_dose_curves_are_of_the_own_task_with_every_matched_draw(figure, table):
    (panel,) = [axes for axes in figure.axes if axes.get_label() == "direction"]
    own = table[(table["variable"] == "direction") & (table["task"] == "direction")]
    lines = {line.get_label(): line for line in panel.get_lines()}
    selective = own[own["condition"] == "selective"]
    np.testing.assert_allclose(lines["selective"].get_xdata(), [4, 8, 16, 32, 64])
    np.testing.assert_allclose(lines["selective"].get_ydata(), selective["delta"])
    matched = own[own["condition"] == "matched_random"]
    means = matched.groupby("n_units")["delta"].mean()
    np.testing.assert_allclose(lines["matched"].get_ydata(), means)
    assert len(matched) in [len(line.get_xdata()) for line in panel.get_lines()]


def test_without_removed_units_the_figure_says_so(ablation):
    figure = ablation_figure(ablation=ablation.head(0))
    assert "no units were selected" in figure.axes[0].texts[0].get_text()

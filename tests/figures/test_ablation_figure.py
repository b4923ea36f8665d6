import numpy as np
import pytest

from glasscortex.figures.ablation import ablation_figure


@pytest.fixture(scope="module")
def figure(ablation, steering):
    return ablation_figure(ablation=ablation, steering=steering)


@pytest.fixture(scope="module")
def chosen(ablation):
    return ablation[ablation["chosen"]]


def test_the_matrix_is_the_share_lost_without_the_chosen_units(figure, chosen):
    matrix = figure.axes[0]
    drawn = np.asarray(matrix.images[0].get_array())
    order = list(dict.fromkeys(chosen["task"]))
    rows = chosen.assign(share=chosen["delta"] / chosen["intact"])
    expected = rows.pivot(index="variable", columns="task", values="share").loc[order[:-1], order]
    np.testing.assert_allclose(drawn, expected)
    names = [tick.get_text() for tick in matrix.get_yticklabels()]
    assert names[0] == "direction (32)" and len(names) == len(order) - 1


def test_cells_tell_their_loss_and_whether_it_exceeds_random_sets(figure):
    cells = [text.get_text() for text in figure.axes[0].texts if text.get_text()[:1].isdigit()]
    assert len(cells) == 10 * 11
    assert sum(cell.endswith("*") for cell in cells) == 10
    assert cells[0] == "0.16*"


def test_rivals_stand_beside_the_chosen_units(figure, chosen):
    (panel,) = [axes for axes in figure.axes if axes.get_label() == "rivals"]
    lines = {line.get_label(): line.get_xdata() for line in panel.get_lines()}
    own = chosen[chosen["variable"] == chosen["task"]]
    np.testing.assert_allclose(lines["own units"], own["delta"] / 0.5)
    np.testing.assert_allclose(lines["as many directions, that a probe reads"], 0.2)
    (legend,) = figure.subfigs[1].legends
    assert len(legend.get_texts()) == 5 + 2
    (random,) = panel.collections
    ends = np.array([segment[:, 0] for segment in random.get_segments()])
    np.testing.assert_allclose(ends, np.tile([-0.02, 0.06], (10, 1)))


def test_added_units_stand_by_dose_beside_random_ones(figure, steering):
    (panel,) = [axes for axes in figure.axes if axes.get_label() == "steering"]
    drawn = [line.get_xdata() for line in panel.get_lines() if line.get_marker() == "^"]
    assert len(drawn) == 2 * 3
    turned = steering[steering["measure"] == "turned"].groupby("condition")["value"]
    assert np.nanmax(drawn[:3]) == turned.max()["random"]
    assert np.nanmax(drawn[3:]) == turned.max()["own"]


def test_dose_curves_are_of_the_own_task_beside_random_sets(figure, ablation):
    (panel,) = [axes for axes in figure.axes if axes.get_label() == "direction"]
    own = ablation[(ablation["variable"] == "direction") & (ablation["task"] == "direction")]
    own = own[(own["method"] == "resample") & (own["condition"] == "selective")]
    lines = {line.get_label(): line for line in panel.get_lines()}
    np.testing.assert_allclose(lines["selective"].get_xdata(), [4, 8, 16, 32, 64])
    np.testing.assert_allclose(lines["selective"].get_ydata(), own["delta"])
    np.testing.assert_allclose(lines["matched"].get_ydata(), own["matched"])
    np.testing.assert_allclose(lines["chosen"].get_xdata(), [32])


def test_without_removed_units_the_figure_says_so(ablation, steering):
    figure = ablation_figure(ablation=ablation.head(0), steering=steering.head(0))
    assert "no units were selected" in figure.axes[0].texts[0].get_text()

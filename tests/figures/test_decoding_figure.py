import numpy as np
import pandas as pd
import pytest

from glasscortex.figures.decoding import LOWEST_R2, decoding_figure


def panel(figure, task):
    (axes,) = [axes for axes in figure.axes if axes.get_label() == task]
    return axes


def means(axes):
    lines = {line.get_label(): line.get_xdata()[0] for line in axes.get_lines()}
    return {name: x for name, x in lines.items() if not name.startswith("_")}


@pytest.fixture(scope="module")
def figure(decoding, splice):
    return decoding_figure(decoding=decoding, splice=splice)


def test_every_task_has_a_panel_with_the_means_of_the_table(figure, decoding, splice):
    table = decoding[(decoding["session_id"] == "all") & (decoding["split"] == "test")]
    table = table[table["metric"].isin(["accuracy", "r2"])].set_index(["task", "model"])["value"]
    conditions = splice.set_index(["task", "condition"])["value"]
    visible = [axes.get_label() for axes in figure.axes if axes.get_visible()]
    assert visible == list(table.index.unique("task"))
    for task in visible:
        drawn = means(panel(figure, task))
        expected = table[task].to_dict() | conditions[task][["spliced", "random_sae"]].to_dict()
        assert drawn == pytest.approx(expected)


def test_points_are_sessions_and_far_ones_lie_at_the_edge(figure, decoding):
    rows = decoding[(decoding["task"] == "running_speed") & (decoding["model"] == "linear")]
    points = {c.get_label(): c.get_offsets() for c in panel(figure, "running_speed").collections}
    x = np.asarray(points["linear sessions"])[:, 0]
    sessions = rows.loc[(rows["session_id"] != "all") & (rows["split"] == "test"), "value"]
    np.testing.assert_allclose(np.sort(x), np.sort(sessions.clip(LOWEST_R2)))
    assert x.min() == LOWEST_R2 and len(points["spliced sessions"]) == 0


def test_chance_is_where_the_table_has_it_and_n_is_stated(figure):
    axes = panel(figure, "direction")
    assert axes.get_lines()[0].get_xdata()[0] == pytest.approx(1 / 8)
    assert "8 classes, n = 24 sessions" in [text.get_text() for text in axes.texts]


def test_the_limit_of_simulated_sessions_is_their_mean(decoding, splice):
    observer = pd.DataFrame({"task": ["direction"] * 2, "limit": [0.7, 0.9]})
    figure = decoding_figure(decoding=decoding, splice=splice, observer=observer)
    assert means(panel(figure, "direction"))["limit"] == pytest.approx(0.8)
    assert "limit" not in means(panel(figure, "running_speed"))


def test_a_missing_model_leaves_its_lane_empty(decoding, splice):
    rows = decoding[(decoding["model"] == "trained") & (decoding["task"] == "scene")]
    figure = decoding_figure(decoding=rows, splice=splice)
    drawn = means(panel(figure, "scene"))
    assert np.isfinite(drawn["trained"]) and np.isnan(drawn["untrained"])


def test_lanes_are_the_transformer_the_baselines_of_the_table_and_the_controls(figure):
    lanes = [tick.get_text() for tick in panel(figure, "direction").get_yticklabels()]
    assert lanes == [
        "transformer", "+ SAE spliced", "+ random SAE",
        "regression", "templates",
        "shuffled labels", "untrained",
    ]  # fmt: skip
    assert panel(figure, "direction").get_yticklabels()[0].get_fontweight() == "bold"


def test_a_line_carries_the_transformers_mean_past_its_baselines(figure):
    axes = panel(figure, "orientation")
    mean = means(axes)["trained"]
    places = {line.get_label(): line.get_ydata()[0] for line in axes.get_lines()}
    carried = [line for line in axes.get_lines() if list(line.get_xdata()) == [mean, mean]]
    assert len(carried) == 1
    first, last = carried[0].get_ydata()
    assert first == places["trained"]
    assert places["linear"] < last < places["shuffled"]
    assert places["template"] < last


def test_without_baselines_there_are_no_lanes_for_them(decoding, splice):
    figure = decoding_figure(decoding=decoding[decoding["model"] == "trained"], splice=splice)
    assert len(panel(figure, "direction").get_yticks()) == 5

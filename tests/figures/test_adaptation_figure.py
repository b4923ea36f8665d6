import numpy as np
import pandas as pd
import pytest

from glasscortex.figures.adaptation import adaptation_figure

METHODS = {"adapted": 0.3, "scratch": 0.1, "linear": 0.2}
REPEATS = ("1", "5", "all")


@pytest.fixture
def adaptation():
    rows = [
        {
            "model": "trained",
            "seed": seed,
            "session_id": session,
            "task": task,
            "repeats": repeats,
            "method": method,
            "metric": metric,
            "value": base + 0.1 * i + 0.02 * seed,
            "ci_low": base + 0.1 * i - 0.05,
            "ci_high": base + 0.1 * i + 0.05,
            "chance": 0.125 if task == "direction" else 0.0,
            "n": 100,
            "n_classes": 8,
        }
        for seed in (0, 1)
        for session in ("s1", "s2", "all")
        for task, metric in (
            ("direction", "accuracy"),
            ("direction", "balanced_accuracy"),
            ("running_speed", "r2"),
        )
        for method, base in METHODS.items()
        for i, repeats in enumerate(REPEATS)
    ]
    table = pd.DataFrame(rows)
    low = (table["method"] == "scratch") & (table["task"] == "running_speed")
    table.loc[low, ["value", "ci_low", "ci_high"]] = [-3.0, -4.0, -2.0]
    table.loc[table["metric"] == "balanced_accuracy", "value"] = 9.0
    return table


def curves(axes):
    return {line.get_label(): line for line in axes.get_lines() if line.get_label() in METHODS}


def test_every_task_has_a_panel_with_the_mean_of_every_method(adaptation):
    panels = [axes for axes in adaptation_figure(adaptation=adaptation).axes if axes.get_visible()]
    assert [axes.get_label() for axes in panels] == ["direction", "running_speed"]
    for axes in panels:
        assert [tick.get_text() for tick in axes.get_xticklabels()] == list(REPEATS)
    found = curves(panels[0])
    for method, base in METHODS.items():
        np.testing.assert_allclose(found[method].get_ydata(), base + np.array([0.01, 0.11, 0.21]))


def test_chance_is_drawn_and_scores_far_below_lie_at_the_edge(adaptation):
    direction, running, *_ = adaptation_figure(adaptation=adaptation).axes
    assert 0.125 in [line.get_ydata()[0] for line in direction.get_lines()]
    lowest = running.get_ylim()[0]
    assert (curves(running)["scratch"].get_ydata() == lowest).all()
    assert lowest > -1


def test_the_intervals_are_those_of_the_table(adaptation):
    direction = adaptation_figure(adaptation=adaptation).axes[0]
    drawn = {
        tuple(np.round(segment[:, 1], 6))
        for collection in direction.collections
        for segment in collection.get_segments()
    }
    expected = {
        tuple(np.round([base + 0.1 * i - 0.05, base + 0.1 * i + 0.05], 6))
        for base in METHODS.values()
        for i in range(len(REPEATS))
    }
    assert drawn == expected

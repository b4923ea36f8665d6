"""Figure f: what is read from sessions never seen, with ever more repeats to learn from."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glasscortex.decoder.scores import HEADLINES, regressions
from glasscortex.figures.style import (
    COLOURS,
    FAINT,
    NAMES,
    WIDTH,
    heading,
    name_colours,
    styled,
)
from glasscortex.tasks import in_order
from glasscortex.words import in_words

METHODS = ("linear", "scratch", "adapted")
COLUMNS = 4
APART = 0.12
"""Repeats between the methods' points, so that their intervals do not hide one another."""

LOWEST_R2 = -0.25
"""Means below are drawn at the edge."""


@styled
def adaptation_figure(*, adaptation: pd.DataFrame) -> Figure:
    """Draw a panel a task: score on the test split against repeats, method by method.

    A point is the mean over new sessions and seeds of the headline metric; its line is the mean
    interval over sessions. Chance is dashed.

    Parameters
    ----------
    adaptation : pandas.DataFrame
    """
    scores = adaptation[adaptation["metric"].isin(HEADLINES)]
    tasks = in_order(scores["task"])
    rows = -(-len(tasks) // COLUMNS)
    figure = Figure(figsize=(WIDTH, 0.3 + 1.6 * rows), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, squeeze=False).flatten()
    for panel, task in zip(panels, tasks, strict=False):
        _draw_task(panel, task, scores[scores["task"] == task])
    for panel in panels[len(tasks) :]:
        panel.set_visible(False)
    name_colours(panels[0], [(NAMES[name], COLOURS[name]) for name in METHODS[::-1]], above=26)
    panels[0].annotate(
        "chance",
        (1, scores.loc[scores["task"] == tasks[0], "chance"].mean()),
        (0, -2),
        xycoords=panels[0].get_yaxis_transform(),
        textcoords="offset points",
        ha="right",
        va="top",
        color=FAINT,
        fontsize=6,
    )
    for panel in panels[len(tasks) - min(COLUMNS, len(tasks)) : len(tasks)]:
        panel.set_xlabel("repeats to learn from")
    return figure


def _draw_task(axes: Axes, task: str, scores: pd.DataFrame) -> None:
    axes.set_label(task)
    pooled = scores[scores["session_id"] == "all"]
    repeats = list(pooled["repeats"].unique())
    is_regression = task in regressions(scores)
    lowest = LOWEST_R2 if is_regression else 0.0
    axes.axhline(pooled["chance"].mean(), color=FAINT, linewidth=0.7, linestyle=(0, (3, 2)))
    for i, method in enumerate(METHODS):
        of_method = pooled[pooled["method"] == method]
        means = of_method.groupby("repeats")[["value", "ci_low", "ci_high"]].mean()
        means = means.reindex(repeats).clip(lower=lowest)
        places = [place + APART * (i - 1) for place in range(len(repeats))]
        axes.vlines(places, means["ci_low"], means["ci_high"], color=COLOURS[method], alpha=0.5)
        axes.plot(
            places,
            means["value"],
            "o-",
            color=COLOURS[method],
            markersize=3.5,
            markeredgecolor="white",
            markeredgewidth=0.5,
            label=method,
            clip_on=False,
        )
    axes.set_xticks(range(len(repeats)), repeats)
    axes.set_ylim(bottom=lowest)
    axes.locator_params(axis="y", nbins=4)
    axes.set_ylabel("R²" if is_regression else "accuracy", labelpad=1)
    sessions = scores.loc[scores["session_id"] != "all", "session_id"].nunique()
    classes = "" if is_regression else f"{pooled['n_classes'].max():g} classes, "
    heading(axes, in_words(task), f"{classes}n = {sessions} sessions")

"""Figure a: what each decoder reads, task by task."""

import numpy as np
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
    scattered,
    styled,
)
from glasscortex.tasks import in_order
from glasscortex.words import BASELINES, in_words

TRANSFORMER = ["trained", "spliced", "random_sae"]
CONTROLS = ["shuffled", "untrained"]
COLUMNS = 4
GAP = 0.6
"""Lanes of empty space between groups of decoders."""

LOWEST_R2 = -0.25
"""Sessions below are drawn at the edge."""


@styled
def decoding_figure(
    *, decoding: pd.DataFrame, splice: pd.DataFrame, observer: pd.DataFrame | None = None
) -> Figure:
    """Draw a panel a task and a lane a decoder: every session, their mean and its interval.

    Scores are the headline metrics on the test split, the mean over seeds; chance is dashed, what
    no decoder passes is dotted, and a blue line carries the transformer's mean past its baselines.

    Parameters
    ----------
    decoding, splice : pandas.DataFrame
        The tables.
    observer : pandas.DataFrame, optional
        The same, of simulated recordings.
    """
    scores = decoding[decoding["split"] == "test"]
    scores = scores[scores["metric"].isin(HEADLINES)]
    spliced = splice[(splice["model"] == "trained") & splice["sae"].isin(splice["sae"].head(1))]
    limits = {} if observer is None else observer.groupby("task")["limit"].mean().to_dict()
    lanes = _lanes(set(scores["model"]))
    tasks = in_order(scores["task"])
    rows = -(-len(tasks) // COLUMNS)
    height = 0.35 + rows * (0.45 + 0.125 * max(lanes.values()))
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, sharey=True, squeeze=False).flatten()
    for panel, task in zip(panels, tasks, strict=False):
        _draw_task(
            panel,
            task,
            lanes,
            scores[scores["task"] == task],
            spliced[spliced["task"] == task],
            limits.get(task, np.nan),
        )
    for panel in panels[len(tasks) :]:
        panel.set_visible(False)
    first = figure.axes[0]
    first.set_yticks(list(lanes.values()), [NAMES[lane] for lane in lanes])
    first.set_ylim(max(lanes.values()) + 0.6, -0.6)
    chance = scores.loc[scores["task"] == tasks[0], "chance"].mean()
    _name_line(first, "chance", chance, lanes["spliced"])
    if tasks[0] in limits:
        _name_line(first, "limit", limits[tasks[0]], lanes["spliced"])
    for row in range(rows):
        for tick, lane in zip(figure.axes[row * COLUMNS].get_yticklabels(), lanes, strict=True):
            tick.set_color(COLOURS[lane])
            tick.set_fontweight("bold" if lane == "trained" else "normal")
    return figure


def _lanes(models: set[str]) -> dict[str, float]:
    """Where each decoder is drawn; baselines, or a start, that the table lacks have no lane."""
    baselines, start = ([m for m in group if m in models] for group in (BASELINES, ["start"]))
    groups = [group for group in (TRANSFORMER, baselines, start + CONTROLS) if group]
    names = [name for group in groups for name in group]
    group_of = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return dict(zip(names, (np.arange(len(names)) + GAP * group_of).tolist()))


def _name_line(axes: Axes, name: str, x: float, y: float) -> None:
    """Write the name of a vertical line beside it."""
    axes.annotate(
        name, (x, y), (2, 0), textcoords="offset points", va="center", color=FAINT, fontsize=6
    )


def _draw_task(
    axes: Axes,
    task: str,
    lanes: dict[str, float],
    scores: pd.DataFrame,
    spliced: pd.DataFrame,
    limit: float,
) -> None:
    is_regression = task in regressions(scores)
    lowest = LOWEST_R2 if is_regression else 0.0
    means = scores[scores["session_id"] == "all"]
    sessions = scores[scores["session_id"] != "all"]
    axes.set_label(task)
    axes.axvline(means["chance"].mean(), color=FAINT, linewidth=0.7, linestyle=(0, (3, 2)))
    if np.isfinite(limit):
        axes.axvline(limit, color=FAINT, linewidth=0.9, linestyle=(0, (1, 1.5)), label="limit")
    _carry_past_baselines(axes, means.loc[means["model"] == "trained", "value"].mean(), lanes)
    numbers = ["value", "ci_low", "ci_high"]
    for lane, place in lanes.items():
        of_lane = sessions[sessions["model"] == lane].groupby("session_id", sort=False)["value"]
        points = of_lane.mean().to_numpy()
        axes.scatter(
            points.clip(min=lowest),
            place + scattered(len(points), 0.25),
            s=5,
            color=COLOURS[lane],
            alpha=0.35,
            linewidth=0,
            clip_on=False,
            label=f"{lane} sessions",
        )
        summary = means[means["model"] == lane]
        if lane in ("spliced", "random_sae"):
            summary = spliced[spliced["condition"] == lane]
        value, low, high = summary[numbers].mean()
        axes.plot(
            [max(low, lowest), max(high, lowest)],
            [place, place],
            color=COLOURS[lane],
            linewidth=1.6,
        )
        axes.plot(
            max(value, lowest),
            place,
            "o",
            markersize=5.2 if lane == "trained" else 4.2,
            color=COLOURS[lane],
            markeredgecolor="white",
            markeredgewidth=0.6,
            label=lane,
        )
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(left=lowest)
    axes.locator_params(axis="x", nbins=4)
    about = f"n = {sessions['session_id'].nunique()} sessions"
    if is_regression:
        axes.set_xlabel("R²", labelpad=1)
    else:
        about = f"{means['n_classes'].max():g} classes, {about}"
        axes.set_xlabel("accuracy", labelpad=1)
    heading(axes, in_words(task), about)


def _carry_past_baselines(axes: Axes, value: float, lanes: dict[str, float]) -> None:
    baselines = [place for lane, place in lanes.items() if lane in BASELINES]
    if baselines and np.isfinite(value):
        ends = [lanes["trained"], max(baselines) + 0.4]
        axes.plot([value, value], ends, color=COLOURS["trained"], linewidth=0.7, alpha=0.6)

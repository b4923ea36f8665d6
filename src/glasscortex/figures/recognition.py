"""Figure e: whether units, and which of their statistics, tell the line of a mouse."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glasscortex.analysis.recognition import ADJUSTED, EVERY_KIND
from glasscortex.analysis.traits import KINDS
from glasscortex.figures.style import (
    COLOURS,
    FAINT,
    NAMES,
    WIDTH,
    empty,
    first_fit,
    letter,
    name_colours,
    of_variable,
    styled,
)
from glasscortex.words import CELLS

LEVEL = 0.05
"""Marks of a p up to this are filled."""

MODELS = {"trained": "o", "start": "D", "shuffled": "v", "untrained": "s", CELLS: "^"}
"""In the order in which they are drawn, with their marks."""

OF_CELLS = "#222222"

ROWS = [
    (EVERY_KIND, "nothing", "all statistics together"),
    *((kind, "nothing", kind) for kind in KINDS),
    *((EVERY_KIND, name, f"all, made equal in\n{name}") for name, by in ADJUSTED.items() if by),
]

LANE = 0.16

MEASURES = {
    "accuracy": "share of mice recognised, mean over labels",
    "spearman": "rank correlation of prediction and label",
}


@styled
def recognition_figure(*, recognition: pd.DataFrame) -> Figure:
    """Draw how well mice are recognised, a panel a variable, a row a kind of statistics.

    Shown are the first SAE and seed of each model, and summaries of the cells. Lines are 95 %
    intervals over mice; a mark is filled where mice are recognised (p of permuted mice up to .05;
    of single kinds corrected for all of them); dashed: chance.

    Parameters
    ----------
    recognition : pandas.DataFrame
    """
    whole = recognition[recognition["mouse"] == "all"]
    of_cells = whole[whole["model"] == CELLS]
    shown = pd.concat([first_fit(whole[whole["model"] != CELLS]), of_cells])
    variables = list(dict.fromkeys(shown["variable"]))
    if not variables:
        figure = Figure(figsize=(WIDTH, 1.5))
        empty(figure.subplots(), "too few mice of each line, area or depth to tell them apart")
        return figure
    figure = Figure(figsize=(WIDTH, 4.2), layout="constrained")
    panels = figure.subplots(1, len(variables), sharey=True, squeeze=False)[0]
    for axes, name, sign in zip(panels, variables, "ABC", strict=False):
        _draw(axes, shown[shown["variable"] == name])
        letter(axes, sign, above=16)
    panels[0].set_yticks(range(len(ROWS)), [label for *_, label in ROWS])
    panels[0].set_ylim(len(ROWS) - 0.5, -0.5)
    models = [model for model in MODELS if model in set(shown["model"])]
    names = [(NAMES.get(m, m), COLOURS.get(m, OF_CELLS)) for m in models]
    name_colours(panels[0], names, above=30)
    return figure


def _draw(axes: Axes, rows: pd.DataFrame) -> None:
    models = [model for model in MODELS if model in set(rows["model"])]
    for place, (kind, adjusted, _) in enumerate(ROWS):
        of_row = rows[(rows["kind"] == kind) & (rows["adjusted"] == adjusted)]
        for lane, model in enumerate(models):
            for row in of_row[of_row["model"] == model].itertuples():
                y, colour = (
                    place + LANE * (lane - (len(models) - 1) / 2),
                    COLOURS.get(model, OF_CELLS),
                )
                axes.plot([row.ci_low, row.ci_high], [y, y], color=colour, linewidth=0.8)
                axes.plot(
                    row.value,
                    y,
                    MODELS[model],
                    markersize=3.6,
                    color=colour,
                    markerfacecolor=colour if row.p <= LEVEL else "white",
                    label=f"{model} {kind} {adjusted}",
                )
        if place in (1, 1 + len(KINDS)):
            axes.axhline(place - 0.5, color="#E3E3E3", linewidth=0.5, zorder=0)
    first = rows.iloc[0]
    axes.axvline(rows["chance"].mean(), color=COLOURS["null"], linewidth=0.8, linestyle="--")
    axes.set_xlabel(MEASURES[first["measure"]])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.text(
        1.0,
        1.01,
        f"{of_variable(first['variable'], first['stimulus'])}: {first['n_labels']:.0f} labels, "
        f"{first['n_mice']:.0f} mice",
        ha="right",
        va="bottom",
        fontsize=6,
        color=FAINT,
        transform=axes.transAxes,
    )

"""What each dictionary keeps of the decoding, and how well it is read, against its sparsity."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glasscortex.figures.style import (
    COLOURS,
    FAINT,
    NAMES,
    WIDTH,
    heading,
    letter,
    plain_log,
    styled,
)
from glasscortex.words import CELLS

MODELS = ["trained", "start", "untrained"]

ROWS = {
    "kept": "share of decoding kept",
    "purity": "purity of the best unit",
    "auroc_1": "AUROC of one unit",
}

MARKS = [
    (shape, colour)
    for shape in "osDv"
    for colour in ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D46")
]
"""One a dictionary, in the order of the table."""

SPREAD = 1.6
"""Bases have the same number of units: they are drawn apart, by this factor in all."""

LINE = 120
"""Characters of the legend that stand side by side, of which a mark takes six."""

BEYOND = 0.05
"""Room around what is kept of the first decoder; what lies outside is drawn at the edge.

What is kept of a task that is hardly read above chance may be anything.
"""


@styled
def dictionaries_figure(*, dictionaries: pd.DataFrame) -> Figure:
    """Draw a column a decoder and a row a measure, with a mark a dictionary and seed.

    Bases are hollow. Lines are 95 % intervals over sessions; chance, and in the first row the
    intact decoder, is dashed; grey lines are what the cells themselves and
    a dictionary of them reach.

    Parameters
    ----------
    dictionaries : pandas.DataFrame
    """
    placed = _placed(dictionaries)
    models = [model for model in MODELS if model in set(placed["model"])]
    figure = Figure(figsize=(WIDTH, 5.6), layout="constrained")
    panels = figure.subplots(len(ROWS), len(models), sharex=True, sharey="row", squeeze=False)
    plain_log(panels[0, 0], panels[0, 0].xaxis)
    panels[0, 0].set_xlim(1, np.nanmax(placed["x"]) * 1.5)
    lowest = placed.loc[placed["model"] == models[0], "kept"].clip(0, 1).min()
    panels[0, 0].set_ylim(np.nanmin([lowest, 1]) - BEYOND, 1 + BEYOND)
    for column, model in zip(panels.T, models, strict=True):
        rows = placed[placed["model"] == model]
        for axes, measure in zip(column, ROWS, strict=True):
            axes.set_label(f"{model} {measure}")
            _draw(axes, rows, measure)
        heading(column[0], NAMES[model], f"tasks read above chance: {rows['tasks'].max():g}")
        column[-1].set_xlabel("active units (L0)")
    of = f"\n{', '.join(placed['probed'].dropna().unique())}"
    of_cells = placed[placed["model"] == CELLS]
    for name, value, style in zip(of_cells["sae"], of_cells["auroc_1"], ["-", ":"], strict=False):
        for axes in panels[-1]:
            axes.axhline(value, color=COLOURS["null"], linestyle=style, label=name, zorder=0)
    for axes, (measure, text), name in zip(panels[:, 0], ROWS.items(), "ABC", strict=True):
        axes.set_ylabel(text + of * (measure != "kept"))
        letter(axes, name)
    handles = panels[-1, 0].get_legend_handles_labels()
    named = dict(zip(handles[1], handles[0], strict=True))
    columns = max(1, LINE // (6 + max(map(len, named))))
    figure.legend(
        named.values(),
        named,
        loc="outside upper left",
        ncols=columns,
        frameon=False,
        handletextpad=0.1,
    )
    return figure


def _placed(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with the place on the axis of L0 (`x`) and the look of each dictionary."""
    names = {name: i for i, name in enumerate(rows["sae"].unique())}
    bases = rows.loc[rows["basis"], "sae"].unique()
    places = np.linspace(-0.5, 0.5, len(bases)) if len(bases) > 1 else np.zeros(len(bases))
    step = rows["sae"].map(dict(zip(bases, places, strict=True))).fillna(0)
    return rows.assign(x=rows["l0"] * SPREAD**step, mark=rows["sae"].map(names))


def _draw(axes: Axes, rows: pd.DataFrame, measure: str) -> None:
    dashed = {"kept": 1.0, "auroc_1": 0.5, "purity": rows["purity_chance"].mean()}[measure]
    axes.axhline(dashed, color=FAINT, linewidth=0.7, linestyle=(0, (3, 2)), zorder=0)
    for row in rows.itertuples():
        shape, colour = MARKS[row.mark % len(MARKS)]
        value = getattr(row, measure)
        if measure == "kept":
            value = np.clip(value, *axes.get_ylim())
        else:
            ends = [getattr(row, f"{measure}_low"), getattr(row, f"{measure}_high")]
            axes.plot([row.x, row.x], ends, color=colour, linewidth=0.8, alpha=0.6)
        axes.plot(
            row.x,
            value,
            shape,
            markersize=4.4,
            color="white" if row.basis else colour,
            markeredgecolor=colour,
            markeredgewidth=1.0,
            clip_on=False,
            label=row.sae,
        )

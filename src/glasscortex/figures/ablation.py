"""Figure c: what the decoder loses when the units of one variable are removed."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from glasscortex.figures.style import (
    COLOURS,
    FAINT,
    WIDTH,
    empty,
    first_fit,
    heading,
    letter,
    name_colours,
    styled,
)
from glasscortex.tasks import in_order
from glasscortex.words import in_words

COLUMNS = 5
LOSS = LinearSegmentedColormap.from_list(
    "loss", ["#B35806", "#F6C58F", "#FFFFFF", "#9CC4E4", "#0B4F86"]
)
"""From gain (orange) through nothing (white) to loss (blue)."""


RIVALS = {
    "labels": ("as many directions, that labels move", "s", COLOURS["spliced"]),
    "probe": ("as many directions, that a probe reads", "D", COLOURS["random_sae"]),
    "kept": ("everything but these units", "o", "white"),
}
"""By condition, what is exchanged in the chosen units' place, its marker and its colour."""


@styled
def ablation_figure(*, ablation: pd.DataFrame, steering: pd.DataFrame) -> Figure:
    """Draw what units are needed for: removed, beside rivals, added, and by their number.

    Shown are the trained transformer's first SAE and seed; the matrix and the rivals are those of
    the chosen number of units, the dose curves those of the same method.

    Parameters
    ----------
    ablation, steering : pandas.DataFrame
    """
    table = ablation[ablation["model"] == "trained"]
    if table.empty:
        figure = Figure(figsize=(WIDTH, 1.5))
        empty(figure.subplots(), "no units were selected, so none were removed")
        return figure
    table = first_fit(table)
    chosen = table[table["chosen"].astype(bool)]
    removed = in_order(table["variable"])
    measured = in_order(table["task"])
    rows = -(-len(removed) // COLUMNS)
    heights = [0.9 + 0.3 * len(removed), 0.6 + 0.22 * len(removed), 1.35 * rows]
    figure = Figure(figsize=(WIDTH, sum(heights) + 0.3), layout="constrained")
    top, middle, bottom = figure.subfigures(3, 1, squeeze=False, height_ratios=heights)[:, 0]
    matrix = top.subplots()
    _draw_matrix(matrix, chosen, removed, measured)
    letter(matrix, "A", above=26)
    beside, turned = middle.subplots(1, 2, width_ratios=[3, 2], sharey=True)
    _draw_rivals(beside, table, removed)
    letter(beside, "B")
    _draw_steering(turned, steering, removed)
    letter(turned, "C")
    middle.legend(loc="outside lower center", ncols=3, borderpad=0)
    panels = bottom.subplots(rows, COLUMNS, squeeze=False).flatten()
    doses = table[(table["condition"] == "selective") & table["method"].isin(chosen["method"])]
    for panel, variable in zip(panels, removed, strict=False):
        _draw_doses(panel, doses, variable)
    for panel in panels[len(removed) :]:
        panel.set_visible(False)
    letter(panels[0], "D", above=26)
    names = [("own units", COLOURS["trained"]), ("95 % of random sets", COLOURS["null"])]
    name_colours(panels[0], names, above=26)
    bottom.supxlabel("units removed (ring: the number that validation chose)", fontsize=7)
    bottom.supylabel("loss on own task", fontsize=7)
    return figure


def _draw_matrix(axes: Axes, chosen: pd.DataFrame, removed: list[str], measured: list[str]) -> None:
    selective = chosen.set_index(["variable", "task"])
    delta = selective["delta"].unstack().reindex(index=removed, columns=measured)
    certain = selective["excess_low"].unstack().reindex_like(delta) > 0
    intact = selective["intact"].unstack().reindex_like(delta)
    share = (delta / intact.where(intact > 0)).clip(-1, 1)
    most = max(0.01, np.nanmax(np.abs(share.to_numpy())))
    image = axes.imshow(share, cmap=LOSS, vmin=-most, vmax=most, aspect="auto")
    for i, variable in enumerate(removed):
        for j, task in enumerate(measured):
            value = delta.iloc[i, j]
            if np.isnan(value):
                continue
            strong = bool(certain.iloc[i, j])
            axes.text(
                j,
                i,
                f"{round(value, 2) + 0:.2f}".replace("-", "−") + "*" * strong,
                ha="center",
                va="center",
                fontsize=6.5,
                fontweight="bold" if strong else "normal",
                color="white" if abs(share.iloc[i, j]) > 0.6 * most else "#222222",
            )
            if variable == task:
                axes.add_patch(
                    Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, linewidth=1, edgecolor="black")
                )
    units = selective["n_units"].groupby("variable").max()
    sessions = selective["n_sessions"].groupby("task").max()
    axes.set_yticks(range(len(removed)), [f"{in_words(v)} ({units[v]})" for v in removed])
    axes.set_xticks(
        range(len(measured)),
        [f"{in_words(t)} ({sessions[t]})" for t in measured],
        rotation=35,
        ha="left",
    )
    axes.tick_params(length=0, top=False, bottom=False, labeltop=True, labelbottom=False)
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("task measured (sessions)")
    axes.spines[:].set_visible(False)
    axes.set_ylabel("variable whose units are removed (number)")
    axes.annotate(
        f"Loss of accuracy or R², method {chosen['method'].iloc[0]}; framed: a variable's own "
        "task.\n* more than with random sets removed (95 % interval over mice and sets).",
        (0, 0),
        (0, -4),
        va="top",
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=6,
        color=FAINT,
    )
    bar = axes.figure.colorbar(image, ax=axes, fraction=0.03, pad=0.01, aspect=20)
    bar.outline.set_visible(False)
    bar.set_label("share of the intact score that is lost")


def _draw_rivals(axes: Axes, table: pd.DataFrame, removed: list[str]) -> None:
    """The share of the own task that each edit costs."""
    own = table[table["task"] == table["variable"]].set_index("variable")
    intact = own["intact"].groupby(level=0).first().reindex(removed)
    height = np.arange(len(removed))
    chosen = own[own["chosen"].astype(bool)].reindex(removed)
    axes.set_label("rivals")
    axes.hlines(
        height,
        chosen["matched_low"] / intact,
        chosen["matched_high"] / intact,
        color=COLOURS["null"],
        linewidth=5,
        alpha=0.35,
        label="95 % of random sets of units",
    )
    shown = {"own units": (chosen, "o", COLOURS["trained"])} | {
        label: (own[own["condition"] == condition].reindex(removed), marker, colour)
        for condition, (label, marker, colour) in RIVALS.items()
    }
    for label, (rows, marker, colour) in shown.items():
        axes.plot(
            *(rows["delta"] / intact, height, marker),
            color=colour,
            markeredgecolor=COLOURS["trained"] if colour == "white" else colour,
            markersize=4,
            label=label,
        )
    axes.axvline(0, color=FAINT, linewidth=0.5)
    axes.set_yticks(height, [f"{in_words(v)} ({chosen['n_units'][v]:g})" for v in removed])
    axes.set_ylim(len(removed) - 0.5, -0.5)
    axes.set_xlabel("share of the own task's score that is lost")


def _draw_steering(axes: Axes, steering: pd.DataFrame, removed: list[str]) -> None:
    """Share of presentations that an added unit turns to its label."""
    rows = steering[(steering["model"] == "trained") & (steering["measure"] == "turned")]
    rows = first_fit(rows) if len(rows) else rows
    for condition, colour in (("random", COLOURS["null"]), ("own", COLOURS["trained"])):
        part = rows[rows["condition"] == condition]
        doses = sorted(part["dose"].unique())
        for size, dose in enumerate(doses):
            of_dose = part[part["dose"] == dose].set_index("variable").reindex(removed)
            axes.plot(
                *(of_dose["value"], range(len(removed)), "^"),
                color=colour,
                markersize=2.5 + 1.5 * size,
                label=f"{condition} unit added, {', '.join(f'{d:g}' for d in doses)} ×"
                if dose == doses[-1]
                else None,
            )
    axes.set_label("steering")
    axes.axvline(0, color=FAINT, linewidth=0.5)
    axes.set_xlabel("share of presentations turned to its label")


def _draw_doses(axes: Axes, doses: pd.DataFrame, variable: str) -> None:
    own = doses[(doses["variable"] == variable) & (doses["task"] == variable)]
    own = own.sort_values("n_units")
    x = own["n_units"].to_numpy()
    axes.set_label(variable)
    axes.axhline(0, color=FAINT, linewidth=0.5)
    spread = own["matched_low"], own["matched_high"]
    axes.vlines(x, *spread, color=COLOURS["null"], alpha=0.35, linewidth=4)
    axes.plot(x, own["matched"], color=COLOURS["null"], label="matched")
    axes.fill_between(x, own["ci_low"], own["ci_high"], color=COLOURS["trained"], alpha=0.2)
    axes.plot(x, own["delta"], "o-", markersize=2.5, color=COLOURS["trained"], label="selective")
    chosen = own[own["chosen"].astype(bool)]
    axes.plot(
        *(chosen["n_units"], chosen["delta"]),
        *("o",),
        markersize=6,
        markerfacecolor="none",
        color=COLOURS["trained"],
        label="chosen",
    )
    axes.set_xscale("log", base=2)
    crowded = np.append(x[1:] / x[:-1] < 1.5, False)
    axes.set_xticks(x, ["" if near else f"{n:g}" for n, near in zip(x, crowded, strict=True)])
    axes.minorticks_off()
    axes.locator_params(axis="y", nbins=4)
    heading(axes, in_words(variable), f"n = {own['n_sessions'].max()} sessions")

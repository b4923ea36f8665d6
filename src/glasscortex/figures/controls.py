"""Figure d: selectivity of the trained transformer, its start, and the two controls."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glasscortex.figures.style import (
    COLOURS,
    INDICES,
    NAMES,
    WIDTH,
    empty,
    first_fit,
    letter,
    name_colours,
    of_variable,
    styled,
)
from glasscortex.intervals import student_reach

MODELS = ["trained", "start", "shuffled", "untrained"]
LANE = 0.25


@styled
def controls_figure(*, selectivity: pd.DataFrame) -> Figure:
    """Draw, for every variable, the share of selective units and the sizes of their effects.

    Shown are the first SAE and seed of each model. Shares have 95 % intervals over mice
    (jackknife), cut at 0 and 1; of effects, the median, the middle half and the middle 90 %.

    Parameters
    ----------
    selectivity : pandas.DataFrame
    """
    if selectivity.empty:
        figure = Figure(figsize=(WIDTH, 1.5))
        empty(figure.subplots(), "no unit was active enough to be tested")
        return figure
    table = first_fit(selectivity)
    pairs = table[["variable", "stimulus"]].drop_duplicates().itertuples(index=False, name=None)
    variables = list(pairs)
    models = [model for model in MODELS if model in set(table["model"])]
    figure = Figure(figsize=(WIDTH, 0.8 + 0.36 * len(variables)), layout="constrained")
    shares, effects = figure.subplots(1, 2, sharey=True)
    for place, (variable, stimulus) in enumerate(variables):
        of_pair = table[(table["variable"] == variable) & (table["stimulus"] == stimulus)]
        for lane, model in enumerate(models):
            y = place + LANE * (lane - (len(models) - 1) / 2)
            _draw_share(shares, y, of_pair[of_pair["model"] == model], model)
            _draw_effects(effects, y, of_pair[of_pair["model"] == model], model)
        if place:
            for axes in (shares, effects):
                axes.axhline(place - 0.5, color="#E3E3E3", linewidth=0.5, zorder=0)
    shares.set_yticks(
        range(len(variables)), [of_variable(v, s).replace(", ", "\n") for v, s in variables]
    )
    shares.set_ylim(len(variables) - 0.5, -0.5)
    shares.set_xlim(0, 1.18)
    shares.set_xticks([0, 0.25, 0.5, 0.75, 1])
    shares.set_xlabel("share of living units that is selective (selective / living)")
    effects.set_xscale("log")
    signs = " or ".join(sign for i, sign in INDICES.items() if i in set(table["index"]))
    effects.set_xlabel(f"effect on test, {signs}")
    for axes in (shares, effects):
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    name_colours(shares, [(NAMES[model], COLOURS[model]) for model in models])
    name_colours(effects, [("95 % quantile of the null, median unit", COLOURS["null"])])
    letter(shares, "A")
    letter(effects, "B")
    return figure


def _draw_share(axes: Axes, y: float, rows: pd.DataFrame, model: str) -> None:
    colour, count = COLOURS[model], int(rows["significant"].astype(bool).sum())
    share = count / max(1, len(rows))
    error = 0.0
    if len(rows):
        error = student_reach(rows["n_mice"].iloc[0]) * rows["fraction_error"].iloc[0]
    if np.isfinite(error):
        low, high = np.clip([share - error, share + error], 0, 1)
        axes.plot([low, high], [y, y], color=colour, linewidth=1.4)
    axes.plot(share, y, "o", markersize=4, color=colour, clip_on=False, label=model)
    axes.annotate(
        f"{count}/{len(rows)}",
        (1.03, y),
        fontsize=5,
        color=colour,
        va="center",
        annotation_clip=False,
    )


def _draw_effects(axes: Axes, y: float, rows: pd.DataFrame, model: str) -> None:
    values = rows["effect"].to_numpy()
    values = values[values > 0]
    if not len(values):
        return
    colour = COLOURS[model]
    p5, p25, p50, p75, p95 = np.percentile(values, [5, 25, 50, 75, 95])
    axes.plot([p5, p95], [y, y], color=colour, linewidth=0.7)
    axes.plot([p25, p75], [y, y], color=colour, linewidth=2.2)
    axes.plot(p50, y, "o", markersize=3.4, color="white", markeredgecolor=colour, label=model)
    chance = rows["null_high"].median()
    axes.plot([chance, chance], [y - LANE / 2, y + LANE / 2], color=COLOURS["null"], linewidth=1.2)

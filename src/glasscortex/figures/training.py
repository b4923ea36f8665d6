"""Figure e: the loss of each decoder, epoch by epoch."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from glasscortex.figures.style import COLOURS, FAINT, NAMES, empty, heading, styled

PANEL_WIDTH, HEIGHT = 2.6, 2.2
"""Inches."""

SPLITS = {"validation_loss": "-", "train_loss": (0, (1.5, 1))}


@styled
def training_figure(*, history: pd.DataFrame) -> Figure:
    """Draw a panel a model: loss on validation and on training of every seed.

    The loss is the mean over windows of the weighted sum of the tasks' losses. A dot marks the
    epoch whose weights are kept.

    Parameters
    ----------
    history : pandas.DataFrame
        Columns model, seed, epoch, train_loss, validation_loss.
    """
    models = list(history["model"].unique())
    figure = Figure(figsize=(PANEL_WIDTH * max(1, len(models)), HEIGHT), layout="constrained")
    panels = figure.subplots(1, max(1, len(models)), sharey=True, squeeze=False)[0]
    if not models:
        empty(panels[0], "no decoder was trained")
    for axes, model in zip(panels, models, strict=False):
        _draw_model(axes, model, history[history["model"] == model])
    if models:
        panels[0].set_ylabel("loss")
    return figure


def _draw_model(axes: Axes, model: str, table: pd.DataFrame) -> None:
    axes.set_label(model)
    seeds = table["seed"].unique()
    for seed in seeds:
        of_seed = table[table["seed"] == seed].set_index("epoch")
        for column, dashes in SPLITS.items():
            axes.plot(of_seed[column], color=COLOURS[model], linestyle=dashes, linewidth=0.9)
        kept = of_seed["validation_loss"].idxmin()
        axes.plot(
            kept,
            of_seed.loc[kept, "validation_loss"],
            "o",
            markersize=4.2,
            color=COLOURS[model],
            markeredgecolor="white",
            markeredgewidth=0.6,
            label=f"seed {seed}",
        )
    longest = table.loc[table["epoch"].idxmax(), "seed"]
    last = table[table["seed"] == longest].iloc[-1]
    higher = max(SPLITS, key=lambda column: last[column])
    for column in SPLITS:
        axes.annotate(
            column.removesuffix("_loss").replace("train", "training"),
            (last["epoch"], last[column]),
            (4, 2 if column == higher else -2),
            textcoords="offset points",
            va="center",
            color=FAINT,
            fontsize=6,
        )
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    heading(axes, NAMES[model], f"{len(seeds)} {'seed' if len(seeds) == 1 else 'seeds'}")

"""How every figure looks, and how it is written."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, HPacker, TextArea
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from glasscortex.files import atomic_write
from glasscortex.words import BASELINES, in_words

WIDTH = 7.2
"""Inches: two columns of a journal."""

COLOURS = dict.fromkeys(BASELINES, "#E69F00") | {
    "trained": "#0072B2",
    "adapted": "#0072B2",
    "scratch": "#009E73",
    "spliced": "#009E73",
    "random_sae": "#D55E00",
    "start": "#56B4E9",
    "shuffled": "#CC79A7",
    "untrained": "#8C6D46",
    "null": "#9A9A9A",
}
"""One colour a model, condition or all baselines: Okabe & Ito's, told apart by the colour-blind."""

NAMES = {baseline.name: baseline.label for baseline in BASELINES.values()} | {
    "trained": "transformer",
    "adapted": "adapted transformer",
    "scratch": "transformer from scratch",
    "spliced": "+ SAE spliced",
    "random_sae": "+ random SAE",
    "start": "its start",
    "shuffled": "shuffled labels",
    "untrained": "untrained",
}

STIMULUS_COLOURS = {
    "drifting_gratings": "#0072B2",
    "static_gratings": "#56B4E9",
    "natural_scenes": "#009E73",
    "natural_movie_one": "#E69F00",
    "natural_movie_two": "#F0C75E",
    "natural_movie_three": "#D55E00",
    "locally_sparse_noise": "#CC79A7",
    "locally_sparse_noise_4deg": "#CC79A7",
    "locally_sparse_noise_8deg": "#8F5D7B",
    "spontaneous": "#9A9A9A",
}

INDICES = {"eta2": "η²", "spearman": "|ρ|"}
"""Signs of the statistics in the table `selectivity`."""

TEXT, FAINT = "#222222", "#6E6E6E"

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "xtick.labelsize": 6,
    "ytick.labelsize": 6,
    "axes.titlelocation": "left",
    "axes.titlepad": 4,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.edgecolor": TEXT,
    "axes.labelcolor": TEXT,
    "text.color": TEXT,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.0,
    "lines.solid_capstyle": "butt",
    "patch.linewidth": 0,
    "svg.hashsalt": "glasscortex",
}


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Draw a figure in the house style."""

    @functools.wraps(draw)
    def wrapped(*args, **kwargs):
        with matplotlib.rc_context(RC):
            return draw(*args, **kwargs)

    return wrapped


def save(figure: Figure, svg: Path, png: Path) -> None:
    """Write a figure twice; the same figure gives the same bytes."""
    with matplotlib.rc_context(RC), atomic_write(svg) as file:
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    save_png(figure, png)


def save_png(figure: Figure, png: Path) -> None:
    """Write a figure as pixels only; the same figure gives the same bytes."""
    with matplotlib.rc_context(RC), atomic_write(png) as file:
        figure.savefig(file, format="png", dpi=300, metadata={"Software": None})


def of_variable(variable: str, stimulus: str) -> str:
    """Name a variable together with the stimulus that it was tested on."""
    return (
        in_words(variable) if stimulus == "all" else f"{in_words(variable)}, {in_words(stimulus)}"
    )


def first_fit(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of the first seed and SAE of a table, which a figure shows."""
    fits = table[["seed", "sae"]]
    return table[(fits == fits.iloc[0]).all(axis=1)] if len(table) else table


def heading(axes: Axes, title: str, remark: str, above: float = 4) -> None:
    """Write a title and, smaller under it, a remark that starts `above` points over an axes."""
    _above(axes, remark, 0, above, color=FAINT, fontsize=6)
    _above(axes, title, 0, above + 9, fontweight="bold")


def letter(axes: Axes, text: str, above: float = 4) -> None:
    """Give a panel its letter, `above` points over the axes."""
    _above(axes, text, -14, above, fontsize=9, fontweight="bold")


def name_colours(axes: Axes, names: list[tuple[str, str]], above: float = 4) -> None:
    """Write names in their colours, (text, colour), side by side above an axes."""
    texts: list[Artist] = [
        TextArea(text, textprops={"color": colour, "fontweight": "bold"}) for text, colour in names
    ]
    box = AnnotationBbox(
        HPacker(children=texts, pad=0, sep=8),
        (0, 1),
        (0, above),
        xycoords="axes fraction",
        boxcoords="offset points",
        box_alignment=(0, 0),
        frameon=False,
        pad=0,
        annotation_clip=False,
    )
    box.set_in_layout(False)
    axes.add_artist(box)
    _above(axes, "", 0, above)


def _above(axes: Axes, text: str, x: float, y: float, **look) -> None:
    """Write over an axes; the layout keeps room for the height, not for the width."""
    for written, in_layout in ((" ", True), (text, False)):
        axes.annotate(
            written,
            (0, 1),
            (x, y),
            xycoords="axes fraction",
            textcoords="offset points",
            annotation_clip=False,
            in_layout=in_layout,
            **look,
        )


def plain_log(axes: Axes, axis: Axis) -> None:
    """Make an axis logarithmic, with ticks at 1, 2 and 5 that are written in full."""
    (axes.set_xscale if axis is axes.xaxis else axes.set_yscale)("log")
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def empty(axes: Axes, text: str) -> None:
    """Say why there is nothing to draw."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", color=FAINT, transform=axes.transAxes)


def scattered(n: int, width: float) -> np.ndarray:
    """Offsets that keep n points apart, between -width and width, in a fixed irregular order."""
    return width * (2 * ((np.arange(1, n + 1) * 0.618034) % 1) - 1)

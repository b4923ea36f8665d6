"""Figure e: how good the recordings are, session by session."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator, PercentFormatter

from glasscortex.figures.style import (
    COLOURS,
    FAINT,
    WIDTH,
    heading,
    letter,
    plain_log,
    styled,
)

NAMED = 5
"""Most outliers that a panel names."""

FEWEST = 8
"""Sessions below which none is called an outlier."""

WITH_IDS = 60
"""Most sessions whose ids are written under the axis."""

RIGHT = 0.8
"""Part of a panel's width from which names stand to the left of their points."""

ALIKE, OUTLYING = COLOURS["trained"], COLOURS["random_sae"]


class Measure(NamedTuple):
    """A number of a session or of its cells, and how its panel is drawn."""

    column: str
    title: str
    remark: str
    is_log: bool
    least: float
    """Smallest robust standard deviation over sessions (of log10 where `is_log`)."""

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """The values, or their logarithms; NaN where there is none."""
        if not self.is_log:
            return values
        return np.log10(values, out=np.full(np.shape(values), np.nan), where=values > 0)

    def unscaled(self, values: np.ndarray) -> np.ndarray:
        """Undo `scaled`."""
        return 10**values if self.is_log else values


USED = Measure("used", "cells used", "share of the session's cells", False, 0.02)
CELLS = (
    Measure(
        "snr", "signal to noise", "99.9th percentile less median of ΔF/F, over noise", True, 0.05
    ),
    Measure(
        "baseline_drift",
        "drift of the baseline",
        "median F of the last tenth less that of the first, over that of all",
        False,
        0.02,
    ),
    Measure("r", "neuropil contamination r", "", False, 0.02),
)
NOISE_ALONE = 3.2
"""Signal to noise of normal noise."""


@styled
def quality_figure(*, quality: pd.DataFrame) -> Figure:
    """Draw, for every session, the share of cells used, and the spread over its used cells.

    Sessions, from one to thousands, stand in the order of the table. Of the cells' numbers the
    median and the middle half are drawn. The grey band holds what lies within three robust
    standard deviations (1.4826 times the median absolute deviation) of the median session;
    sessions outside are outliers, and the farthest are named. On the right, all sessions (A) or
    all used cells; those beyond the panel count at its edge.

    Parameters
    ----------
    quality : pandas.DataFrame
    """
    usable = quality[quality["used"]]
    sessions = pd.Index(quality["session_id"].unique())
    measures = [m for m in CELLS if usable[m.column].notna().any()]
    figure = Figure(figsize=(WIDTH, 1.0 + 1.25 * (1 + len(measures))), layout="constrained")
    panels = figure.subplots(1 + len(measures), 2, sharey="row", width_ratios=[8, 1], squeeze=False)
    share = quality.groupby("session_id", sort=False)["used"].mean()
    panels[0, 0].set_ylim(min(0.9, share.min() - 0.03), 1.02)
    panels[0, 0].yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    panels[0, 0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _draw_sessions(panels[0, 0], USED, share)
    _draw_all(panels[0, 1], USED, share.to_numpy(), "session")
    for measure, (axes, margin) in zip(measures, panels[1:], strict=True):
        values = usable.groupby("session_id")[measure.column]
        quartiles = values.quantile([0.25, 0.5, 0.75]).unstack().reindex(sessions)
        cells = usable[measure.column].to_numpy(np.float64)
        _draw_spread(axes, measure, quartiles, cells)
        _draw_sessions(axes, measure, quartiles[0.5])
        _draw_all(margin, measure, cells, "used cell")
        if measure.column == "r":
            bound = (usable["r_at_bound"].astype(str) == "True").sum()
            heading(axes, "", f"{bound:,} of {len(usable):,} cells at a bound")
        if measure.column == "snr":
            axes.axhline(NOISE_ALONE, color=FAINT, linewidth=0.7, linestyle=(0, (3, 2)))
            axes.annotate(
                "noise alone",
                (1, NOISE_ALONE),
                xytext=(2, 2),
                fontsize=5,
                color=FAINT,
                textcoords="offset points",
                xycoords=("data", "data"),
            )
    for place, axes in zip("ABCD", panels[:, 0], strict=False):
        letter(axes, place, above=13)
        axes.set_xlim(0.4, len(sessions) + 0.6)
        axes.set_xticks([])
    _name_sessions(panels[-1, 0], list(sessions))
    _remark(panels[0, 0], _left_out(quality), FAINT, above=13)
    return figure


def _draw_spread(axes: Axes, measure: Measure, quartiles: pd.DataFrame, cells: np.ndarray) -> None:
    """Draw the middle half of every session, and fit the axis to it and to most cells."""
    axes.vlines(
        1 + np.arange(len(quartiles)),
        quartiles[0.25],
        quartiles[0.75],
        color=ALIKE,
        alpha=0.35,
        linewidth=np.clip(250 / len(quartiles), 0.3, 3),
    )
    most = np.nanpercentile(measure.scaled(cells), [1, 99])
    ends = np.append(measure.scaled(quartiles.to_numpy()), most)
    low, high = np.nanmin(ends), np.nanmax(ends)
    room = max(0.1 * (high - low), measure.least)
    if measure.is_log:
        plain_log(axes, axes.yaxis)
        low = min(low, np.log10(NOISE_ALONE))
    axes.set_ylim(float(measure.unscaled(low - room)), float(measure.unscaled(high + room)))


def _draw_sessions(axes: Axes, measure: Measure, by_session: pd.Series) -> None:
    """Draw a point a session, and name the outliers."""
    heading(axes, measure.title, measure.remark)
    value = by_session.to_numpy(np.float64)
    low, high = fence(value, measure)
    if np.isfinite(low):
        axes.axhspan(low, high, color="#EEEEEE", zorder=0)
    x = 1 + np.arange(len(value))
    outside = (value < low) | (value > high)
    size = np.clip(200 / len(value), 2, 12)
    for which, colour in ((~outside, ALIKE), (outside, OUTLYING)):
        axes.scatter(x[which], value[which], s=size, color=colour, linewidth=0, zorder=3)
    if not outside.any():
        return
    _remark(axes, f"{outside.sum()} outlying", OUTLYING)
    scaled = measure.scaled(value)
    off = np.where(outside, scaled - np.nanmedian(scaled), 0)
    farthest = np.argsort(-np.abs(off), kind="stable")[: min(NAMED, outside.sum())]
    low, high = measure.scaled(np.array(axes.get_ylim()))
    places = np.stack([x / len(x), (scaled - low) / (high - low)], axis=1)[farthest]
    for i, points in zip(farthest, _shifts(places, np.sign(off[farthest])), strict=True):
        is_right = x[i] > RIGHT * len(x)
        axes.annotate(
            by_session.index[i],
            (x[i], value[i]),
            (-4 if is_right else 4, points),
            textcoords="offset points",
            ha="right" if is_right else "left",
            va="center",
            fontsize=5,
            color=OUTLYING,
            path_effects=[withStroke(linewidth=1.5, foreground="white")],
        )


def _shifts(places: np.ndarray, away: np.ndarray) -> list[float]:
    """Points up or down by which names move, so that none covers another or leaves its panel.

    Parameters
    ----------
    places
        Where the names belong, in parts of the panel's width and height (names, 2).
    away
        1 or -1: the side on which there are no points (names,).
    """
    width, height, panel_points = 0.13, 0.08, 68
    shifts: list[float] = []
    taken: list[tuple[float, float]] = []
    for (x, y), side in zip(places, away, strict=True):
        left = x - width * (x > RIGHT)
        tried = [6.0 * step * turn for turn in (side, -side) for step in range(10)]
        free = (
            shift
            for shift in tried
            if 0 <= y + shift / panel_points <= 1
            and all(
                abs(left - a) > width or abs(y + shift / panel_points - b) > height
                for a, b in taken
            )
        )
        shifts.append(next(free, 0.0))
        taken.append((left, y + shifts[-1] / panel_points))
    return shifts


def _draw_all(axes: Axes, measure: Measure, values: np.ndarray, of: str) -> None:
    """Draw the distribution of all values along the panel's axis."""
    low, high = measure.scaled(np.array(axes.get_ylim()))
    scaled = measure.scaled(values)
    counts, edges = np.histogram(np.clip(scaled[np.isfinite(scaled)], low, high), 30, (low, high))
    bottom, top = measure.unscaled(edges[:-1]), measure.unscaled(edges[1:])
    axes.barh(bottom, counts, top - bottom, align="edge", color=COLOURS["null"])
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_xlabel(f"{len(values):,}\n{of}" + "s" * (len(values) != 1), fontsize=5, color=FAINT)


def _name_sessions(axes: Axes, sessions: list[str]) -> None:
    if len(sessions) <= WITH_IDS:
        axes.set_xticks(range(1, len(sessions) + 1), sessions, rotation=90, fontsize=5)
        axes.tick_params(axis="x", length=0)
    else:
        axes.set_xticks(np.linspace(1, len(sessions), 6).astype(int))
        axes.set_xlabel("session, in the order of sessions.csv")


def _remark(axes: Axes, text: str, colour: str, above: float = 4) -> None:
    """Write over the right end of an axes."""
    axes.annotate(
        text,
        (1, 1),
        (0, above),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        fontsize=6,
        color=colour,
    )


def _left_out(table: pd.DataFrame) -> str:
    """Say how many cells are left out, and why."""
    reasons = table.loc[~table["used"], "reason"].value_counts()
    why = ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())
    return f"{reasons.sum():,} of {len(table):,} cells left out" + f" ({why})" * bool(why)


def fence(values: np.ndarray, measure: Measure) -> tuple[float, float]:
    """Limits beyond which a session is an outlier; none where there are few sessions.

    Parameters
    ----------
    values : ndarray, shape (sessions,)
        One number a session, NaN where there is none.
    measure : Measure
        Scale and smallest deviation.
    """
    scaled = measure.scaled(values)
    scaled = scaled[np.isfinite(scaled)]
    if len(scaled) < FEWEST:
        return -np.inf, np.inf
    centre = np.median(scaled)
    sd = max(measure.least, 1.4826 * np.median(np.abs(scaled - centre)))
    return float(measure.unscaled(centre - 3 * sd)), float(measure.unscaled(centre + 3 * sd))

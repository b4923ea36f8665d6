"""Figure of one session: what to look at before its recording is trusted."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from glasscortex.analysis.session_page import SessionPage
from glasscortex.data.metadata import UNKNOWN
from glasscortex.figures.style import (
    COLOURS,
    FAINT,
    STIMULUS_COLOURS,
    WIDTH,
    empty,
    heading,
    letter,
    name_colours,
    plain_log,
    styled,
)
from glasscortex.words import in_words

EXAMPLES = {
    "best cells": COLOURS["trained"],
    "median cells": COLOURS["spliced"],
    "worst cells": COLOURS["random_sae"],
}
UNRANKED = {"cells, signal to noise not known": FAINT}
EACH = 2
"""Examples of each kind."""

DISTRIBUTIONS = {
    "snr": "signal to noise",
    "noise": "noise, ΔF/F",
    "baseline_drift": "drift of the baseline",
    "r": "neuropil contamination r",
}
LANES = {
    "running_speed": "running\ncm/s",
    "pupil": "pupil size",
    "motion": "motion\npixels, max",
}
LEAST_RANGE = {"baseline_drift": (-0.1, 0.1), "r": (0.0, 1.0)}


@styled
def session_figure(page: SessionPage) -> Figure:
    """Draw example traces, the whole session, and the distributions over its cells.

    Traces are those of the cells of highest, middle and lowest signal to noise, in units of
    their noise (of their standard deviation where there is none). The raster holds all cells,
    the best on top, as the mean ΔF/F of 600 bins: white is a cell's median bin, black its 99th
    percentile. Below it, on the same time: mean over cells, and running speed, pupil and motion
    where they were measured.

    Parameters
    ----------
    page : SessionPage
    """
    used = page.used
    ranked = used["snr"].notna().any()
    order = used["snr"].sort_values(ascending=False, kind="stable").index.to_numpy()
    figure = Figure(figsize=(WIDTH, 7.0 + 0.55 * len(page.lanes)), layout="constrained")
    heights = [2.5, 2.4 + 0.6 * len(page.lanes), 1.5]
    top, middle, bottom = figure.subfigures(3, 1, squeeze=False, height_ratios=heights)[:, 0]
    examples = _examples(order, ranked)
    traces = top.subplots()
    _draw_traces(traces, page, examples)
    panels = middle.subplots(
        2 + len(page.lanes), 1, sharex=True, height_ratios=[4] + [1] * (1 + len(page.lanes))
    )
    panels[0].set_ylabel("cell, by SNR" if ranked else "cell")
    _draw_session(panels, page, order)
    histograms = bottom.subplots(1, len(DISTRIBUTIONS))
    for axes, (column, title) in zip(histograms, DISTRIBUTIONS.items(), strict=True):
        _draw_distribution(axes, used, column, title, examples)
    letter(traces, "A")
    letter(panels[0], "B", above=14)
    letter(histograms[0], "C", above=15)
    figure.suptitle(_about(page), x=0.005, ha="left", fontsize=7)
    return figure


def _about(page: SessionPage) -> str:
    """Who, where and how, in two lines."""
    said, table = page.about, page.quality
    depth = f"{said['depth_um']:g} µm" if said.get("depth_um") else "depth unknown"
    names = {"area": "area", "cre_line": "Cre line", "session_type": "type", "mouse": "mouse"}
    where = [
        f"{name} {said[key]}" if said[key] == UNKNOWN else said[key] for key, name in names.items()
    ]
    left_out = table.loc[~table["used"], "reason"].value_counts()
    why = ", ".join(f"{reason} {count}" for reason, count in left_out.items())
    low = (table["low_baseline_fraction"] > 0.5).sum()
    lines = (
        (f"session {said['session_id']}", *where, depth),
        (
            f"{table['used'].sum()} of {len(table)} cells used" + f" (left out: {why})" * bool(why),
            f"{len(page.minutes):,} frames at {page.frame_rate_hz:.1f} Hz, "
            f"{page.minutes[-1]:.0f} min",
            f"ΔF/F {in_words(said['dff'])}" + f", baseline below noise in {low} cells" * bool(low),
        ),
    )
    return "\n".join(" · ".join(line) for line in lines)


def _examples(order: np.ndarray, ranked: bool) -> dict[int, str]:
    """Colour by row of the cell, from the best to the worst; at even distances if none is known."""
    middle = max(0, len(order) // 2 - EACH // 2)
    parts = order[:EACH], order[middle : middle + EACH], order[-EACH:]
    kinds = EXAMPLES.values() if ranked else 3 * list(UNRANKED.values())
    picked: dict[int, str] = {}
    for colour, rows in zip(kinds, parts, strict=True):
        for row in rows:
            picked.setdefault(int(row), colour)
    return picked


def _draw_traces(
    axes: Axes,
    page: SessionPage,
    examples: Mapping[int, str],
) -> None:
    """Draw the examples, each in units of its own noise, so that transients show their size."""
    used, minutes, dff = page.used, page.minutes, page.traces
    start, stop = page.stretch
    ranked = used["snr"].notna().any()
    x = 60 * (minutes[start:stop] - minutes[start])
    scaled = {}
    for row in examples:
        noise = used["noise"][row]
        scaled[row] = dff[row] / (noise if noise > 0 else dff[row].std() or 1)
    total = sum(np.ptp(trace) for trace in scaled.values())
    top = 0.0
    for row, trace in scaled.items():
        height = max(np.ptp(trace), 0.13 * total)
        base = top - height
        axes.plot(x, base + trace - trace.min(), color=examples[row], linewidth=0.5)
        label = f"{used['cell_specimen_id'][row]}, SNR {used['snr'][row]:.1f}"
        axes.annotate(
            f"{label}\nnoise {used['noise'][row]:.2g}".replace("nan", "unknown"),
            (0, base + np.median(trace) - trace.min()),
            (-4, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=5,
            color=examples[row],
        )
        top = base - 0.02 * total
    strip = 0.03 * total
    for stimulus, rows in page.presentations.groupby("stimulus", sort=False):
        rows = rows[(rows["end"] > start) & (rows["start"] < stop)]
        begins = np.clip(rows["start"].to_numpy(np.int64) - start, 0, len(x) - 1)
        ends = np.clip(rows["end"].to_numpy(np.int64) - start, 0, len(x) - 1)
        axes.broken_barh(
            [(x[a], x[b] - x[a]) for a, b in zip(begins, ends, strict=True)],
            (top - 1.5 * strip, strip),
            color=STIMULUS_COLOURS.get(stimulus, FAINT),
        )
    axes.plot([1.01 * x[-1]] * 2, [-0.02 * total - 10, -0.02 * total], color="black", clip_on=False)
    axes.text(
        1.015 * x[-1],
        -0.02 * total - 5,
        "10 noise\nSD" if ranked else "10 SD",
        fontsize=5,
        va="center",
    )
    axes.set_xlim(0, x[-1])
    axes.set_ylim(top - 1.6 * strip, 0.01 * total)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"seconds from minute {minutes[start]:.1f}", labelpad=1)
    name_colours(axes, list((EXAMPLES if ranked else UNRANKED).items()))


def _draw_session(panels: np.ndarray, page: SessionPage, order: np.ndarray) -> None:
    """Draw the raster, the mean over cells, and what else was measured."""
    minutes, epochs = page.minutes, page.epochs
    binned = page.raster[order]
    low, high = np.percentile(binned, [50, 99], axis=1, keepdims=True)
    raster, *below = panels
    raster.imshow(
        (binned - low) / np.where(high > low, high - low, 1),
        cmap="Greys",
        vmin=0,
        vmax=1,
        aspect="auto",
        interpolation="nearest",
        extent=(0, minutes[-1], len(order), 0),
    )
    raster.set_yticks([1, len(order)])
    x = minutes[(page.edges[:-1] + page.edges[1:]) // 2]
    lanes = {LANES[name]: lane for name, lane in page.lanes.items()}
    values = {"mean ΔF/F": binned.mean(axis=0)} | lanes
    for axes, (name, line) in zip(below, values.items(), strict=True):
        axes.plot(x, line, color="#222222", linewidth=0.6)
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=6)
        axes.locator_params(axis="y", nbins=3)
        if name.startswith("motion"):
            top = max(1, 1.1 * np.nanmax(line))
            axes.set_ylim(-0.05 * top, top)
        for epoch in epochs.itertuples():
            axes.axvspan(
                epoch.begin,
                epoch.end,
                color=STIMULUS_COLOURS.get(epoch.stimulus, FAINT),
                alpha=0.12,
            )
    for epoch in epochs.itertuples():
        raster.axvspan(
            epoch.begin,
            epoch.end,
            1.015,
            1.05,
            color=STIMULUS_COLOURS.get(epoch.stimulus, FAINT),
            clip_on=False,
        )
    start, stop = page.stretch
    raster.axvspan(minutes[start], minutes[stop - 1], 1.06, 1.08, color="black", clip_on=False)
    raster.annotate(
        "A",
        (minutes[(start + stop) // 2], 1.08),
        (0, 1),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="center",
        fontsize=5,
        annotation_clip=False,
    )
    below[-1].set_xlim(0, minutes[-1])
    below[-1].set_xlabel("minutes", labelpad=1)
    stimuli = [
        (in_words(stimulus), STIMULUS_COLOURS.get(stimulus, FAINT))
        for stimulus in epochs["stimulus"].unique()
    ]
    name_colours(raster, stimuli, above=14)


def _draw_distribution(
    axes: Axes, used: pd.DataFrame, column: str, title: str, examples: Mapping[int, str]
) -> None:
    values = used[column].to_numpy(np.float64)
    logarithmic = column in ("snr", "noise")
    known = values[np.isfinite(values) & ((values > 0) | (not logarithmic))]
    if not len(known):
        empty(axes, f"{title}:\nnot known")
        return
    if logarithmic:
        plain_log(axes, axes.xaxis)
        axes.hist(
            known, bins=list(np.geomspace(known.min(), known.max() * 1.001, 30)), color="#B5B5B5"
        )
    else:
        least = LEAST_RANGE[column]
        span = min(least[0], known.min()), max(least[1], known.max())
        axes.hist(known, bins=30, range=span, color="#B5B5B5")
    for row, colour in examples.items():
        axes.plot(
            values[row],
            1.03,
            "v",
            markersize=3,
            color=colour,
            transform=axes.get_xaxis_transform(),
            clip_on=False,
        )
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.axvline(np.median(known), color=FAINT, linewidth=0.7, linestyle=(0, (3, 2)))
    remark = f"median {np.median(known):.3g}".replace("-", "−")
    if column == "r":
        remark += f", {(used['r_at_bound'].astype(str) == 'True').sum()} at a bound"
    heading(axes, title, remark, above=6)
    axes.set_ylabel("cells" if column == "snr" else "")

"""Figure of one session: what to look at before its recording is trusted."""

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from glasscortex.data.nwb import UNKNOWN, read_motion
from glasscortex.data.splits import blocks
from glasscortex.data.store import StoredSession, verify
from glasscortex.figures.quality import read_quality
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
    words,
)

STRETCH_S = 120.0
"""Length of the example traces, from the middle of the recording."""

BINS = 600
"""Columns of the raster of the whole session."""

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
LEAST_RANGE = {"baseline_drift": (-0.1, 0.1), "r": (0.0, 1.0)}


@styled
def session_figure(*, quality: Path, store: Path, manifest: Path, nwb: Path) -> Figure:
    """Draw example traces, the whole session, and the distributions over its cells.

    Traces are those of the cells of highest, middle and lowest signal to noise, in units of
    their noise (of their standard deviation where there is none). The raster holds all cells,
    the best on top, as the mean ΔF/F of 600 bins: white is a cell's median bin, black its 99th
    percentile. Below it, on the same time: mean over cells, and running speed, pupil and motion
    where they were measured. Memory holds the traces of a bin or of the examples' stretch.

    Parameters
    ----------
    quality : table
        Of this session, or of several.
    store, manifest
        The preprocessed session.
    nwb
        Its NWB file, which the motion is read from.
    """
    verify(store, manifest)
    session = StoredSession(store)
    table = read_quality(quality)
    table = table[table["session_id"] == session.session_id]
    used = table[table["used"]].reset_index(drop=True)
    ranked = used["snr"].notna().any()
    order = used["snr"].sort_values(ascending=False, kind="stable").index.to_numpy()
    minutes = (session.time - session.time[0]) / 60
    lanes = _lanes(session, nwb)
    figure = Figure(figsize=(WIDTH, 7.0 + 0.55 * len(lanes)), layout="constrained")
    heights = [2.5, 2.4 + 0.6 * len(lanes), 1.5]
    top, middle, bottom = figure.subfigures(3, 1, height_ratios=heights)
    examples = _examples(order, ranked)
    traces = top.subplots()
    _draw_traces(traces, session, used, examples, minutes)
    panels = middle.subplots(
        2 + len(lanes), 1, sharex=True, height_ratios=[4] + [1] * (1 + len(lanes))
    )
    panels[0].set_ylabel("cell, by SNR" if ranked else "cell")
    _draw_whole(panels, session, order, minutes, lanes)
    histograms = bottom.subplots(1, len(DISTRIBUTIONS))
    for axes, (column, title) in zip(histograms, DISTRIBUTIONS.items(), strict=True):
        _draw_distribution(axes, used, column, title, examples)
    letter(traces, "A")
    letter(panels[0], "B", above=14)
    letter(histograms[0], "C", above=15)
    figure.suptitle(_about(session, table), x=0.005, ha="left", fontsize=7)
    return figure


def _about(session: StoredSession, table: pd.DataFrame) -> str:
    """Who, where and how, in two lines."""
    said = session.attributes
    depth = f"{said['depth_um']:g} µm" if said.get("depth_um") else "depth unknown"
    names = {"area": "area", "cre_line": "Cre line", "session_type": "type", "mouse": "mouse"}
    where = [
        f"{name} {said[key]}" if said[key] == UNKNOWN else said[key] for key, name in names.items()
    ]
    left_out = table.loc[~table["used"], "reason"].value_counts()
    why = ", ".join(f"{reason} {count}" for reason, count in left_out.items())
    minutes = (session.time[-1] - session.time[0]) / 60
    low = (table["low_baseline_fraction"] > 0.5).sum()
    lines = (
        (f"session {session.session_id}", *where, depth),
        (
            f"{table['used'].sum()} of {len(table)} cells used" + f" (left out: {why})" * bool(why),
            f"{len(session.time):,} frames at {session.frame_rate_hz:.1f} Hz, {minutes:.0f} min",
            f"ΔF/F {words(said['dff'])}" + f", baseline below noise in {low} cells" * bool(low),
        ),
    )
    return "\n".join(" · ".join(line) for line in lines)


def _examples(order: np.ndarray, ranked: bool) -> dict[int, str]:
    """Colour by row of the cell, from the best to the worst; evenly spread if none is known."""
    middle = max(0, len(order) // 2 - EACH // 2)
    parts = order[:EACH], order[middle : middle + EACH], order[-EACH:]
    kinds = EXAMPLES.values() if ranked else 3 * list(UNRANKED.values())
    picked = {}
    for colour, rows in zip(kinds, parts, strict=True):
        for row in rows:
            picked.setdefault(int(row), colour)
    return picked


def _draw_traces(
    axes: Axes,
    session: StoredSession,
    used: pd.DataFrame,
    examples: Mapping[int, str],
    minutes: np.ndarray,
) -> None:
    """Draw the examples, each in units of its own noise, so that transients show their size."""
    start, stop = _stretch(session)
    dff = session.dff(start, stop)
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
    for stimulus, columns in session.stimuli().items():
        shown = (columns["end"] > start) & (columns["start"] < stop)
        begins = np.clip(columns["start"][shown] - start, 0, len(x) - 1)
        ends = np.clip(columns["end"][shown] - start, 0, len(x) - 1)
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


def _stretch(session: StoredSession) -> tuple[int, int]:
    """Frames of the example traces."""
    frames = len(session.time)
    length = min(frames, round(STRETCH_S * session.frame_rate_hz))
    return (frames - length) // 2, (frames + length) // 2


def _draw_whole(
    panels: np.ndarray,
    session: StoredSession,
    order: np.ndarray,
    minutes: np.ndarray,
    lanes: Mapping[str, np.ndarray],
) -> None:
    """Draw the raster, the mean over cells, and what else was measured."""
    frames = len(minutes)
    edges = np.linspace(0, frames, min(BINS, frames) + 1).astype(int)
    binned = np.stack(
        [session.dff(a, b).mean(axis=1) for a, b in itertools.pairwise(edges)], axis=1
    )
    binned = binned[order]
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
    x = minutes[(edges[:-1] + edges[1:]) // 2]
    values = {"mean ΔF/F": binned.mean(axis=0)}
    for name, trace in lanes.items():
        reduce = np.max if name.startswith("motion") else np.mean
        values[name] = np.array(
            [_of_finite(reduce, trace[a:b]) for a, b in itertools.pairwise(edges)]
        )
    epochs = _epochs(session, minutes)
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
    start, stop = _stretch(session)
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
    shown = [
        (words(stimulus), STIMULUS_COLOURS.get(stimulus, FAINT))
        for stimulus in epochs["stimulus"].unique()
    ]
    name_colours(raster, shown, above=14)


def _lanes(session: StoredSession, nwb: Path) -> dict[str, np.ndarray]:
    """What was measured beside the cells, each (frames,), by the name of its axis."""
    names = {"running_speed": "running\ncm/s", "pupil": "pupil size"}
    behaviour = session.behaviour()
    lanes = {label: behaviour[name] for name, label in names.items() if name in behaviour}
    motion = read_motion(nwb)
    if motion is not None and len(motion) == len(session.time):
        lanes["motion\npixels, max"] = np.hypot(*(motion - np.median(motion, axis=0)).T)
    return lanes


def _of_finite(reduce: Callable[[np.ndarray], float], values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(reduce(values)) if len(values) else np.nan


def _epochs(session: StoredSession, minutes: np.ndarray) -> pd.DataFrame:
    """Contiguous runs of one stimulus: stimulus, begin and end in minutes."""
    parts = [
        pd.DataFrame(
            {
                "stimulus": stimulus,
                "begin": minutes[columns["start"]],
                "end": minutes[np.minimum(columns["end"], len(minutes) - 1)],
            }
        )
        for stimulus, columns in session.stimuli().items()
    ]
    if not parts:
        return pd.DataFrame({"stimulus": [], "begin": [], "end": []})
    shown = pd.concat(parts, ignore_index=True)
    shown["block"] = blocks(shown["stimulus"], 60 * shown["begin"], 60 * shown["end"])
    runs = shown.groupby(["stimulus", "block"], sort=False)
    return runs.agg(begin=("begin", "min"), end=("end", "max")).reset_index()


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
        axes.hist(known, bins=np.geomspace(known.min(), known.max() * 1.001, 30), color="#B5B5B5")
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

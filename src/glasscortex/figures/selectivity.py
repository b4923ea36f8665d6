"""Figure b: what the most selective units respond to."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glasscortex.data.store import verify
from glasscortex.dictionaries.responses import responses
from glasscortex.dictionaries.topk import TopKSae
from glasscortex.figures.style import (
    COLOURS,
    FAINT,
    INDICES,
    UNITS,
    WIDTH,
    empty,
    heading,
    letter,
    spread,
    styled,
    words,
)
from glasscortex.tasks import VARIABLES

SHOWN = 4
"""Units in a row."""
DRAWS = 500
"""Permutations behind a grey band."""
POLAR = ("direction", "orientation")
CURVES = [
    ("temporal_frequency", "drifting_gratings"),
    ("orientation", "static_gratings"),
    ("spatial_frequency", "static_gratings"),
    ("phase", "static_gratings"),
    ("movie_frame", "natural_movie_one"),
    ("movie_frame", "natural_movie_two"),
    ("movie_frame", "natural_movie_three"),
]
"""What the second row shows: the first `SHOWN` of these that were tested."""


@dataclass(frozen=True)
class Tuning:
    """Mean responses of a unit by label, and what chance gives.

    Attributes
    ----------
    labels : (classes,)
    mean, error : (classes,) response and its standard error
    low, high : (classes,) middle 95 % of the means when labels are permuted
    """

    labels: np.ndarray
    mean: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray


def tuning(responses: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> Tuning:
    """Measure a tuning curve.

    Parameters
    ----------
    responses, labels : (observations,)
    groups : (observations,) labels are permuted within these
    """
    values, classes = np.unique(labels, return_inverse=True)
    counts = np.bincount(classes)
    mean = np.bincount(classes, responses) / counts
    squares = np.bincount(classes, (responses - mean[classes]) ** 2)
    rng = np.random.default_rng(0)
    order = np.argsort(groups, kind="stable")
    null = []
    for _ in range(DRAWS):
        permuted = np.empty_like(classes)
        permuted[order] = classes[np.lexsort((rng.random(len(classes)), groups))]
        null.append(np.bincount(permuted, responses) / counts)
    low, high = np.percentile(null, [2.5, 97.5], axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(squares / (counts - 1) / counts)
    return Tuning(values, mean, error, low, high)


@styled
def selectivity_figure(
    *,
    selectivity: Path,
    sae_folder: Path,
    activations: Path,
    manifest: Path,
    trials: Path,
    sessions: Path,
) -> Figure:
    """Draw tuning curves, responses by Cre line, and all effects against the null.

    Units are chosen by their effect on the validation split; everything drawn is of the test
    split. Curves are means with standard errors over presentations; bars by Cre line are means
    over mice, a point each. Grey bands hold 95 % of what permuted labels give: permuted within
    session and block, or over mice.

    Parameters
    ----------
    selectivity : table
    sae_folder : folder of the SAE, of which the table's rows are drawn
    activations, manifest : the recorded activations and their checksums
    trials, sessions : tables
    """
    verify(activations, manifest)
    table = _rows_of(pd.read_csv(selectivity), sae_folder)
    presented, codes = responses(TopKSae.load(sae_folder), activations, "test")
    described = pd.read_csv(sessions, dtype={"session_id": str, "mouse": str})
    shown = pd.read_parquet(trials).iloc[presented].reset_index(drop=True)
    shown = shown.merge(described[["session_id", "mouse", "cre_line"]], on="session_id", how="left")

    figure = Figure(figsize=(WIDTH, 5.2), layout="constrained")
    grid = figure.add_gridspec(3, SHOWN + 1, width_ratios=[1] * SHOWN + [1.2])
    directions = _ranked(table, "direction", "drifting_gratings")
    curves = [found for pair in CURVES if len(found := _ranked(table, *pair))]
    lines = table[table["variable"] == "cre_line"]
    lines = _ranked(lines, "cre_line", lines["stimulus"].iloc[0] if len(lines) else "")
    rows = [
        ("direction", directions.head(SHOWN), directions),
        (
            "stimulus variable",
            pd.concat([c.head(1) for c in curves[:SHOWN]] or [table.head(0)]),
            curves[0] if curves else table.head(0),
        ),
        ("cre_line", lines.head(SHOWN), lines),
    ]
    for row, (what, units, everyone) in enumerate(rows):
        if units.empty:
            axes = figure.add_subplot(grid[row, :])
            empty(axes, f"{words(what)}: no unit was tested")
            continue
        for column, unit in enumerate(units.itertuples()):
            projection = "polar" if unit.variable in POLAR else "rectilinear"
            axes = figure.add_subplot(grid[row, column], projection=projection)
            _draw_unit(axes, unit, shown, codes[:, unit.unit])
            if column == 0:
                letter(axes, "ABC"[row], above=18)
            else:
                axes.set_ylabel("")
        axes = figure.add_subplot(grid[row, SHOWN])
        _draw_effects(axes, everyone)
    figure.supxlabel(
        "Units chosen on validation, drawn on test. Blue: mean ± standard error; by Cre line, "
        "mice and their mean. Grey bands: 95 % of permuted labels.",
        fontsize=6,
        color=FAINT,
    )
    return figure


def _rows_of(table: pd.DataFrame, sae_folder: Path) -> pd.DataFrame:
    """Rows of one SAE."""
    about = json.loads((sae_folder / "sae.json").read_text())
    keys = ["model", "seed", "sae"]
    return table[(table[keys] == [about[key] for key in keys]).all(axis=1)]


def _ranked(table: pd.DataFrame, variable: str, stimulus: str) -> pd.DataFrame:
    """Units tested for a variable, the selected first, then by their effect on validation."""
    found = table[(table["variable"] == variable) & (table["stimulus"] == stimulus)]
    return found.sort_values(["selected", "effect_selection"], ascending=False, kind="stable")


def _draw_unit(axes: Axes, unit, trials: pd.DataFrame, response: np.ndarray) -> None:
    mask = (trials["stimulus"] == unit.stimulus).to_numpy()
    trials, response = trials[mask], response[mask]
    axes.set_label(f"{unit.variable} {unit.unit}")
    if unit.variable == "cre_line":
        of_mouse = pd.DataFrame({"response": response, "mouse": trials["mouse"].to_numpy()})
        of_mouse = of_mouse.groupby("mouse")["response"].mean()
        line = trials.groupby("mouse")["cre_line"].first().loc[of_mouse.index]
        _draw_mice(axes, of_mouse.to_numpy(), line.to_numpy(str))
    else:
        known = trials[unit.variable].notna().to_numpy()
        trials, response = trials[known], response[known]
        groups = trials.groupby(["session_id", "block"]).ngroup().to_numpy()
        found = tuning(response, trials[unit.variable].to_numpy(np.float64), groups)
        if unit.variable in POLAR:
            _draw_polar(axes, found, VARIABLES[unit.variable].period)
        else:
            _draw_curve(axes, found, many=unit.variable == "movie_frame")
    polar = unit.variable in POLAR
    heading(
        axes,
        words(unit.variable),
        f"unit {unit.unit}, {INDICES[unit.index]} {unit.effect:.2f}, q {unit.q:.2g}",
        above=13 if polar else 4,
    )
    counted = "mice" if unit.replicate == "mouse" else f"{unit.replicate}s"
    measured_in = "" if polar or unit.variable not in UNITS else f"{UNITS[unit.variable]}; "
    axes.set_xlabel(f"{measured_in}n = {unit.n} {'' if measured_in else counted}", fontsize=6)


def _draw_polar(axes: Axes, found: Tuning, period: float) -> None:
    """Draw a closed curve; one of orientation goes round twice."""
    turns = np.arange(0, 360, period)
    angle = np.radians(np.add.outer(turns, found.labels).ravel())
    angle = np.append(angle, angle[0] + 2 * np.pi)

    def closed(values: np.ndarray) -> np.ndarray:
        values = np.tile(values, len(turns))
        return np.append(values, values[0])

    axes.fill_between(
        angle, closed(found.low), closed(found.high), color=COLOURS["null"], alpha=0.35
    )
    axes.fill_between(
        angle,
        closed(found.mean - found.error),
        closed(found.mean + found.error),
        color=COLOURS["trained"],
        alpha=0.25,
    )
    axes.plot(angle, closed(found.mean), color=COLOURS["trained"], label="mean")
    axes.set_ylim(bottom=0)
    axes.set_xticks(np.radians([0, 90, 180, 270]), ["0°", "90°", "180°", "270°"])
    axes.tick_params(axis="x", pad=-3)
    top = axes.get_ylim()[1]
    axes.set_yticks([top / 2, top], ["", f"{top:.2g}"])
    axes.set_rlabel_position(45)
    axes.grid(linewidth=0.4, color="#D5D5D5")
    axes.spines["polar"].set_color("#D5D5D5")


def _draw_curve(axes: Axes, found: Tuning, many: bool) -> None:
    x = found.labels if many else np.arange(len(found.labels))
    axes.fill_between(x, found.low, found.high, color=COLOURS["null"], alpha=0.35)
    if many:
        axes.plot(x, found.mean, color=COLOURS["trained"], label="mean")
    else:
        axes.errorbar(
            x,
            found.mean,
            found.error,
            fmt="o-",
            markersize=2.5,
            color=COLOURS["trained"],
            label="mean",
        )
        axes.set_xticks(x, [f"{label:g}".replace("0.", ".") for label in found.labels])
    axes.set_ylim(bottom=0)
    axes.locator_params(axis="y", nbins=4)
    axes.set_ylabel("activation")


def _draw_mice(axes: Axes, response: np.ndarray, line: np.ndarray) -> None:
    found = tuning(response, line, np.zeros(len(line), int))
    for x, name in enumerate(found.labels):
        points = np.sort(response[line == name])
        axes.fill_between(
            [x - 0.38, x + 0.38], found.low[x], found.high[x], color=COLOURS["null"], alpha=0.35
        )
        axes.scatter(
            x + spread(len(points), 0.2),
            points,
            s=6,
            color=COLOURS["trained"],
            alpha=0.5,
            linewidth=0,
            label=name,
        )
        axes.plot([x - 0.3, x + 0.3], [found.mean[x]] * 2, color=COLOURS["trained"], linewidth=1.6)
    names = [name.split("-")[0].replace("/wt", "") for name in found.labels]
    axes.set_xticks(range(len(names)), names, fontsize=5.5, rotation=60 * (len(names) > 5))
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.locator_params(axis="y", nbins=4)
    axes.set_ylabel("activation")


def _draw_effects(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the effects of all units, the largest first, above what each reaches by chance."""
    rows = rows.sort_values("effect", ascending=False)
    significant = rows["significant"].astype(bool).to_numpy()
    rank = np.arange(1, len(rows) + 1)
    axes.set_label(f"effects {rows['variable'].iloc[0]}")
    axes.plot(rank, rows["null_high"], ".", markersize=2, color=COLOURS["null"], label="null")
    for mask, colour, label in (
        (~significant, FAINT, "others"),
        (significant, COLOURS["trained"], "significant"),
    ):
        axes.plot(
            rank[mask],
            rows["effect"].to_numpy()[mask],
            "o",
            markersize=2.2,
            color=colour,
            label=label,
        )
    axes.set_ylim(0, 1.2 * rows[["effect", "null_high"]].max(axis=None))
    axes.locator_params(axis="y", nbins=4)
    axes.set_xlabel("units, ranked")
    axes.set_ylabel(f"effect on test, {INDICES[rows['index'].iloc[0]]}")
    heading(axes, words(rows["variable"].iloc[0]), f"all units, {words(rows['stimulus'].iloc[0])}")
    for place, text, colour in (
        (0.95, f"{significant.sum()} of {len(rows)} selective", COLOURS["trained"]),
        (0.83, "null, 95 % quantile", FAINT),
    ):
        axes.text(
            0.97,
            place,
            text,
            ha="right",
            va="top",
            color=colour,
            fontsize=6,
            transform=axes.transAxes,
        )

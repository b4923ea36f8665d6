"""Figure b: what the most selective units respond to."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.projections.polar import PolarAxes

from glasscortex.data.definitions import variables_of
from glasscortex.figures.style import (
    COLOURS,
    FAINT,
    INDICES,
    WIDTH,
    empty,
    first_fit,
    heading,
    letter,
    scattered,
    styled,
)
from glasscortex.tasks import ALLEN, Variable
from glasscortex.words import in_words

COLUMNS = 4
"""Units in a row."""

MOST_LABELS = 16
"""Labels that are written under a curve."""

CURVES = [
    (task.variable.name, task.stimulus)
    for task in ALLEN.tasks.values()
    if task.stimulus and task.name not in ("direction", "orientation", "scene")
]
"""What the second row shows: the first `COLUMNS` that were tested of a run's own and of these.

Direction has a row of its own, and tells the orientation of the same gratings; scenes have no
order.
"""

DIRECTION = ("direction", "drifting_gratings")
"""What the first row shows; where it was not tested, the first of the run's own variables."""


@styled
def selectivity_figure(
    *, selectivity: pd.DataFrame, tuning: pd.DataFrame, variables: pd.DataFrame
) -> Figure:
    """Draw tuning curves, responses by Cre line, and all effects against the null.

    Shown are the trained transformer's first SAE and seed. Units are chosen by their effect on
    the validation split; everything drawn is of the test split. Curves are means with standard
    errors over presentations; bars by Cre line are means over mice, a point each. Grey bands hold
    95 % of what permuted labels give: permuted within session and block, or over mice.

    Parameters
    ----------
    selectivity, tuning, variables : pandas.DataFrame
    """
    known = variables_of(variables)
    tested = first_fit(selectivity[selectivity["model"] == "trained"])
    tuning = first_fit(tuning[tuning["model"] == "trained"])
    keys = ["variable", "stimulus", "unit"]
    best = tuning[keys].drop_duplicates().merge(tested, on=keys)
    lines = tested[tested["variable"] == "cre_line"]
    pairs = best[["variable", "stimulus"]].drop_duplicates().itertuples(index=False, name=None)
    own = [pair for pair in pairs if pair[0] not in ALLEN.variables]
    first = own.pop(0) if own and not len(_of(tested, *DIRECTION)) else DIRECTION
    shown = [pair for pair in (*own, *CURVES) if len(_of(tested, *pair))][:COLUMNS]
    firsts = [_of(best, *pair).head(1) for pair in shown]
    curves = pd.concat(firsts) if firsts else best.head(0)
    rows = [
        (first[0], _of(best, *first).head(COLUMNS), _of(tested, *first)),
        ("stimulus variable", curves, _alike(tested, curves)),
        ("cre_line", best[best["variable"] == "cre_line"].head(COLUMNS), lines),
    ]
    figure = Figure(figsize=(WIDTH, 5.2), layout="constrained")
    grid = figure.add_gridspec(3, COLUMNS + 1, width_ratios=[1] * COLUMNS + [1.2])
    for row, (what, units, everyone) in enumerate(rows):
        if units.empty:
            axes = figure.add_subplot(grid[row, :])
            empty(axes, f"{in_words(what)}: no unit was tested")
            continue
        for column, unit in enumerate(units.itertuples()):
            variable = known[unit.variable]
            projection = "polar" if _is_angle(variable) else "rectilinear"
            axes = figure.add_subplot(grid[row, column], projection=projection)
            curve = tuning[(tuning[keys] == [getattr(unit, key) for key in keys]).all(axis=1)]
            _draw_unit(axes, unit, variable, curve)
            if column == 0:
                letter(axes, "ABC"[row], above=18)
            else:
                axes.set_ylabel("")
        axes = figure.add_subplot(grid[row, COLUMNS])
        _draw_effects(axes, everyone)
    figure.supxlabel(
        "Units chosen on validation, drawn on test. Blue: mean ± standard error; by Cre line, "
        "mice and their mean. Grey bands: 95 % of permuted labels.",
        fontsize=6,
        color=FAINT,
    )
    return figure


def _of(table: pd.DataFrame, variable: str, stimulus: str) -> pd.DataFrame:
    return table[(table["variable"] == variable) & (table["stimulus"] == stimulus)]


def _alike(table: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Rows of the variable and stimulus of the first of these units."""
    first = units[["variable", "stimulus"]].head(1)
    return table.merge(first, on=["variable", "stimulus"])


def _is_angle(variable: Variable) -> bool:
    return variable.unit == "°"


def _draw_unit(axes: Axes, unit, variable: Variable, tuning: pd.DataFrame) -> None:
    """Draw a tuning curve of a row of the table `selectivity`."""
    axes.set_label(f"{variable.name} {unit.unit}")
    is_mouse = tuning["mouse"].notna()
    if is_mouse.any():
        _draw_mice(axes, tuning[~is_mouse], tuning[is_mouse])
    else:
        if isinstance(axes, PolarAxes):
            tuning = tuning.assign(label=tuning["label"].astype(float))
            _draw_polar(axes, tuning, variable.period or 360)
        elif variable.name == "movie_frame":
            _draw_line(axes, tuning.assign(label=tuning["label"].astype(float)))
        else:
            _draw_points(axes, tuning, joined=variable.kind != "categorical")
    heading(
        axes,
        in_words(variable.name),
        f"unit {unit.unit}, {INDICES[unit.index]} {unit.effect:.2f}, q {unit.q:.2g}",
        above=13 if _is_angle(variable) else 4,
    )
    counted = "mice" if unit.replicate == "mouse" else f"{unit.replicate}s"
    measured_in = "" if _is_angle(variable) or not variable.unit else f"{variable.unit}; "
    axes.set_xlabel(f"{measured_in}n = {unit.n} {'' if measured_in else counted}", fontsize=6)


def _draw_polar(axes: PolarAxes, tuning: pd.DataFrame, period: float) -> None:
    """Draw a closed curve; one of orientation goes round twice."""
    turns = np.arange(0, 360, period)
    angle = np.radians(np.add.outer(turns, tuning["label"].to_numpy()).ravel())
    angle = np.append(angle, angle[0] + 2 * np.pi)

    def closed(values: np.ndarray) -> np.ndarray:
        values = np.tile(values, len(turns))
        return np.append(values, values[0])

    axes.fill_between(
        angle, closed(tuning["low"]), closed(tuning["high"]), color=COLOURS["null"], alpha=0.35
    )
    axes.fill_between(
        angle,
        closed(tuning["mean"] - tuning["error"]),
        closed(tuning["mean"] + tuning["error"]),
        color=COLOURS["trained"],
        alpha=0.25,
    )
    axes.plot(angle, closed(tuning["mean"]), color=COLOURS["trained"], label="mean")
    axes.set_ylim(bottom=0)
    axes.set_xticks(np.radians([0, 90, 180, 270]), ["0°", "90°", "180°", "270°"])
    axes.tick_params(axis="x", pad=-3)
    top = axes.get_ylim()[1]
    axes.set_yticks([top / 2, top], ["", f"{top:.2g}"])
    axes.set_rlabel_position(45)
    axes.grid(linewidth=0.4, color="#D5D5D5")
    axes.spines["polar"].set_color("#D5D5D5")


def _draw_line(axes: Axes, tuning: pd.DataFrame) -> None:
    """Draw a curve of many labels."""
    x = tuning["label"]
    axes.fill_between(x, tuning["low"], tuning["high"], color=COLOURS["null"], alpha=0.35)
    axes.plot(x, tuning["mean"], color=COLOURS["trained"], label="mean")
    _measure_activation(axes)


def _draw_points(axes: Axes, tuning: pd.DataFrame, joined: bool) -> None:
    """Draw a point a label, which is a number or a name; names are written upright."""
    labels = tuning["label"].astype(str)
    is_name = pd.to_numeric(labels, errors="coerce").isna().any()
    x = np.arange(len(labels))
    axes.fill_between(x, tuning["low"], tuning["high"], color=COLOURS["null"], alpha=0.35)
    axes.errorbar(
        x,
        tuning["mean"],
        tuning["error"],
        fmt="o-" if joined else "o",
        markersize=2.5,
        color=COLOURS["trained"],
        label="mean",
    )
    every = -(-len(labels) // MOST_LABELS)
    written = labels if is_name else [f"{float(n):g}".replace("0.", ".") for n in labels]
    axes.set_xticks(x[::every], list(written)[::every], rotation=60 * is_name)
    _measure_activation(axes)


def _measure_activation(axes: Axes) -> None:
    axes.set_ylim(bottom=0)
    axes.locator_params(axis="y", nbins=4)
    axes.set_ylabel("activation")


def _draw_mice(axes: Axes, tuning: pd.DataFrame, mice: pd.DataFrame) -> None:
    for x, line in enumerate(tuning.itertuples()):
        points = np.sort(mice.loc[mice["label"] == line.label, "mean"])
        axes.fill_between(
            [x - 0.38, x + 0.38], line.low, line.high, color=COLOURS["null"], alpha=0.35
        )
        axes.scatter(
            x + scattered(len(points), 0.2),
            points,
            s=6,
            color=COLOURS["trained"],
            alpha=0.5,
            linewidth=0,
            label=line.label,
        )
        axes.plot([x - 0.3, x + 0.3], [line.mean] * 2, color=COLOURS["trained"], linewidth=1.6)
    names = [label.split("-")[0].replace("/wt", "") for label in tuning["label"]]
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
    heading(
        axes, in_words(rows["variable"].iloc[0]), f"all units, {in_words(rows['stimulus'].iloc[0])}"
    )
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

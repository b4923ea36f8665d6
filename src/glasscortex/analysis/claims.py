"""The claims, each held against the tables: it reports, and nothing is tuned to make it hold."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest, norm

from glasscortex.config import SelectivityConfig
from glasscortex.decoder.compare import BEST_LINEAR
from glasscortex.decoder.scores import headline
from glasscortex.tasks import TASKS, related
from glasscortex.words import BASELINES

AT_CHANCE = 0.03
"""Distance of a score from chance that counts as none."""

RECOVERED_BY_CHANCE = 0.05
"""Share of factors whose best unit scores above the 95 % quantile of its null by chance."""

CONTROLS = ("untrained", "shuffled")

RIVALS = {BEST_LINEAR: "the best linear baseline"} | {
    baseline.name: baseline.phrase for baseline in BASELINES.values()
}
"""What `comparison.csv` holds the transformer against, in words."""

HEADLINE_VARIABLES = {TASKS[task].variable for task in related("direction")}
"""Variables that the claims of selectivity are made for."""


@dataclass
class Claim:
    """One row of the table.

    Attributes
    ----------
    claim : str
        In words.
    estimate, ci_low, ci_high : float
        NaN where there is nothing to estimate or no interval.
    threshold : float
        What the interval is held against.
    holds : bool
        Whether the claim does.
    detail : str
        What the estimate is, and what it rests on.
    seed, sae : int, str
        Of the decoder and its SAE; "" where it isn't about one.
    """

    claim: str
    estimate: float
    ci_low: float
    ci_high: float
    threshold: float
    holds: bool
    detail: str
    seed: int | str = ""
    sae: str = ""


def claims(
    *,
    decoding: pd.DataFrame,
    comparison: pd.DataFrame,
    sae: pd.DataFrame,
    splice: pd.DataFrame,
    selectivity: pd.DataFrame,
    ablation: pd.DataFrame,
    recovery: pd.DataFrame | None,
    sessions: pd.DataFrame,
    config: SelectivityConfig,
) -> pd.DataFrame:
    """Say what the tables tell of every claim that the project makes.

    Parameters
    ----------
    decoding, comparison, sae, splice, selectivity, ablation : pandas.DataFrame
        The tables.
    recovery : pandas.DataFrame or None
        None for recordings without ground truth.
    sessions : pandas.DataFrame
        With mouse and held_out.
    config : SelectivityConfig
        The thresholds that selectivity was decided by.

    Returns
    -------
    pandas.DataFrame
        One row a claim, with the fields of `Claim`.
    """
    mice = sessions.loc[~sessions["held_out"], "mouse"].nunique()
    rows = [
        *_of_decoding(decoding, comparison),
        *_of_splice(splice, sae, decoding),
        *_of_selectivity(selectivity, sae, mice, config),
        *_of_ablation(ablation),
    ]
    if recovery is not None:
        rows += _of_recovery(recovery)
    return pd.DataFrame(map(asdict, rows), columns=list(Claim.__dataclass_fields__))


def _pooled(scores: pd.DataFrame, model: str) -> pd.DataFrame:
    """Headline test scores over all sessions, one row a seed and task."""
    rows = scores[(scores["model"] == model) & (scores["split"] == "test")]
    rows = rows[(rows["session_id"] == "all") & (rows["metric"] == rows["task"].map(headline))]
    return rows.sort_values(["seed", "task"])


def _of_decoding(scores: pd.DataFrame, comparison: pd.DataFrame) -> Iterator[Claim]:
    for row in comparison[comparison["task"] == "all classification"].itertuples():
        yield Claim(
            f"the transformer decodes better than {RIVALS[row.against]}",
            row.difference,
            row.ci_low,
            row.ci_high,
            0.0,
            row.ci_low > 0,
            f"difference in accuracy, mean over classification tasks and {row.n_sessions} sessions",
        )
    for model in CONTROLS:
        for seed, rows in _pooled(scores, model).groupby("seed"):
            rows = rows[~rows["task"].map(lambda task: TASKS[task].is_regression)]
            above = rows["value"] - rows["chance"]
            contains = (rows["ci_low"] <= rows["chance"]) & (rows["chance"] <= rows["ci_high"])
            fine = contains | (above.abs() <= AT_CHANCE)
            if rows.empty:
                continue
            worst = rows.loc[above.abs().idxmax()]
            yield Claim(
                f"the {model} decoder is at chance",
                worst["value"] - worst["chance"],
                worst["ci_low"] - worst["chance"],
                worst["ci_high"] - worst["chance"],
                AT_CHANCE,
                bool(fine.all()),
                f"accuracy above chance in {worst['task']}, the farthest of {len(rows)} tasks"
                + _but(rows.loc[~fine, "task"]),
                seed=seed,
            )


def _but(tasks: pd.Series) -> str:
    return f"; not in {', '.join(tasks)}" if len(tasks) else ""


def _of_splice(splice: pd.DataFrame, saes: pd.DataFrame, scores: pd.DataFrame) -> Iterator[Claim]:
    """Judged on tasks that the intact decoder decodes above chance: elsewhere nothing is lost."""
    pooled = _pooled(scores, "trained")
    decoded = pooled[pooled["ci_low"] > pooled["chance"]].groupby("seed")["task"].agg(list)
    for seed, name in _trained(saes):
        rows = splice[(splice["model"] == "trained") & (splice["seed"] == seed)]
        rows = rows[(rows["sae"] == name) & rows["task"].isin(decoded.get(seed, []))]
        among = f"of {rows['task'].nunique()} tasks that the intact decoder decodes above chance"
        spliced = rows[rows["condition"] == "spliced"]
        if spliced.empty:
            continue
        reach = spliced[["delta_low", "delta_high"]].abs().max(axis=1) / spliced["margin"]
        worst = spliced.loc[reach.idxmax()]
        equivalent = spliced["equivalent"].astype(bool)
        yield Claim(
            "decoding is unchanged with the SAE spliced in",
            worst["delta"],
            worst["delta_low"],
            worst["delta_high"],
            worst["margin"],
            bool(equivalent.all()),
            f"change in {worst['task']}, the largest {among} (90 % intervals)"
            + _but(spliced.loc[~equivalent, "task"]),
            seed,
            name,
        )
        for condition in ("random_sae", "mean"):
            control = rows[rows["condition"] == condition]
            mildest = control.loc[(control["delta"].abs() / control["margin"]).idxmin()]
            unchanged = control["equivalent"].astype(bool)
            yield Claim(
                f"{condition} spliced in is not equivalent to intact",
                mildest["delta"],
                mildest["delta_low"],
                mildest["delta_high"],
                -mildest["margin"],
                not unchanged.any(),
                f"change in {mildest['task']}, the smallest {among}"
                + _but(control.loc[unchanged, "task"]),
                seed,
                name,
            )


def _trained(saes: pd.DataFrame) -> list[tuple[int, str]]:
    """(seed, name) of every SAE on a trained decoder."""
    rows = saes.loc[saes["model"] == "trained", ["seed", "sae"]].drop_duplicates()
    return list(rows.itertuples(index=False, name=None))


def _of_selectivity(
    table: pd.DataFrame, saes: pd.DataFrame, mice: int, config: SelectivityConfig
) -> Iterator[Claim]:
    z = norm.ppf(0.975)
    tested = table[table["variable"].isin(HEADLINE_VARIABLES)]
    variables = list(tested[["variable", "stimulus"]].drop_duplicates().itertuples(index=False))
    models = [model for model in ("start", *CONTROLS) if model in set(saes["model"])]
    beyond = f"significant at q {config.q:g} with an effect of at least {config.min_effect:g}"
    for seed, name in _trained(saes):
        for variable, stimulus in variables:
            part = table[(table["variable"] == variable) & (table["stimulus"] == stimulus)]
            part = part[(part["seed"] == seed) & (part["sae"] == name)]
            fraction, error, count, alive = _fraction(part, "trained")
            yield Claim(
                f"units are selective for {variable} ({stimulus})",
                fraction,
                *_interval(fraction, error),
                0.0,
                bool(count > 0 and fraction - z * error > 0),
                f"share of {alive} living units {beyond}: {count} (jackknife over mice)",
                seed,
                name,
            )
            for model in models:
                other, other_error, other_count, other_alive = _fraction(part, model)
                difference, both = fraction - other, np.hypot(error, other_error)
                yield Claim(
                    f"more units are selective for {variable} ({stimulus}) than {model}",
                    difference,
                    difference - z * both,
                    difference + z * both,
                    0.0,
                    bool(difference - z * both > 0),
                    f"difference in share: {count} of {alive} against {other_count} of "
                    f"{other_alive} (jackknife over mice)",
                    seed,
                    name,
                )
        background = table[(table["variable"] == "cre_line") & (table["seed"] == seed)]
        background = background[background["sae"] == name]
        fraction, error, count, alive = _fraction(background, "trained")
        controls = ", ".join(
            f"{model} {count} of {alive}"
            for model in models
            for _, _, count, alive in [_fraction(background, model)]
        )
        yield Claim(
            "units are selective for the Cre line",
            fraction if alive else np.nan,
            *(_interval(fraction, error) if alive else (np.nan, np.nan)),
            0.0,
            bool(count > 0),
            f"share of {alive} living units {beyond} over {mice} mice: {count}"
            + (f" ({controls})" if controls else ""),
            seed,
            name,
        )


def _fraction(rows: pd.DataFrame, model: str) -> tuple[float, float, int, int]:
    """Share of significant units, its standard error, their number and that of alive units."""
    rows = rows[rows["model"] == model]
    if rows.empty:
        return 0.0, 0.0, 0, 0
    count = int(rows["significant"].astype(bool).sum())
    return count / len(rows), float(rows["fraction_error"].iloc[0]), count, len(rows)


def _interval(fraction: float, error: float) -> tuple[float, float]:
    """95 % interval of a share, cut at 0 and 1."""
    reach = norm.ppf(0.975) * error
    low, high = np.clip([fraction - reach, fraction + reach], 0, 1)
    return low, high


def _of_ablation(table: pd.DataFrame) -> Iterator[Claim]:
    rows = table[(table["model"] == "trained") & (table["condition"] == "selective")]
    rows = rows[(rows["method"] == "zero") & (rows["task"] == rows["variable"])]
    full = rows.groupby(["seed", "sae", "variable"])["n_units"].transform("max")
    for row in rows[rows["n_units"] == full].itertuples():
        removed = f"{row.n_units} units removed cost {row.delta:.3g} of {row.intact:.3g}"
        yield Claim(
            f"ablating {row.variable} units costs {row.variable} more than matched random units",
            row.excess,
            row.excess_low,
            row.excess_high,
            0.0,
            bool(row.excess_low > 0),
            f"{removed}; p {row.p:.2g} among matched sets; {row.overlap:.0%} of the units are "
            "selective for another variable of their presentations too",
            row.seed,
            row.sae,
        )
        if np.isfinite(row.specificity):
            yield Claim(
                f"ablating {row.variable} units costs {row.variable} more than the other tasks",
                row.specificity,
                row.specificity_low,
                row.specificity_high,
                0.0,
                bool(row.specificity_low > 0),
                f"{removed}; against the mean of the other classification tasks",
                row.seed,
                row.sae,
            )


def _of_recovery(table: pd.DataFrame) -> Iterator[Claim]:
    for (seed, name), rows in table[table["model"] == "trained"].groupby(["seed", "sae"]):
        above = rows["score"] > rows["null"]
        test = binomtest(int(above.sum()), len(rows), RECOVERED_BY_CHANCE, alternative="greater")
        interval = test.proportion_ci(0.95)
        yield Claim(
            "units follow the factors that the recordings were simulated from",
            above.mean(),
            interval.low,
            interval.high,
            RECOVERED_BY_CHANCE,
            bool(interval.low > RECOVERED_BY_CHANCE),
            f"share of {len(rows)} factors whose unit scores above the 95 % quantile of its null; "
            f"median score {rows['score'].median():.3g}, of the null {rows['null'].median():.3g} "
            "(binomial, factors taken as independent)",
            seed,
            name,
        )

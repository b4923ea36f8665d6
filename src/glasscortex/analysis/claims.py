"""The claims, each held against the tables: it reports, and nothing is tuned to make it hold."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from glasscortex.analysis.shares import share_of
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

TOO_FEW = "; too few consensus units to tell"

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
    consensus: pd.DataFrame | None,
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
    consensus : pandas.DataFrame or None
        Of several seeds: a selective unit counts if most other seeds have it, too.
    sessions : pandas.DataFrame
        With mouse and held_out.
    config : SelectivityConfig
        The thresholds that selectivity was decided by.

    Returns
    -------
    pandas.DataFrame
        One row a claim, with the fields of `Claim`.
    """
    opened = set(splice["sae"])  # not bases, which nothing is claimed of
    sae = sae[sae["sae"].isin(opened)]
    mice = sessions.loc[~sessions["held_out"], "mouse"].nunique()
    if consensus is not None:
        selectivity = _with_consensus(selectivity, consensus)
    rows = [
        *_of_decoding(decoding, comparison),
        *_of_splice(splice, sae, decoding),
        *_of_selectivity(selectivity, sae, mice, config),
        *_of_ablation(ablation),
    ]
    if recovery is not None:
        rows += _of_recovery(recovery[recovery["sae"].isin(opened)])
    return pd.DataFrame(map(asdict, rows), columns=list(Claim.__dataclass_fields__))


def _with_consensus(selectivity: pd.DataFrame, consensus: pd.DataFrame) -> pd.DataFrame:
    """Add the column `consensus` to the table of selectivity."""
    key = ["model", "seed", "sae", "unit"]
    units = consensus[[*key, "consensus"]].drop_duplicates()
    joined = selectivity.merge(units, how="left", on=key)
    return joined.assign(consensus=joined["consensus"].eq(True))


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
    tested = table[table["variable"].isin(HEADLINE_VARIABLES)]
    variables = list(tested[["variable", "stimulus"]].drop_duplicates().itertuples(index=False))
    models = [model for model in ("start", *CONTROLS) if model in set(saes["model"])]
    units = "consensus units" if "consensus" in table else "units"
    beyond = f"significant at q {config.q:g} with an effect of at least {config.min_effect:g}"
    for seed, name in _trained(saes):
        of_fit = table[(table["seed"] == seed) & (table["sae"] == name)]
        for variable, stimulus in variables:
            part = of_fit[(of_fit["variable"] == variable) & (of_fit["stimulus"] == stimulus)]
            share = share_of(part[part["model"] == "trained"])
            yield Claim(
                f"{units} are selective for {variable} ({stimulus})",
                share.value,
                max(share.low, 0),
                min(share.high, 1),
                0.0,
                bool(share.count > 0 and share.low > 0),
                f"share of {share.living} living units {beyond}: {share.among} ({share.basis})"
                + (TOO_FEW if share.consensus == 0 else ""),
                seed,
                name,
            )
            for model in models:
                other = share_of(part[part["model"] == model])
                difference, low, high = share.minus(other)
                yield Claim(
                    f"more {units} are selective for {variable} ({stimulus}) than {model}",
                    difference,
                    low,
                    high,
                    0.0,
                    bool(low > 0),
                    f"difference in share: {share.of_living} against {other.of_living} "
                    f"({share.basis})" + ("" if share.can_exceed(other) else TOO_FEW),
                    seed,
                    name,
                )
        background = of_fit[of_fit["variable"] == "cre_line"]
        share = share_of(background[background["model"] == "trained"])
        controls = ", ".join(
            f"{model} {other.of_living}"
            for model in models
            for other in [share_of(background[background["model"] == model])]
        )
        yield Claim(
            f"{units} are selective for the Cre line",
            share.value if share.living else np.nan,
            max(share.low, 0) if share.living else np.nan,
            min(share.high, 1) if share.living else np.nan,
            0.0,
            bool(share.count > 0),
            f"share of {share.living} living units {beyond} over {mice} mice: {share.among}"
            + (f" ({controls})" if controls else ""),
            seed,
            name,
        )


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

"""What is claimed of decoding through a dictionary."""

from collections.abc import Iterator

import pandas as pd

from glasscortex.analysis.claims.claim import Claim, Verdict, named, too_few
from glasscortex.analysis.claims.decoding import pooled
from glasscortex.intervals import FEWEST

TOST = "two one-sided t tests over mice (90 % interval)"


def of_splice(splice: pd.DataFrame, saes: pd.DataFrame, scores: pd.DataFrame) -> Iterator[Claim]:
    """That a dictionary keeps what is decoded, and that its mean and a random one do not.

    Judged on tasks that the intact decoder decodes above chance (elsewhere nothing is lost), and
    that enough mice were shown.

    Parameters
    ----------
    splice, saes, scores : pandas.DataFrame
        The tables splice, sae and decoding.
    """
    trained = pooled(scores, "trained")
    decoded = trained[trained["ci_low"] > trained["chance"]].groupby("seed")["task"].agg(list)
    for seed, name in trained_saes(saes):
        rows = splice[(splice["model"] == "trained") & (splice["seed"] == seed)]
        rows = rows[(rows["sae"] == name) & rows["task"].isin(decoded.get(seed, []))]
        rows = rows.assign(reach=rows["delta"].abs() / rows["margin"])
        spliced = rows[rows["condition"] == "spliced"]
        if spliced.empty:
            continue
        widest = spliced[["delta_low", "delta_high"]].abs().max(axis=1) / spliced["margin"]
        yield _claim(
            "decoding is unchanged with the SAE spliced in",
            spliced.assign(reach=widest),
            seed,
            name,
        )
        for condition in ("random_sae", "mean"):
            control = rows[rows["condition"] == condition]
            yield _claim(f"decoding changes with {condition} spliced in", control, seed, name)


def trained_saes(saes: pd.DataFrame) -> list[tuple[int, str]]:
    """(seed, name) of every SAE on a trained decoder."""
    rows = saes.loc[saes["model"] == "trained", ["seed", "sae"]].drop_duplicates()
    return list(rows.itertuples(index=False, name=None))


def _claim(claim: str, rows: pd.DataFrame, seed: int, name: str) -> Claim:
    """Told with the task that speaks most against it, by the share of the margin it `reach`es."""
    unchanged = rows["condition"].eq("spliced").all()
    judged = rows[rows["n_mice"] >= FEWEST]
    few = rows.loc[rows["n_mice"] < FEWEST, "task"].tolist()
    told = judged if len(judged) else rows
    worst = told.loc[told["reach"].idxmax() if unchanged else told["reach"].idxmin()]
    equivalent = judged["equivalent"].astype(bool)
    against = judged.loc[~equivalent if unchanged else equivalent, "task"].tolist()
    verdict: Verdict = "fails" if against else "holds"
    within = "within the margin" if unchanged else "not within it"
    reason = f"{within} in {len(judged) - len(against)} of {len(judged)} tasks"
    if against:
        reason += f"; not in {named(against)}" if unchanged else f"; but in {named(against)}"
    if few:
        reason += f"; too few mice in {named(few)}"
    if judged.empty:
        verdict, reason = "not testable", too_few(int(worst["n_mice"]))
    which = "largest" if unchanged else "smallest"
    return Claim(
        claim,
        worst["delta"],
        worst["delta_low"],
        worst["delta_high"],
        worst["margin"] if unchanged else -worst["margin"],
        f"change in {worst['task']}, the {which} of {len(told)} tasks that the intact decoder "
        "decodes above chance",
        int(worst["n_mice"]),
        "mice",
        TOST,
        "intact",
        verdict,
        reason,
        seed,
        name,
    )

"""What is claimed of the decoder."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from glasscortex.analysis.claims.claim import CONTROLS, OVER_MICE, Claim, Verdict, above, named
from glasscortex.decoder.compare import BEST_LINEAR, START
from glasscortex.decoder.scores import HEADLINES, regressions
from glasscortex.intervals import FEWEST
from glasscortex.words import BASELINES

AT_CHANCE = 0.03
"""Distance of an accuracy from chance that counts as none."""

RIVALS = {BEST_LINEAR: "the best linear baseline"} | {
    baseline.name: baseline.phrase for baseline in BASELINES.values()
}
"""What `comparison.csv` holds the transformer against, in words."""

EVERY_CLASS = "all classification"


def of_decoding(scores: pd.DataFrame, comparison: pd.DataFrame) -> Iterator[Claim]:
    """That the decoder is better than others, learns something, and its controls do not.

    Parameters
    ----------
    scores, comparison : pandas.DataFrame
        The tables decoding and comparison.
    """
    values = regressions(scores)
    for row in comparison.itertuples():
        if row.against == START:
            start = "what training starts from"
            yield _difference(row, f"training improves {row.task}", start, values)
        elif row.task == EVERY_CLASS:
            rival = RIVALS[row.against]
            yield _difference(row, f"the transformer decodes better than {rival}", rival, values)
        elif row.against == BEST_LINEAR:
            rival = RIVALS[BEST_LINEAR]
            claim = f"the transformer decodes {row.task} better than {rival}"
            yield _difference(row, claim, rival, values)
    for model in CONTROLS:
        for seed, rows in pooled(scores, model).groupby("seed"):
            rows = rows[~rows["task"].isin(values)]
            if len(rows):
                yield _at_chance(model, seed, rows)


def pooled(scores: pd.DataFrame, model: str) -> pd.DataFrame:
    """Headline test scores over all sessions, one row a seed and task, with n_sessions."""
    rows = scores[(scores["model"] == model) & (scores["split"] == "test")]
    rows = rows[rows["metric"].isin(HEADLINES)]
    key = ["seed", "task"]
    of_sessions = rows[rows["session_id"] != "all"].groupby(key)["session_id"].nunique()
    rows = rows[rows["session_id"] == "all"].join(of_sessions.rename("n_sessions"), on=key)
    return rows.sort_values(key)


def _difference(row, claim: str, rival: str, values: set[str]) -> Claim:
    what = "difference in r²" if row.task in values else "difference in accuracy"
    over = "mean over classification tasks and" if row.task == EVERY_CLASS else "mean over"
    return Claim(
        claim,
        row.difference,
        row.ci_low,
        row.ci_high,
        0.0,
        f"{what}, {over} {row.n_sessions} sessions",
        row.n_mice,
        "mice",
        OVER_MICE,
        rival,
        *above(row.ci_low, row.ci_high, 0.0, row.n_mice),
    )


def _at_chance(model: str, seed: int, rows: pd.DataFrame) -> Claim:
    """Shown in a task if its interval ends within `AT_CHANCE` of chance, refuted if beyond it."""
    rows = rows.assign(above=rows["value"] - rows["chance"])
    enough = rows["n_sessions"] >= FEWEST
    shown = enough & (rows["ci_high"] - rows["chance"] <= AT_CHANCE)
    refuted = enough & (rows["ci_low"] > rows["chance"]) & (rows["above"] > AT_CHANCE)
    open_tasks = named(rows.loc[~shown & ~refuted, "task"].tolist())
    reason = f"within {AT_CHANCE:g} of it in {shown.sum()} of {len(rows)} tasks"
    if open_tasks:
        reason += f"; too uncertain in {open_tasks}"
    verdict: Verdict = "holds" if shown.any() else "not testable"
    if refuted.any():
        verdict, reason = "fails", f"above it in {named(rows.loc[refuted, 'task'].tolist())}"
    judged = rows[refuted] if refuted.any() else rows[shown] if shown.any() else rows
    worst = judged.loc[judged["above"].abs().idxmax()]
    low, high = (worst[end] - worst["chance"] for end in ("ci_low", "ci_high"))
    return Claim(
        f"the {model} decoder is at chance",
        worst["above"],
        low,
        high,
        AT_CHANCE,
        f"accuracy above chance in {worst['task']}, the farthest of those judged",
        0 if np.isnan(worst["n_sessions"]) else int(worst["n_sessions"]),
        "sessions",
        "Student's t over sessions",
        "chance",
        verdict,
        reason,
        seed,
    )

"""What is claimed of genetic background, area and depth: by all units of a dictionary together."""

from collections.abc import Iterator

import pandas as pd

from glasscortex.analysis.claims.claim import OVER_MICE, Claim, Verdict, above, too_few
from glasscortex.analysis.claims.splice import trained_saes
from glasscortex.analysis.recognition import EVERY_KIND, lead
from glasscortex.words import CELLS, MODELS

LEVEL = 0.05
"""Largest p over permutations of mice at which they are recognised."""

BEYOND = {
    "nothing": "",
    "running": " beyond how much it runs",
    "running and tuning": " beyond how much it runs and how well its units are tuned",
}
"""What is claimed of mice made equal in this."""

MEASURED = {
    "accuracy": "share of a label's mice that are recognised",
    "spearman": "rank correlation of what is predicted and the label",
}


def of_recognition(table: pd.DataFrame, saes: pd.DataFrame) -> Iterator[Claim]:
    """That units tell the line of a mouse, beyond how it runs, and better than rivals do.

    Parameters
    ----------
    table, saes : pandas.DataFrame
        The tables recognition and sae.
    """
    for seed, name in trained_saes(saes):
        of_seed = table[(table["seed"] == seed) | (table["model"] == CELLS)]
        of_fit = of_seed[(of_seed["model"] == "trained") & (of_seed["sae"] == name)]
        for variable, own in of_fit.groupby("variable", sort=False):
            yield from _recognised(own, seed, name)
            others = of_seed[of_seed["variable"] == variable]
            for model in (*MODELS, CELLS):
                rival = others[(others["model"] == model) & others["sae"].isin([name, CELLS])]
                if model != "trained" and len(rival):
                    yield _better(own, rival, model, seed, name)


def _recognised(own: pd.DataFrame, seed: int, name: str) -> Iterator[Claim]:
    whole = own[own["mouse"] == "all"]
    single = whole[whole["kind"] != EVERY_KIND].sort_values("p", kind="stable")
    kinds = ", ".join(f"{row.kind} {row.value:.2g} (p {row.p:.2g})" for row in single.itertuples())
    every = whole[whole["kind"] == EVERY_KIND]
    alone = every.loc[every["adjusted"] == "nothing", ["n_significant", "n_units"]].iloc[0]
    kinds += f"; {alone['n_significant']:.0f} of {alone['n_units']:.0f} units tell it by themselves"
    for row in every.itertuples():
        verdict: Verdict = "holds" if row.p <= LEVEL else "fails"
        reason = f"p {row.p:.2g} among {int(row.n_permutations)} permutations of mice"
        if few := too_few(int(row.n_mice)):
            verdict, reason = "not testable", few
        elif row.p_min > LEVEL:
            verdict, reason = "not testable", f"no p below {row.p_min:.2g} is possible"
        yield Claim(
            f"units tell the {row.variable} of a mouse{BEYOND[row.adjusted]}",
            row.value,
            row.ci_low,
            row.ci_high,
            row.chance,
            f"{MEASURED[row.measure]}, left out itself; {kinds}",
            int(row.n_mice),
            "mice",
            "permutations of mice; interval over mice (jackknife)",
            "chance",
            verdict,
            reason,
            seed,
            name,
        )
        kinds = "all kinds of statistics together"


def _better(own: pd.DataFrame, other: pd.DataFrame, model: str, seed: int, name: str) -> Claim:
    estimate, low, high, mice = lead(own, other)
    means = [rows.loc[_of_all(rows), "value"].iloc[0] for rows in (own, other)]
    whose = "summaries of the cells" if model == CELLS else f"those of {model}"
    return Claim(
        f"units tell the {own['variable'].iloc[0]} of a mouse better than {whose}",
        estimate,
        low,
        high,
        0.0,
        f"difference of {means[0]:.3g} and {means[1]:.3g}, each mouse left out itself",
        mice,
        "mice",
        f"{OVER_MICE} (jackknife)",
        model,
        *above(low, high, 0.0, mice),
        seed,
        name,
    )


def _of_all(rows: pd.DataFrame) -> pd.Series:
    is_whole = (rows["mouse"] == "all") & (rows["kind"] == EVERY_KIND)
    return is_whole & (rows["adjusted"] == "nothing")

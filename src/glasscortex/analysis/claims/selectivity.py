"""What is claimed of the selectivity of units."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from glasscortex.analysis.claims.claim import CONTROLS, OVER_MICE, Claim, Verdict, above, too_few
from glasscortex.analysis.claims.splice import trained_saes
from glasscortex.analysis.shares import difference, share_of
from glasscortex.config import SelectivityConfig
from glasscortex.tasks import ALLEN


def of_selectivity(
    table: pd.DataFrame, saes: pd.DataFrame, config: SelectivityConfig
) -> Iterator[Claim]:
    """That units are selective for every variable, and more so than those of every control.

    Shares of units are told, and effects are compared: how many units pass depends on how many
    there are and on the threshold of their effect. What mice and sessions differ in is for all
    units together to tell, see `of_recognition`.

    Parameters
    ----------
    table, saes : pandas.DataFrame
        The tables selectivity and sae; with a column `consensus` in the first a unit counts only
        if that is true, too.
    config : SelectivityConfig
        The thresholds that selectivity was decided by.
    """
    shown = table.loc[~table["variable"].isin(ALLEN.at("mouse", "session"))]
    tested = list(shown[["variable", "stimulus"]].drop_duplicates().itertuples(index=False))
    models = [model for model in ("start", *CONTROLS) if model in set(saes["model"])]
    for seed, name in trained_saes(saes):
        of_fit = table[(table["seed"] == seed) & (table["sae"] == name)]
        for variable, stimulus in tested:
            part = of_fit[(of_fit["variable"] == variable) & (of_fit["stimulus"] == stimulus)]
            own = part[part["model"] == "trained"]
            if own.empty:
                continue
            what = f"{variable} ({stimulus})"
            yield _share(own, what, config, seed, name)
            for model in models:
                yield _more(own, part[part["model"] == model], what, model, seed, name)


def _share(rows: pd.DataFrame, what: str, config: SelectivityConfig, seed: int, name: str) -> Claim:
    share, mice = share_of(rows), int(rows["n_mice"].iloc[0])
    units = "units" if share.consensus is None else "consensus units"
    return Claim(
        f"{units} are selective for {what}",
        share.value,
        max(share.low, 0),
        min(share.high, 1),
        0.0,
        f"share of {share.living} living units with q ≤ {config.q:g} and an effect of at least "
        f"{config.min_effect:g}: {share.among}",
        mice if share.consensus is None else share.living,
        "mice" if share.consensus is None else "units",
        f"{share.basis}; permutations over {_replicates(rows)}",
        "chance",
        *_is_selective(rows, share.low, config.q, mice),
        seed,
        name,
    )


def _replicates(rows: pd.DataFrame) -> str:
    """What the null exchanges, in words."""
    replicate = rows["replicate"].iloc[0]
    return {"presentation": "presentations", "session": "mice", "mouse": "mice"}[replicate]


def _is_selective(rows: pd.DataFrame, low: float, q: float, mice: int) -> tuple[Verdict, str]:
    """Whether units are: all together by one test, and some of them by an interval."""
    if few := too_few(mice):
        return "not testable", few
    smallest, together = rows["p_min"].iloc[0], rows["p_together"].iloc[0]
    if smallest > q:
        return "not testable", f"no p below {smallest:.2g} is possible"
    if together > q:
        return "fails", f"p {together:.2g} for all units together"
    if not low > 0:
        return "fails", f"p {together:.2g} for all units together, but the share reaches down to 0"
    return "holds", f"p {together:.2g} for all units together, and the share lies above 0"


def _more(
    own: pd.DataFrame, other: pd.DataFrame, what: str, model: str, seed: int, name: str
) -> Claim:
    estimate, low, high = difference(own, other)
    mice = int(own["n_mice"].iloc[0])
    means = [rows["explained_mean"].iloc[0] if len(rows) else 0.0 for rows in (own, other)]
    verdict, reason = above(low, high, 0.0, mice)
    if not np.isfinite(estimate):
        verdict, reason = "not testable", f"no unit of {model} is alive"
    return Claim(
        f"units tell more of {what} than those of {model}",
        estimate,
        low,
        high,
        0.0,
        "difference in the mean share of a living unit's variance that goes with it, less chance: "
        f"{means[0]:.3g} against {means[1]:.3g}",
        mice,
        "mice",
        f"{OVER_MICE} (jackknife)",
        model,
        verdict,
        reason,
        seed,
        name,
    )

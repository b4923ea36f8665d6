"""The claims, each held against the tables: it reports, and nothing is tuned to make it hold."""

from dataclasses import asdict

import pandas as pd

from glasscortex.analysis.claims.ablation import of_ablation
from glasscortex.analysis.claims.claim import Claim
from glasscortex.analysis.claims.decoding import of_decoding
from glasscortex.analysis.claims.recognition import of_recognition
from glasscortex.analysis.claims.recovery import of_recovery
from glasscortex.analysis.claims.selectivity import of_selectivity
from glasscortex.analysis.claims.splice import of_splice
from glasscortex.config import SelectivityConfig


def claims(
    *,
    decoding: pd.DataFrame,
    comparison: pd.DataFrame,
    sae: pd.DataFrame,
    splice: pd.DataFrame,
    selectivity: pd.DataFrame,
    recognition: pd.DataFrame,
    ablation: pd.DataFrame,
    recovery: pd.DataFrame | None,
    consensus: pd.DataFrame | None,
    config: SelectivityConfig,
) -> pd.DataFrame:
    """Say what the tables tell of every claim that the project makes.

    Parameters
    ----------
    decoding, comparison, sae, splice, selectivity, recognition, ablation : pandas.DataFrame
        The tables.
    recovery : pandas.DataFrame or None
        None for recordings without ground truth.
    consensus : pandas.DataFrame or None
        Of several seeds: a selective unit counts if most other seeds have it, too.
    config : SelectivityConfig
        The thresholds that selectivity was decided by.

    Returns
    -------
    pandas.DataFrame
        One row a claim, with the fields of `Claim`.
    """
    opened = set(splice["sae"])  # not bases, which nothing is claimed of
    sae = sae[sae["sae"].isin(opened)]
    if consensus is not None:
        selectivity = _with_consensus(selectivity, consensus)
    rows = [
        *of_decoding(decoding, comparison),
        *of_splice(splice, sae, decoding),
        *of_selectivity(selectivity, sae, config),
        *of_recognition(recognition, sae),
        *of_ablation(ablation),
    ]
    if recovery is not None:
        rows += of_recovery(recovery[recovery["sae"].isin(opened)])
    return pd.DataFrame(map(asdict, rows), columns=list(Claim.__dataclass_fields__))


def _with_consensus(selectivity: pd.DataFrame, consensus: pd.DataFrame) -> pd.DataFrame:
    """Add the column `consensus` to the table of selectivity."""
    key = ["model", "seed", "sae", "unit"]
    units = consensus[[*key, "consensus"]].drop_duplicates()
    joined = selectivity.merge(units, how="left", on=key)
    return joined.assign(consensus=joined["consensus"].eq(True))

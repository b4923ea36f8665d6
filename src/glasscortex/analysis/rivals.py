"""The tables of all dictionaries, and of each beside the best basis and the cells themselves."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from glasscortex.analysis.paired import compared, judged, summarised
from glasscortex.decoder.scores import HEADLINES
from glasscortex.words import CELLS

FIT = ["model", "seed", "sae"]

WHOLE = 1e-6
"""Below this fraction of variance unexplained a basis gives back what went in."""

MEASURES = ("auroc_1", "auroc_2", "auroc_5", "auroc_dense", "purity", "auroc_child")

RIVALS = [
    *FIT,
    "hook",
    *("task", "measure", "rival", "difference", "ci_low", "ci_high", "n_sessions"),
]


def dictionaries(
    *,
    sae: pd.DataFrame,
    splice: pd.DataFrame,
    decoding: pd.DataFrame,
    probing: pd.DataFrame,
    recovery: pd.DataFrame | None,
    bases: Collection[str],
) -> pd.DataFrame:
    """Say of every dictionary how sparse, how faithful and how well read it is.

    All on the test split. Bases are not spliced: a whole one gives back what went in, so that
    nothing of the decoding is lost in it, and of others nothing is known.

    Parameters
    ----------
    sae, splice, decoding, probing : pandas.DataFrame
        The tables.
    recovery : pandas.DataFrame or None
        The same, of recordings with ground truth.
    bases : collection of str
        Names of the dictionaries that are bases.

    Returns
    -------
    pandas.DataFrame
        A row a model, seed and dictionary: hook, architecture, basis (whether it is one), width, k,
        l0, fvu, dead_fraction;
        kept, the share of what the intact decoder reads above chance that is left with the
        dictionary spliced in (mean over the tasks that it reads), and to how many of these
        `tasks` it is `equivalent`; recovered, the share of the simulation's factors that it
        recovers, empty without ground truth; and the mean over what `judged` names (`probed`) of
        every measure of `probing`, with its interval over sessions. Last, of the cells these alone.
    """
    table = sae.loc[sae["split"] == "test"].drop(columns="split").reset_index(drop=True)
    table = table.merge(_tasks_read(decoding), how="left", on=["model", "seed"])
    table["tasks"] = table["tasks"].fillna(0).astype(int)
    table = table.merge(_kept(splice, decoding), how="left", on=FIT)
    table["basis"] = basis = table["sae"].isin(bases)
    whole = basis & (table["fvu"] < WHOLE)
    table["kept"] = table["kept"].mask(whole & (table["tasks"] > 0), 1.0)
    table["equivalent"] = table["equivalent"].mask(~basis, table["equivalent"].fillna(0))
    table["equivalent"] = table["equivalent"].mask(whole, table["tasks"])
    table = table[[*FIT, *_REBUILT, "kept", "equivalent", "tasks"]]
    table = table.merge(_recovered(recovery), how="left", on=FIT)
    probed = _judged(probing)
    of_cells = probed[probed["model"] == CELLS]
    return pd.concat([table.merge(probed, how="left", on=FIT), of_cells.assign(basis=False)])


_REBUILT = ["hook", "architecture", "basis", "width", "k", "l0", "fvu", "dead_fraction"]


def _read(decoding: pd.DataFrame) -> pd.DataFrame:
    """The tasks that each decoder reads above chance, and what chance is."""
    rows = decoding[(decoding["session_id"] == "all") & (decoding["split"] == "test")]
    rows = rows[rows["metric"].isin(HEADLINES)]
    return rows.loc[rows["ci_low"] > rows["chance"], ["model", "seed", "task", "chance"]]


def _tasks_read(decoding: pd.DataFrame) -> pd.DataFrame:
    return _read(decoding).groupby(["model", "seed"]).size().rename("tasks").reset_index()


def _kept(splice: pd.DataFrame, decoding: pd.DataFrame) -> pd.DataFrame:
    """Share of the decoding that each spliced dictionary keeps, and in how many tasks all."""
    rows = splice[splice["condition"] == "spliced"].merge(_read(decoding))
    intact = rows["value"] - rows["delta"]
    rows["kept"] = (rows["value"] - rows["chance"]) / (intact - rows["chance"])
    rows["equivalent"] = rows["equivalent"].astype(bool)
    return rows.groupby(FIT).agg({"kept": "mean", "equivalent": "sum"}).reset_index()


def _recovered(recovery: pd.DataFrame | None) -> pd.DataFrame:
    """Share of the factors that each dictionary recovers."""
    if recovery is None:
        return pd.DataFrame(columns=[*FIT, "recovered"])
    return recovery.groupby(FIT)["recovered"].mean().reset_index()


def _judged(probing: pd.DataFrame) -> pd.DataFrame:
    """By dictionary, every measure of the mean over what it is judged by."""
    name, _ = judged(probing["task"].unique())
    columns = [f"{measure}{end}" for measure in MEASURES for end in ("", "_low", "_high")]
    rows = []
    for fit, probes in probing[probing["split"] == "test"].groupby(FIT):
        means = summarised(probes)
        means = means[means["task"] == name].set_index("measure")
        values = means.reindex(MEASURES)[["value", "ci_low", "ci_high"]].to_numpy().flatten()
        chance = means["chance"].get("purity", np.nan)
        rows.append((*fit, name, *values, chance))
    return pd.DataFrame(rows, columns=[*FIT, "probed", *columns, "purity_chance"])


def rivals(*, sae: pd.DataFrame, probing: pd.DataFrame, bases: Collection[str]) -> pd.DataFrame:
    """Hold each dictionary against the best of the bases of the same activations, and the cells.

    The best is, for every task and measure, the one whose mean over sessions is largest on the
    validation split; differences are those of the test split.

    Parameters
    ----------
    sae, probing : pandas.DataFrame
        The tables.
    bases : collection of str
        Names of the dictionaries that are bases.

    Returns
    -------
    pandas.DataFrame
        model, seed, sae, hook, and a row a task (each, and what `judged` names) and measure:
        rival, the best basis, and what of the cells was probed; difference, the dictionary less
        it, paired by session, with its 95 % interval; n_sessions. A hook without bases has no best
        one.
    """
    probes = dict(list(probing.groupby([*FIT, "split"])))
    cells = {
        sae: rows
        for (model, _, sae, split), rows in probes.items()
        if model == CELLS and split == "test"
    }
    parts = []
    fits = sae[[*FIT, "hook"]].drop_duplicates()
    for (model, seed, hook), own in fits.groupby(["model", "seed", "hook"], sort=False):
        validation, test = (
            {
                name: probes[key]
                for name in own["sae"]
                if (key := (model, seed, name, split)) in probes
            }
            for split in ("validation", "test")
        )
        best = _best({name: rows for name, rows in validation.items() if name in bases})
        against = {name: rows for name, rows in test.items() if name in bases} | cells
        for name in [name for name in test if against and name not in bases]:
            rows = pd.concat(
                compared(test[name], theirs).assign(rival=rival)
                for rival, theirs in against.items()
            )
            kept = pd.concat([best.merge(rows), rows[rows["rival"].isin(cells)]])
            parts.append(kept.assign(model=model, seed=seed, sae=name, hook=hook))
    return pd.concat(parts)[RIVALS] if parts else pd.DataFrame(columns=RIVALS)


def _best(probes: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """For every task and measure the basis (`rival`) of the largest mean over sessions."""
    means = [summarised(own).assign(rival=name) for name, own in probes.items()]
    if not means:
        return pd.DataFrame(columns=["task", "measure", "rival"])
    table = pd.concat(means, ignore_index=True)
    best = table.groupby(["task", "measure"], sort=False)["value"].idxmax()
    return table.loc[best, ["task", "measure", "rival"]]

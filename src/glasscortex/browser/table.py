"""The table of a dictionary's units: one row a unit, what is known of it at a glance."""

import pandas as pd

from glasscortex.tasks import ALLEN

COSTS = [
    *("variable", "task", "method", "n_units", "intact", "delta", "ci_low", "ci_high", "p"),
    *("n_sessions", "matched", "matched_low", "matched_high", "chosen", "units"),
]


def overview(
    *,
    selectivity: pd.DataFrame,
    purity: pd.Series,
    activity: pd.DataFrame,
    descriptions: pd.DataFrame,
    consensus: pd.DataFrame | None,
    reuse: pd.DataFrame | None,
    removed: pd.DataFrame,
) -> pd.DataFrame:
    """Put what is known of the alive units side by side.

    Parameters
    ----------
    selectivity : pandas.DataFrame
        Rows of alive units and variables. A unit is shown with one of them: of those that
        validation selected, if any, the one that explains most there. Variables of mice come
        last: shares of the variance between mice and between presentations do not compare.
    purity : pandas.Series
        By the rows of `selectivity`.
    activity, descriptions : pandas.DataFrame
        One row a unit.
    consensus : pandas.DataFrame, optional
        Matches in other seeds, if there are several.
    reuse : pandas.DataFrame, optional
        Effects on tasks, if they were measured.
    removed : pandas.DataFrame
        One row a unit and set that it was removed with, as `removed_sets` gives them.

    Returns
    -------
    pandas.DataFrame
        In the order of units; what does not apply or was not measured is missing.
    """
    of_mice = selectivity["variable"].isin(ALLEN.at("session", "mouse"))
    best = selectivity.assign(purity=purity, of_mice=~of_mice).sort_values(
        ["of_mice", "selected", "explained_selection"], ascending=False, kind="stable"
    )
    columns = ["variable", "stimulus", "index", "effect", "q", "significant", "preferred"]
    rows = best.drop_duplicates("unit").set_index("unit").sort_index()[[*columns, "purity"]]
    rows["n_significant"] = selectivity.groupby("unit")["significant"].sum()
    lines = selectivity[selectivity["variable"] == "cre_line"].set_index("unit")
    rows[["cre_line", "cre_line_significant"]] = lines[["effect", "significant"]]
    for table in (activity, descriptions[["unit", "description", "r2"]]):
        rows = rows.join(table.set_index("unit"))
    if consensus is not None:
        of_unit = consensus.groupby("unit")
        rows["stability"] = of_unit["correlation"].mean()
        rows["n_alike"] = of_unit["n_alike"].first()
    if reuse is not None:
        strongest = reuse.sort_values("size", ascending=False, kind="stable").groupby("unit")
        rows[["output", "output_effect"]] = strongest[["task", "size"]].first()
    if len(removed):
        of_set = removed.sort_values("delta", ascending=False, kind="stable").groupby("unit")
        rows[["ablation", "ablation_loss"]] = of_set[["task", "delta"]].first()
    return rows.reset_index()


def verdicts(selectivity: pd.DataFrame, q: float) -> pd.Series:
    """Say of each unit and variable what validation and test together say.

    Parameters
    ----------
    selectivity : pandas.DataFrame
        Rows of units and variables.
    q : float
        False discovery rate of a significant effect; one that reaches it and does not count is
        smaller than the smallest effect that does.

    Examples
    --------
    >>> rows = {"significant": [True, True, False], "selected": [True, False, False]}
    >>> verdicts(pd.DataFrame(rows | {"q": [0.01, 0.01, 0.02]}), 0.05).tolist()
    ['selective', 'significant, not selected', 'effect too small']
    """
    significant, selected = (selectivity[name].astype(bool) for name in ("significant", "selected"))
    verdict = pd.Series("not significant", selectivity.index)
    verdict[selected] = "selected, not significant"
    verdict[~significant & (selectivity["q"] <= q)] = "effect too small"
    verdict[significant] = "significant, not selected"
    verdict[significant & selected] = "selective"
    return verdict


def removed_sets(costs: pd.DataFrame) -> pd.DataFrame:
    """With which sets each unit was removed, and what the set's own task lost.

    Parameters
    ----------
    costs : pandas.DataFrame
        What `costs` returns.

    Returns
    -------
    pandas.DataFrame
        One row a unit and task: its `rank` in the set that validation chose (from 1), the set's
        size `n_units`, and `delta`, the loss of the task without it.
    """
    chosen = costs[costs["chosen"].eq(True) & (costs["variable"] == costs["task"])]
    table = chosen.assign(unit=chosen["units"].astype(str).str.split()).explode("unit")
    table = table.astype({"unit": int}).assign(rank=table.groupby("task").cumcount() + 1)
    return table[["unit", "task", "rank", "n_units", "delta"]].reset_index(drop=True)


def costs(ablation: pd.DataFrame) -> pd.DataFrame:
    """What removing the units of variables cost, beside random sets.

    Parameters
    ----------
    ablation : pandas.DataFrame
        One row a set and task.

    Returns
    -------
    pandas.DataFrame
        Its rows of selective sets, with the columns `COSTS`.
    """
    return ablation.loc[ablation["condition"] == "selective", COSTS].reset_index(drop=True)

"""The page of each unit: its own rows of every table."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd


def pages(
    tables: Mapping[str, pd.DataFrame], units: list[int]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of each unit.

    Parameters
    ----------
    tables : mapping of pandas.DataFrame
        By name; each with a column `unit`.
    units : list of int
        Those that get a page.

    Yields
    ------
    unit : int
    page : dict
        By the names of the tables its rows, without the column `unit`.

    Examples
    --------
    >>> ((unit, page),) = pages({"rate": pd.DataFrame({"unit": [7, 8], "value": [0.5, 1.0]})}, [8])
    >>> unit, page["rate"].to_dict("list")
    (8, {'value': [1.0]})
    """
    rows = {name: table.groupby("unit").indices for name, table in tables.items()}
    bare = {name: table.drop(columns="unit") for name, table in tables.items()}
    none = np.empty(0, np.int64)
    for unit in units:
        yield unit, {name: bare[name].iloc[rows[name].get(unit, none)] for name in tables}


def best_units(selectivity: pd.DataFrame, tuning: pd.DataFrame) -> pd.DataFrame:
    """The tuning of the best unit for each variable, to stand beside units of other decoders.

    Parameters
    ----------
    selectivity : pandas.DataFrame
        Chosen is the unit that validation selected and that explains most there; without a
        selected one, the one that explains most.
    tuning : pandas.DataFrame
        Mean responses of all units by label.

    Returns
    -------
    pandas.DataFrame
        Rows of `tuning` of these units (not those of single mice), with the `effect` on test.
    """
    order = selectivity.sort_values(
        ["selected", "explained_selection"], ascending=False, kind="stable"
    )
    keys = ["variable", "stimulus", "unit"]
    best = order.drop_duplicates(keys[:2])[[*keys, "effect", "significant"]]
    labels = tuning[tuning["mouse"].isna()].drop(columns="mouse")
    return labels.merge(best, on=keys)

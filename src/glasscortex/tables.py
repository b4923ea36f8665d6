"""Tidy CSV tables: read, written and joined in one way everywhere."""

import csv
from pathlib import Path

import pandas as pd

from glasscortex.errors import InputError
from glasscortex.files import atomic_write

NAMES = dict.fromkeys(["session_id", "container_id", "mouse", "repeats"], str)
"""Columns whose digits are a name, not a number; repeats may be "all"."""


def read_table(path: Path) -> pd.DataFrame:
    """The table of a CSV file, with names of sessions, containers and mice as text.

    Only the empty text is missing: "nan" may be the reason why a cell is left out.

    Parameters
    ----------
    path : Path
        CSV file with a header.

    Returns
    -------
    pandas.DataFrame
        Its rows.
    """
    return pd.read_csv(path, dtype=NAMES, keep_default_na=False, na_values=[""])


def write_table(frame: pd.DataFrame, path: Path, **names: str | int) -> None:
    """Write a table as CSV, without its index, numbers with nine significant digits.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows.
    path : Path
        File to write; it is whole or absent.
    **names : str or int
        Columns that come first, each of one value, such as model and seed.
    """
    named = frame.assign(**names)[[*names, *frame]]
    with atomic_write(path) as temporary:
        named.to_csv(temporary, index=False, float_format="%.9g")


def labelled(frame: pd.DataFrame, **labels: str | int) -> pd.DataFrame:
    """A table with columns in front that are the same in all rows.

    Parameters
    ----------
    frame : pandas.DataFrame
        The other columns.
    **labels : str or int
        Name and value of each column.

    Examples
    --------
    >>> labelled(pd.DataFrame({"unit": [3, 5]}), model="trained", seed=0)
         model  seed  unit
    0  trained     0     3
    1  trained     0     5
    """
    return frame.assign(**labels)[[*labels, *frame.columns]]


def concatenate(*, out: Path, parts: list[Path]) -> None:
    """Join CSV tables with the same columns into one, in the order given.

    Cells are copied as text: no value is parsed, rounded or lost.

    Raises
    ------
    InputError
        A part's columns differ from those of the first.
    """
    with atomic_write(out) as temporary, open(temporary, "w", newline="") as target:
        columns = None
        for part in parts:
            with open(part, newline="") as source:
                rows = csv.reader(source)
                header = next(rows, [])
                if columns is None:
                    columns = header
                    csv.writer(target, lineterminator="\n").writerow(columns)
                if header != columns:
                    raise InputError(
                        f"{part}: columns {header} differ from {columns} of {parts[0]}: "
                        "remove both files and run again"
                    )
                csv.writer(target, lineterminator="\n").writerows(rows)

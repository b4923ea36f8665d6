"""Tidy CSV tables: read, written and joined in one way everywhere."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from glasscortex.data.definitions import of_metadata
from glasscortex.errors import InputError
from glasscortex.files import sealed_write, verified
from glasscortex.tasks import Definitions

NAMES = dict.fromkeys(["session_id", "container_id", "mouse", "repeats"], str)
"""Columns whose text is a name, be it "007" or "NA"; repeats may be "all"."""

DIGITS = "%.9g"


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

    Raises
    ------
    InputError
        The file is not as `write_table` left it.
    """
    return pd.read_csv(verified(path), dtype=NAMES, keep_default_na=False, na_values=[""])


def parts_of_sessions(
    sessions: Path, folder: Path, suffix: str, *, held_out: Sequence[bool]
) -> list[Path]:
    """The files of sessions in a folder, in the order of the table of sessions.

    A command names table and folder, since a thousand names are more than one can hold.

    Parameters
    ----------
    sessions : pathlib.Path
        Table of sessions.
    folder : pathlib.Path
        Of `<session><suffix>`.
    suffix : str
        Such as ".csv".
    held_out : sequence of bool
        True for those that are held out, False for the others.

    Returns
    -------
    list of pathlib.Path
        A file a session.
    """
    table = read_table(sessions)
    asked = table.loc[table["held_out"].isin(held_out), "session_id"]
    return [folder / f"{session}{suffix}" for session in asked]


def read_trials(path: Path) -> pd.DataFrame:
    """Read a table of presentations.

    Parameters
    ----------
    path : pathlib.Path
        The Parquet that the stage `trials` or `combine` wrote.

    Returns
    -------
    pandas.DataFrame
        Its rows.

    Raises
    ------
    InputError
        The file is not as it was written.
    """
    return pd.read_parquet(verified(path))


def read_definitions(path: Path) -> Definitions:
    """What the variables and tasks of a table of presentations are.

    Parameters
    ----------
    path : pathlib.Path
        The Parquet that the stage `trials` or `combine` wrote.

    Returns
    -------
    Definitions
        Allen's, and those of the run's own that the file holds.

    Raises
    ------
    InputError
        The file is not as it was written.
    """
    return of_metadata(pq.read_schema(verified(path)).metadata)


def write_table(
    frame: pd.DataFrame, path: Path, *, float_format: str | None = DIGITS, **labels: str | int
) -> None:
    """Write a table as CSV, without its index.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows.
    path : Path
        File to write; it is whole or absent.
    float_format : str, optional
        How numbers are written: by default with nine significant digits, with None as exactly as
        they are.
    **labels : str or int
        Columns that come first, each of one value, such as model and seed.
    """
    labelled = frame.assign(**labels)[[*labels, *frame]]
    with sealed_write(path) as temporary:
        labelled.to_csv(temporary, index=False, float_format=float_format)


def concatenate(*, out: Path, parts: list[Path]) -> None:
    """Join CSV tables with the same columns into one, in the order given.

    Cells are copied as text: no value is parsed, rounded or lost.

    Raises
    ------
    InputError
        A part's columns differ from those of the first, or it is not as it was written.
    """
    with sealed_write(out) as temporary, open(temporary, "w", newline="") as target:
        columns = None
        for part in parts:
            with open(verified(part), newline="") as source:
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

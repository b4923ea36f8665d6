"""Tidy CSV tables, part by part and whole."""

import csv
from pathlib import Path

from glasscortex.errors import InputError
from glasscortex.files import atomic_write


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

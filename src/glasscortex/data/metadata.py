"""Who and where was recorded, as the words of a file say it."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from glasscortex.errors import InputError

UNKNOWN = "unknown"
SEXES = {"m": "male", "male": "male", "f": "female", "female": "female"}

DAYS = {
    **dict.fromkeys(("", "d", "day"), 1.0),
    **dict.fromkeys(("w", "wk", "week"), 7.0),
    **dict.fromkeys(("m", "mo", "month"), 30.4),
    **dict.fromkeys(("y", "yr", "year"), 365.25),
}
MICRONS = {
    **dict.fromkeys(("", "um", "µm", "μm", "micron", "micrometer", "micrometre"), 1.0),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1e3),
}
"""Units of ages and depths by name, a plural's s left out."""

LONGEST_ID = 200
"""Bytes of a session's id, which is part of file names; file systems take 255."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Metadata:
    """Who and where was recorded; "unknown" (depth, age: NaN) where nothing says so."""

    session_id: str
    container_id: str
    mouse: str
    cre_line: str
    area: str
    depth_um: float
    session_type: str
    sex: str
    age_days: float

    @classmethod
    def of_row(cls, row: Mapping[str, str]) -> "Metadata":
        """The metadata in a row of sessions.csv.

        Raises
        ------
        InputError
            The row lacks a column, or a number is none.
        """
        try:
            values: dict[str, Any] = {field.name: row[field.name] for field in fields(cls)}
            for name in ("depth_um", "age_days"):
                values[name] = float(values[name] or "nan")
        except (KeyError, ValueError) as error:
            raise InputError(
                f"a row of sessions.csv cannot be used ({error}): remove sessions.csv, then run "
                "the same command again"
            ) from None
        return cls(**values)


@dataclass(frozen=True)
class Written:
    """What a file says of who and where, word for word; "unknown" where it says nothing."""

    session_id: str = UNKNOWN
    container_id: str = UNKNOWN
    mouse: str = UNKNOWN
    genotype: str = UNKNOWN
    specimen: str = UNKNOWN
    area: str = UNKNOWN
    depth: str = UNKNOWN
    session_type: str = UNKNOWN
    sex: str = UNKNOWN
    age: str = UNKNOWN


def understood(path: Path, written: Written) -> Metadata:
    """The metadata that a file's words stand for.

    Depth and age are taken in any usual unit, and are unknown, with a warning, where the text is
    none of these. An unknown session takes the file's name, an unknown mouse the id of its
    container, and an unknown container that of its session, so that two animals are never merged.

    Parameters
    ----------
    path : Path
        The file.
    written : Written
        What it says.

    Raises
    ------
    InputError
        An id cannot be part of a file's name.
    """

    def measured(what: str, text: str, units: Mapping[str, float]) -> float:
        value = quantity(text, units)
        if value < 1:
            text, value = text if value else UNKNOWN, float("nan")
        if text != UNKNOWN and value != value:
            logger.warning(
                "%s: the %s '%s' is not understood and counts as unknown: write a number and its "
                "unit",
                path,
                what,
                text,
            )
        return value

    session_id, container_id, mouse = written.session_id, written.container_id, written.mouse
    if session_id == UNKNOWN:
        session_id = Path(path.name.removesuffix(".zarr")).stem
    if container_id == UNKNOWN:
        container_id = session_id
    for name in (session_id, container_id):
        _check_id(path, name)
    return Metadata(
        session_id=session_id,
        container_id=container_id,
        mouse=container_id if mouse == UNKNOWN else mouse,
        cre_line=cre_line(written.genotype, written.specimen),
        area=written.area,
        depth_um=measured("depth", written.depth, MICRONS),
        session_type=written.session_type,
        sex=SEXES.get(written.sex.lower(), UNKNOWN),
        age_days=measured("age", written.age, DAYS),
    )


def quantity(text: str, units: Mapping[str, float]) -> float:
    """Numbers and their units, added; NaN where a text is anything else.

    ISO 8601's durations are read, too, as far as they count days and longer.

    Parameters
    ----------
    text : str
        Such as "P3M", "14 weeks" or "175 microns".
    units : mapping of str to float
        What each unit is worth.

    Examples
    --------
    >>> quantity("14 weeks", DAYS), quantity("P1Y2D", DAYS), quantity("0.175 mm", MICRONS)
    (98.0, 367.25, 175.0)
    >>> quantity("12-14 weeks", DAYS)
    nan
    """
    part = r"(\d+(?:\.\d*)?|\.\d+)\s*([^\W\d_]+)\.?"
    words = text.strip().lower()
    if re.fullmatch(r"\d+(?:\.\d*)?|\.\d+", words):
        return float(words) * units[""]
    if not re.fullmatch(rf"p?(?:{part}[\s,]*)+", words):
        return float("nan")
    found = [(float(n), units.get(u, units.get(u.rstrip("s")))) for n, u in re.findall(part, words)]
    known = [number * unit for number, unit in found if unit is not None]
    return float(round(sum(known), 6)) if len(known) == len(found) else float("nan")


def cre_line(genotype: str, specimen: str) -> str:
    """The driver line that a genotype or else the name of a specimen tells.

    Examples
    --------
    >>> cre_line("Rbp4-Cre_KL100/wt;Ai93/wt", "unknown")
    'Rbp4-Cre_KL100'
    >>> cre_line("unknown", "Cux2-CreERT2-301000")
    'Cux2-CreERT2'
    """
    named = re.sub(r"-\d+$", "", specimen)  # a specimen is numbered, a line is not
    found = re.search(r"[^;/\s]+-Cre[^;/\s]*", f"{genotype};{named}")
    return found[0] if found else UNKNOWN


def _check_id(path: Path, name: str) -> None:
    """Ids become parts of file names, of names of cells, and wildcards of Snakemake."""
    bad = sorted({letter for letter in name if letter in "/\\{}<>" or not letter.isprintable()})
    if bad:
        letters = " ".join("slash" if letter == "/" else repr(letter)[1:-1] for letter in bad)
        raise InputError(f"{path}: the id {name!r} holds a {letters}: mend it in the file")
    if len(name.encode()) > LONGEST_ID:
        raise InputError(
            f"{path}: the id {name[:20]}… is longer than {LONGEST_ID} bytes: shorten it in the file"
        )

"""Who and where was recorded, as a file of the Allen layout says it."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from glasscortex.data.hdf5 import Hdf5File
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


def metadata(file: Hdf5File) -> Metadata:
    """The metadata of a recording.

    Depth and age are taken in any usual unit, and are unknown, with a warning, where the text is
    none of these. An unknown mouse takes the id of its container, an unknown container that of
    its session, so that two animals are never merged.

    Parameters
    ----------
    file : Hdf5File
        An open recording.

    Raises
    ------
    InputError
        A text cannot be read, or an id cannot be part of a file's name.
    """

    def text(*keys: str) -> str:
        """The first of the named strings that says something."""
        for key in (f"general/{key}" for key in keys):
            said = file.texts(key)[0].strip() if key in file and file.texts(key) else ""
            if said and said.lower() != UNKNOWN:
                return said
        return UNKNOWN

    def measured(what: str, written: str, units: Mapping[str, float], least: float) -> float:
        value = quantity(written, units)
        if value < least:
            written, value = written if value else UNKNOWN, float("nan")
        if written != UNKNOWN and value != value:
            logger.warning(
                "%s: the %s '%s' is not understood and counts as unknown: write a number and its "
                "unit",
                file.path,
                what,
                written,
            )
        return value

    plane = "optophysiology/imaging_plane_1"
    session_id = text("session_id", "ophys_experiment_id")
    if session_id == UNKNOWN:
        session_id = file.path.stem
    container_id = text("experiment_container_id")
    if container_id == UNKNOWN:
        container_id = session_id
    mouse = text("specimen_name", "subject/subject_id")
    for name in (session_id, container_id):
        _check_id(file, name)
    depth = text(f"{plane}/imaging depth", f"{plane}/imaging_depth")
    return Metadata(
        session_id=session_id,
        container_id=container_id,
        mouse=container_id if mouse == UNKNOWN else mouse,
        cre_line=cre_line(text("subject/genotype"), text("specimen_name")),
        area=text("targeted_structure", f"{plane}/location"),
        depth_um=measured("depth", depth, MICRONS, 1.0),
        session_type=text("session_type"),
        sex=SEXES.get(text("subject/sex").lower(), UNKNOWN),
        age_days=measured("age", text("subject/age"), DAYS, 1.0),
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


def _check_id(file: Hdf5File, name: str) -> None:
    """Ids become parts of file names, of names of cells, and wildcards of Snakemake."""
    bad = sorted({letter for letter in name if letter in "/\\{}<>" or not letter.isprintable()})
    if bad:
        letters = " ".join("slash" if letter == "/" else repr(letter)[1:-1] for letter in bad)
        raise InputError(f"{file.path}: the id {name!r} holds a {letters}: mend it in the file")
    if len(name.encode()) > LONGEST_ID:
        raise InputError(
            f"{file.path}: the id {name[:20]}… is longer than {LONGEST_ID} bytes: shorten it in "
            "the file"
        )

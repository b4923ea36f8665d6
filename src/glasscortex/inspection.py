"""What is in a recording or a folder of them, in words: `glasscortex inspect`."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glasscortex.config import TrialsConfig
from glasscortex.config.data import TAKEN
from glasscortex.data.inspection import Inspected, Table, inspected, is_known
from glasscortex.errors import InputError
from glasscortex.local import recordings_in, zarr_of
from glasscortex.words import MOVIES

SIGNALS = {
    "dff": "ΔF/F",
    "fluorescence": "fluorescence",
    "neuropil": "neuropil",
    "neuropil_r": "its r",
}
SHORTEST_S, LONGEST_S = 0.1, 60.0
"""Of a window that is suggested."""


def inspection(path: Path) -> str:
    """All there is to say about a recording, or about each in a folder.

    Parameters
    ----------
    path : Path
        A file, a Zarr folder, or a folder of these.

    Returns
    -------
    str
        Plain text, several lines.

    Raises
    ------
    InputError
        There is nothing, or the one recording cannot be used.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder: check the path")
    if path.is_dir() and not (zarr_of(path) and path.suffix == ".zarr"):
        return _folder(path)
    found = inspected(path)
    return "\n\n".join([_recording(found), _configuration(path.parent, [found])])


def _folder(folder: Path) -> str:
    paths = recordings_in(folder)
    if not paths:
        raise InputError(f"{folder} holds no *.nwb file and no *.zarr folder: give another")
    found, broken = [], {}
    for path in paths:
        try:
            found.append(inspected(path))
        except InputError as error:
            broken[path] = str(error)
    rows = [("file", "session", "mouse", "Cre line", "area", "µm", "cells", "Hz", "min", "stimuli")]
    for one in found:
        about = one.metadata
        rows.append(
            (
                str(one.path.relative_to(folder)),
                *(about.session_id, about.mouse, about.cre_line, about.area),
                _number(about.depth_um),
                *(str(one.cells), f"{one.frame_rate_hz:.4g}", f"{one.minutes:.0f}"),
                ", ".join(one.tables) or "none",
            )
        )
    parts = [f"{folder}: {len(paths)} recordings, {len(broken)} of them cannot be used"]
    if found:
        parts.append(_aligned(rows))
    if broken:
        parts.append("\n".join(["cannot be used", *(f"  - {line}" for line in broken.values())]))
    odd = [(one.path.name, line) for one in found for line in one.oddities]
    if odd:
        told: dict[str, list[str]] = {}
        for name, line in odd:
            told.setdefault(line, []).append(name)
        lines = [f"  - {line} ({_names(names, len(found))})" for line, names in told.items()]
        parts.append("\n".join(["looks odd", *lines]))
    if found:
        parts += [_summary(found), _configuration(folder, found)]
    return "\n\n".join(parts)


def _names(names: list[str], all_: int) -> str:
    if len(names) == all_:
        return "all"
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _summary(found: list[Inspected]) -> str:
    mice = {one.metadata.mouse for one in found}
    tasks = {task: sum(task in one.tasks for one in found) for one in found for task in one.tasks}
    told = ", ".join(f"{task} ({count})" for task, count in tasks.items()) or "none"
    return (
        f"{len(found)} sessions of {len(mice)} mice, {sum(one.cells for one in found)} cells, "
        f"{sum(one.minutes for one in found) / 60:.1f} h\ntasks, and in how many sessions: {told}"
    )


def _recording(one: Inspected) -> str:
    about = one.metadata
    rows = [
        ("session", f"{about.session_id} ({about.session_type}), container {about.container_id}"),
        ("mouse", f"{about.mouse}, {about.cre_line}, {about.sex}, {_number(about.age_days)} days"),
        ("imaged", f"{about.area}, {_number(about.depth_um)} µm"),
        ("cells", str(one.cells)),
        ("frames", f"{one.frames:,} at {one.frame_rate_hz:.4g} Hz, {one.minutes:.1f} min"),
        ("signals", ", ".join(word for key, word in SIGNALS.items() if key in one.signals)),
        ("behaviour", ", ".join(f"{k} ({v:.0%} of frames)" for k, v in one.behaviour.items())),
        ("tasks", ", ".join(one.tasks)),
    ]
    parts = [f"{one.path}", _aligned([(f"  {name}", text or "none") for name, text in rows])]
    if one.tables:
        shown = [(f"  {name}", *_shown(name, table)) for name, table in one.tables.items()]
        parts.append("\n".join(["shown", _aligned(shown)]))
    if one.oddities:
        parts.append("\n".join(["looks odd", *(f"  - {line}" for line in one.oddities)]))
    return "\n\n".join(parts)


def _shown(name: str, table: Table) -> tuple[str, str]:
    """How much of a stimulus was shown, and what of it."""
    if name == "spontaneous":
        return f"{table.rows} × {table.seconds:.3g} s", ""
    much = f"{table.rows} × {table.seconds:.2g} s"
    if name in MOVIES:
        (repeats,) = table.classes.values()
        return much, f"{len(repeats)} frames × {_span(repeats)}"
    if not table.classes:
        return much, f"columns {', '.join(table.columns)}" if not is_known(name) else ""
    classes = [f"{variable} {len(n)} × {_span(n)}" for variable, n in table.classes.items()]
    return much, ", ".join(classes + [f"{table.blanks} blank"] * bool(table.blanks))


def _span(counts: np.ndarray) -> str:
    least, most = int(counts.min()), int(counts.max())
    return f"{least}" if least == most else f"{least}–{most}"


def _configuration(folder: Path, found: list[Inspected]) -> str:
    """Lines for a configuration file that suit these recordings."""
    lines = ["source: local", f"nwb: {folder}", "results: results"]
    have = frozenset.intersection(*(one.signals for one in found))
    if "fluorescence" not in have:
        lines += ["preprocess:", "  dff: stored"]
    elif "neuropil_r" not in have:
        neuropil = "fitted" if "neuropil" in have else "none"
        lines += ["preprocess:", f"  neuropil: {neuropil}"]
    windows = _windows(found)
    if windows:
        lines += ["trials:", "  window_s:"]
        lines += [f"    {name}: {seconds:g}" for name, seconds in windows.items()]
    variables = _variables(found)
    if variables:
        lines += ["  variables:  # guessed: correct them as docs/own_tasks.md says, or strike them"]
        lines += [f"    {name}: {{{about}}}" for name, about in variables.items()]
    return "\n".join(
        ["to decode it, put this into a file and run `snakemake --configfile FILE --cores 2`"]
        + [f"  {line}" for line in lines]
    )


def _windows(found: list[Inspected]) -> dict[str, float]:
    """The usual window of each known stimulus, none longer than a grating, and of own tables."""
    usual = TrialsConfig().window_s
    windows: dict[str, float] = {}
    for one in found:
        for name, table in one.tables.items():
            if name in usual:
                windows.setdefault(name, usual[name])
            if name == "drifting_gratings":  # flashed images are answered after they are gone
                windows[name] = min(windows[name], max(SHORTEST_S, round(table.seconds, 2)))
            if table.kinds:
                lasts = min(max(SHORTEST_S, round(table.seconds, 2)), LONGEST_S)
                windows.setdefault(name, lasts)
    return windows


def _variables(found: list[Inspected]) -> dict[str, str]:
    """What own tables may tell, as the configuration defines it, by name."""
    tables = {name: table for one in found for name, table in one.tables.items()}
    variables: dict[str, str] = {}
    for name, table in tables.items():
        for column, kind in table.kinds.items():
            own = re.sub(r"\W", "_", column)
            if own in variables or own in TAKEN or not own[:1].isalpha():
                own = re.sub(r"\W", "_", f"{name}_{column}")
            where = f"table: {json.dumps(name)}, column: {json.dumps(column)}"
            variables[own] = f"{where}, kind: {kind}"
    return variables


def _number(value: float) -> str:
    return "unknown" if value != value else f"{value:g}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )

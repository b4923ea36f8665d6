"""What is in a recording, what can be decoded from it, and what looks wrong."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd

from glasscortex.data.definitions import NO_TEXT, numbers
from glasscortex.data.labels import variables_shown
from glasscortex.data.metadata import UNKNOWN, Metadata
from glasscortex.data.nwb import read
from glasscortex.data.recording import Recording
from glasscortex.tasks import ALLEN, Kind
from glasscortex.words import MOVIES, StimulusName

FEWEST_REPEATS = 8
"""Of a class, below which a split in time leaves hardly any to test on."""

TRUNCATED = 3
"""Rows of static gratings in the Allen's files on DANDI (000728), which lack the rest."""


@dataclass(frozen=True)
class Table:
    """What a stimulus table holds."""

    rows: int
    seconds: float
    """Median of a presentation."""
    total_s: float
    """Of all presentations together."""
    classes: dict[str, np.ndarray]
    """How often each value of a variable was shown, (values,), by variable."""
    blanks: int
    """Presentations of nothing."""
    columns: tuple[str, ...]
    """Beside start and end."""
    kinds: dict[str, Kind]
    """Of a table that is none of Allen's, what its columns may be; see `likely_kind`."""


@dataclass(frozen=True)
class Inspected:
    """What is in a recording."""

    path: Path
    metadata: Metadata
    cells: int
    frames: int
    frame_rate_hz: float
    minutes: float
    signals: frozenset[str]
    """See `Recording.signals`."""
    behaviour: dict[str, float]
    """Share of the frames on which each was measured."""
    tables: dict[str, Table]
    tasks: tuple[str, ...]
    """Those of Allen's that it has at least two classes of, or values."""
    oddities: tuple[str, ...]
    """What looks wrong, a line each."""


def inspected(path: Path) -> Inspected:
    """Read a recording and tell what is in it.

    Parameters
    ----------
    path : Path
        A recording of any format.

    Raises
    ------
    InputError
        It cannot be used.
    """
    with _warnings() as warned:
        recording = read(path)
        recording.check_traces()
    tables = {name: _table(name, columns, recording) for name, columns in recording.stimuli.items()}
    behaviour = {
        name: float(np.isfinite(trace).mean()) for name, trace in recording.behaviour.items()
    }
    found = Inspected(
        path=Path(path),
        metadata=recording.metadata,
        cells=len(recording.cell_specimen_ids),
        frames=len(recording.time),
        frame_rate_hz=recording.frame_rate_hz,
        minutes=(recording.time[-1] - recording.time[0]) / 60,
        signals=recording.signals,
        behaviour=behaviour,
        tables=tables,
        tasks=_tasks(tables, behaviour),
        oddities=(),
    )
    said = [line.removeprefix(f"{recording.path}: ") for line in warned]
    return _with(found, oddities=(*said, *_oddities(found)))


def _with(found: Inspected, **changes) -> Inspected:
    return Inspected(**{f.name: getattr(found, f.name) for f in fields(found)} | changes)


def _table(name: str, columns: dict[str, np.ndarray], recording: Recording) -> Table:
    edges = np.append(recording.time, recording.time[-1] + 1 / recording.frame_rate_hz)
    lasted = edges[columns["end"]] - edges[columns["start"]]
    rows = pd.DataFrame(columns)
    shown = variables_shown(name, rows)
    if name in MOVIES:
        shown = pd.DataFrame({"movie_frame": rows["index"]})
    known = shown.dropna(how="all")
    named = tuple(column for column in columns if column not in ("start", "end"))
    kinds = {column: likely_kind(columns[column]) for column in named if not is_known(name)}
    return Table(
        rows=len(rows),
        seconds=float(np.median(lasted)),
        total_s=float(lasted.sum()),
        classes={
            variable: values.value_counts().to_numpy()
            for variable, values in shown.items()
            if values.notna().any()
        },
        blanks=len(shown) - len(known) if len(known) else 0,
        columns=named,
        kinds={column: kind for column, kind in kinds.items() if kind is not None},
    )


def likely_kind(values: np.ndarray) -> Kind | None:
    """What a column may be as a variable: a guess, since numbers may be names.

    Parameters
    ----------
    values : numpy.ndarray
        Numbers or text, (presentations,).

    Returns
    -------
    str or None
        None where nothing varies, or every text is another.

    Examples
    --------
    >>> likely_kind(np.tile([6.25, 12.5, 25.0], 30)), likely_kind(np.linspace(50, 70, 90))
    ('ordered', 'continuous')
    >>> likely_kind(np.array(["cat", "dog", "cat", "dog"])), likely_kind(np.ones(9))
    ('categorical', None)
    """
    as_numbers = numbers(values)
    if as_numbers is None:
        texts = values.astype(str)
        classes = set(texts.tolist()) - {*NO_TEXT}
        return "categorical" if 1 < len(classes) <= len(texts) / 2 else None
    known = as_numbers[np.isfinite(as_numbers)]
    number = len(np.unique(known))
    if number <= 2:
        return "categorical" if number == 2 else None
    return "ordered" if number <= len(known) / FEWEST_REPEATS else "continuous"


def _tasks(tables: dict[str, Table], behaviour: dict[str, float]) -> tuple[str, ...]:
    def has(task) -> bool:
        if task.stimulus is None:
            return bool(tables) and behaviour.get(task.variable.name, 0) > 0
        table = tables.get(task.stimulus)
        return table is not None and len(table.classes.get(task.variable.name, ())) > 1

    return tuple(name for name, task in ALLEN.tasks.items() if has(task))


def _oddities(found: Inspected) -> Iterator[str]:
    if "dff" not in found.signals:
        yield "it holds no ΔF/F: preprocess.dff cannot be stored"
    if "fluorescence" not in found.signals:
        yield "it holds no fluorescence: its ΔF/F is used as it is (preprocess.dff: stored)"
    elif "neuropil" not in found.signals:
        yield "it holds no neuropil: its fluorescence is used uncorrected"
    elif "neuropil_r" not in found.signals:
        yield "it holds neuropil without its r: set preprocess.neuropil to fitted or to a number"
    for name in ("running_speed", "pupil"):
        if name not in found.behaviour:
            yield f"{name} was not measured, or has a name that is not known"
    unknown = [
        what
        for what, value in (
            ("Cre line", found.metadata.cre_line),
            ("area", found.metadata.area),
            ("depth", found.metadata.depth_um),
        )
        if value == UNKNOWN or value != value
    ]
    if unknown:
        yield f"{', '.join(unknown)} unknown: it takes no part in claims about them"
    if not found.tables:
        yield "it holds no table of what was shown"
    for name, table in found.tables.items():
        few = [
            variable
            for variable, counts in table.classes.items()
            if name not in MOVIES and counts.min() < FEWEST_REPEATS
        ]
        if name == "static_gratings" and table.rows == TRUNCATED:
            yield "static_gratings has 3 rows, as in all files of DANDI 000728: it lost the others"
        elif few:
            yield f"{name} shows a class of {', '.join(few)} fewer than {FEWEST_REPEATS} times"


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """The warnings that are logged in the block, which nobody else is told."""
    found: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    logger = logging.getLogger("glasscortex")
    handler, propagated = Kept(logging.WARNING), logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield found
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated


def is_known(stimulus: str) -> bool:
    """Whether a stimulus is one that the Allen Brain Observatory shows."""
    return stimulus in get_args(StimulusName)

"""The trials table: every presentation with its labels, its window and its split."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from glasscortex.config import TrialsConfig
from glasscortex.data.labels import with_labels
from glasscortex.data.splits import blocks, split_in_time, with_gaps
from glasscortex.data.store import StoredSession, verify
from glasscortex.data.windows import frames_of, write_windows
from glasscortex.errors import InputError
from glasscortex.files import atomic_write
from glasscortex.tasks import TASKS, variables
from glasscortex.words import MOVIES, SPLITS

MOVIE_RATE_HZ = 30.0
"""Movie frames shown a second."""

LABELS = tuple(variables("stimulus", "behaviour"))

SCHEMA = pa.schema(
    [
        ("session_id", pa.string()),
        ("stimulus", pa.string()),
        ("presentation", pa.int32()),
        ("block", pa.int16()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("window_start", pa.int64()),
        ("window_stop", pa.int64()),
        ("split", pa.string()),
        *((name, pa.float32()) for name in LABELS),
        *((task.column, pa.float32()) for task in TASKS.values()),
    ]
)
"""Columns of the trials table."""

logger = logging.getLogger(__name__)


def extract(
    *, store: Path, manifest: Path, trials: Path, windows: Path, config: TrialsConfig
) -> None:
    """Write one session's trials table and windows.

    A presentation whose window leaves the recording is left out, and counted in the log. A
    task that lacks a class in a split is warned of.

    Parameters
    ----------
    store, manifest
        The preprocessed session.
    trials
        Parquet file to write, see `tabulate`.
    windows
        HDF5 file to write, see `glasscortex.data.windows.write_windows`.
    config
        The signal, windows, rate and fractions.

    Raises
    ------
    InputError
        The store is damaged, holds no events to cut, or the session shows no stimulus of
        `config.window_s`.
    """
    verify(store, manifest)
    session = StoredSession(store)
    table = tabulate(session, config)
    _warn_of_missing_classes(table, session.session_id)
    with atomic_write(windows) as temporary:
        write_windows(
            temporary,
            session_id=session.session_id,
            cells=session.cells,
            dff=getattr(session, config.signal),
            trials=table,
            samples={s: frames_of(w, config.sample_rate_hz) for s, w in config.window_s.items()},
            sample_rate_hz=config.sample_rate_hz,
        )
    with atomic_write(trials) as temporary:
        table.to_parquet(temporary, index=False, schema=SCHEMA)


def tabulate(session: StoredSession, config: TrialsConfig) -> pd.DataFrame:
    """The trials table of one session.

    Returns
    -------
    pandas.DataFrame
        One row a presentation (movies: a bin of one repeat; spontaneous: a window), ordered
        by stimulus and time: session_id, stimulus, presentation (row within the stimulus),
        block, start_s, end_s, window_start, window_stop (imaging frames, half-open), split
        (train, validation, test, gap), then the variables, and the labels of every task (see
        `task_labels`), NaN where they do not apply.

    Raises
    ------
    InputError
        The session shows no stimulus of `config.window_s`.
    """
    time, rate = session.time, session.frame_rate_hz
    edges = np.append(time, time[-1] + 1 / rate)
    parts = []
    for stimulus, columns in session.stimuli().items():
        if stimulus not in config.window_s:
            continue
        frames = frames_of(config.window_s[stimulus], rate)
        shown = _presentations(stimulus, columns, frames, config.movie_bin_s)
        shown.insert(0, "stimulus", stimulus)
        shown["window_start"] = shown["start"]
        shown["window_stop"] = shown["start"] + frames
        parts.append(shown[shown.window_stop <= len(time)])
        if len(parts[-1]) < len(shown):
            logger.info(
                "session %s: %d of %d presentations of %s left out, their window ends after "
                "the recording",
                session.session_id,
                len(shown) - len(parts[-1]),
                len(shown),
                stimulus,
            )
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    if table.empty:
        raise InputError(
            f"session {session.session_id} shows none of the stimuli of trials.window_s: leave it "
            "out with select.session_ids or add its stimuli there"
        )
    table["session_id"] = session.session_id
    table["presentation"] = table.groupby("stimulus").cumcount().astype(np.int32)
    table["start_s"], table["end_s"] = edges[table["start"]], edges[table["end"]]
    table["block"] = blocks(table["stimulus"], table["start_s"], table["end_s"])
    table["split"] = _splits(table, config)
    for variable, trace in session.behaviour().items():
        table[variable] = _window_means(trace, table["window_start"], table["window_stop"])
    table = table.reindex(columns=SCHEMA.names).astype(dict.fromkeys(LABELS, np.float32))
    return with_labels(table)


def _presentations(
    stimulus: str, columns: dict[str, np.ndarray], frames: int, movie_bin_s: float
) -> pd.DataFrame:
    """Presentations of one stimulus: start and end (frames), unit (see splits) and labels."""
    shown = pd.DataFrame(columns)
    if stimulus in MOVIES:
        return _movie_bins(shown, movie_bin_s)
    if stimulus == "spontaneous":
        shown = _consecutive(shown, frames)
    labels = shown[["start", "end"]].assign(unit=np.arange(len(shown)))
    # reindex: a column that the file lacks is a label of NaN
    if stimulus == "drifting_gratings":
        shown = shown.reindex(columns=["orientation", "temporal_frequency", "blank_sweep"])
        shown = shown[shown["blank_sweep"] != 1].reindex(shown.index)
        labels["direction"] = shown["orientation"]
        labels["orientation"] = shown["orientation"] % 180
        labels["temporal_frequency"] = shown["temporal_frequency"]
    elif stimulus == "static_gratings":
        variables = ["orientation", "spatial_frequency", "phase"]
        labels[variables] = shown.reindex(columns=variables)
    elif stimulus == "natural_scenes":
        labels["scene"] = shown["index"].where(shown["index"] >= 0)
    return labels


def _movie_bins(shown: pd.DataFrame, bin_s: float) -> pd.DataFrame:
    """One row a bin of one repeat, from one row a movie frame."""
    repeat = (shown["index"].diff() < 0).cumsum()
    bins = shown["index"] // round(bin_s * MOVIE_RATE_HZ)
    binned = shown.groupby([repeat.rename("unit"), bins.rename("movie_frame")])
    return binned.agg(start=("start", "first"), end=("end", "last")).reset_index()


def _consecutive(episodes: pd.DataFrame, frames: int) -> pd.DataFrame:
    """The whole windows that fit into each episode, one after the other."""
    starts = [
        first
        for start, end in zip(episodes["start"], episodes["end"], strict=True)
        for first in range(start, end - frames + 1, frames)
    ]
    start = np.array(starts, dtype=np.int64)
    return pd.DataFrame({"start": start, "end": start + frames})


def _splits(table: pd.DataFrame, config: TrialsConfig) -> np.ndarray:
    split = np.empty(len(table), dtype=object)
    for _, rows in table.groupby("stimulus"):
        split[rows.index] = split_in_time(
            rows["block"].to_numpy(),
            rows["unit"].to_numpy(),
            rows[rows.columns.intersection(variables("stimulus"))],
            config.split,
        )
    return with_gaps(table["window_start"].to_numpy(), table["window_stop"].to_numpy(), split)


def _window_means(trace: np.ndarray, start: pd.Series, stop: pd.Series) -> np.ndarray:
    """Mean of what was measured in each window; NaN where nothing was (windows,)."""
    measured = np.isfinite(trace)
    count = np.append(0, measured.cumsum())
    total = np.append(0, np.where(measured, trace, 0).cumsum(dtype=np.float64))
    n = count[stop] - count[start]
    return np.divide(total[stop] - total[start], n, out=np.full(len(n), np.nan), where=n > 0)


def _warn_of_missing_classes(trials: pd.DataFrame, session_id: str) -> None:
    for task in TASKS.values():
        if task.is_regression:
            continue
        labels = trials[task.column]
        known = set(labels.dropna())
        for split in SPLITS:
            missing = known - set(labels[trials["split"] == split])
            if missing:
                logger.warning(
                    "session %s: task %s has no %s presentation of %s",
                    session_id,
                    task.name,
                    split,
                    ", ".join(f"{value:g}" for value in sorted(missing)),
                )


def combine(*, parts: list[Path], out: Path, tasks: tuple[str, ...] | str) -> None:
    """Concatenate the trials tables of all sessions, in order.

    Parameters
    ----------
    parts
        Trials tables, one a session.
    out
        Parquet file to write.
    tasks
        Names of the tasks to decode, or "all" for those that the sessions allow.

    Raises
    ------
    InputError
        No session has two classes of a named task in its train split.
    """
    unsupported = set() if tasks == "all" else set(tasks)
    with atomic_write(out) as temporary:
        with pq.ParquetWriter(temporary, SCHEMA) as writer:
            for part in parts:
                table = pq.read_table(part, schema=SCHEMA)
                writer.write_table(table)
                unsupported = {
                    name
                    for name in unsupported
                    if np.isnan(table[TASKS[name].column].to_numpy()).all()
                }
        if unsupported:
            raise InputError(
                f"tasks: no session has two classes of {', '.join(sorted(unsupported))} in its "
                "train split: remove it from tasks or select sessions that show its stimulus"
            )

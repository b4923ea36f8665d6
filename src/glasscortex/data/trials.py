"""The trials table: every presentation with its labels, its window and its split."""

import logging
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from glasscortex.config import TrialsConfig
from glasscortex.data.definitions import definitions_of, metadata
from glasscortex.data.labels import variables_shown, with_labels
from glasscortex.data.splits import blocks, split_in_time, with_gaps
from glasscortex.data.store import StoredSession
from glasscortex.data.windows import frames_of
from glasscortex.errors import InputError
from glasscortex.tasks import Definitions, label_column
from glasscortex.words import MOVIES, SPLITS

MOVIE_RATE_HZ = 30.0
"""Movie frames shown a second."""

logger = logging.getLogger(__name__)


def schema(definitions: Definitions) -> pa.Schema:
    """Columns of the trials table on disk, and in its metadata what a run's own ones are.

    Parameters
    ----------
    definitions : Definitions
        Which variables and tasks there are.
    """
    labels = [*definitions.at("stimulus", "behaviour"), *map(label_column, definitions.tasks)]
    columns = [
        ("session_id", pa.string()),
        ("stimulus", pa.string()),
        ("presentation", pa.int32()),
        ("block", pa.int16()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("window_start", pa.int64()),
        ("window_stop", pa.int64()),
        ("split", pa.string()),
        *((name, pa.float32()) for name in labels),
    ]
    return pa.schema(columns, metadata(definitions))


def tabulate(session: StoredSession, config: TrialsConfig) -> tuple[pd.DataFrame, Definitions]:
    """The trials table of one session.

    A presentation whose window leaves the recording is left out, and counted in the log. A
    task that lacks a class in a split is warned of.

    Parameters
    ----------
    session : StoredSession
        Its stimuli, behaviour and times.
    config : TrialsConfig
        The windows, their rate, the fractions of the splits, and the run's own variables.

    Returns
    -------
    trials : pandas.DataFrame
        One row a presentation (movies: a bin of one repeat; spontaneous: a window), ordered
        by stimulus and time: session_id, stimulus, presentation (row within the stimulus),
        block, start_s, end_s, window_start, window_stop (imaging frames, half-open), split
        (train, validation, test, gap), then the variables, and the labels of every task (see
        `task_labels`), NaN where they do not apply.
    definitions : Definitions
        Of the variables and tasks, with the categories that the session shows.

    Raises
    ------
    InputError
        The session shows no stimulus of `config.window_s`, or a column is not as its variable says.
    """
    try:
        return _tabulate(session, config)
    except InputError as error:
        raise InputError(f"session {session.session_id}: {error}") from None


def _tabulate(session: StoredSession, config: TrialsConfig) -> tuple[pd.DataFrame, Definitions]:
    time, rate, stimuli = session.time, session.frame_rate_hz, session.stimuli()
    definitions = definitions_of(config.variables, stimuli)
    if unused := [stimulus for stimulus in stimuli if stimulus not in config.window_s]:
        logger.info(
            "session %s: %s not used, as trials.window_s does not name them",
            session.session_id,
            ", ".join(unused),
        )
    edges = np.append(time, time[-1] + 1 / rate)
    parts = []
    for stimulus, columns in stimuli.items():
        if stimulus not in config.window_s:
            continue
        frames = frames_of(config.window_s[stimulus], rate)
        rows = _presentations(stimulus, columns, frames, config.movie_bin_s, definitions)
        rows.insert(0, "stimulus", stimulus)
        rows["window_start"] = rows["start"]
        rows["window_stop"] = rows["start"] + frames
        parts.append(rows[rows["window_stop"] <= len(time)])
        if len(parts[-1]) < len(rows):
            logger.log(
                logging.INFO if len(parts[-1]) else logging.WARNING,
                "session %s: %d of %d presentations of %s left out, their window ends after "
                "the recording",
                session.session_id,
                len(rows) - len(parts[-1]),
                len(rows),
                stimulus,
            )
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    if table.empty:
        raise InputError(
            f"none of trials.window_s is shown, but {', '.join(stimuli) or 'nothing'}: leave the "
            "session out with select.session_ids or add its stimuli there"
        )
    table["session_id"] = session.session_id
    table["presentation"] = table.groupby("stimulus").cumcount().astype(np.int32)
    table["start_s"], table["end_s"] = edges[table["start"]], edges[table["end"]]
    table["block"] = blocks(table["stimulus"], table["start_s"], table["end_s"])
    table["split"] = _splits(table, config, definitions)
    for variable, trace in session.behaviour().items():
        table[variable] = _window_means(trace, table["window_start"], table["window_stop"])
    labels = definitions.at("stimulus", "behaviour")
    table = table.reindex(columns=schema(definitions).names)
    table = with_labels(table.astype(dict.fromkeys(labels, np.float32)), definitions)
    _warn_of_what_is_missing(table, session.session_id, stimuli, definitions)
    return table, definitions


def _presentations(
    stimulus: str,
    columns: dict[str, np.ndarray],
    frames: int,
    movie_bin_s: float,
    definitions: Definitions,
) -> pd.DataFrame:
    """Presentations of one stimulus: start and end (frames), unit (see splits) and labels."""
    rows = pd.DataFrame(columns)
    if stimulus in MOVIES:
        return _movie_bins(rows, movie_bin_s)
    if stimulus == "spontaneous":
        rows = _consecutive(rows, frames)
    placed = rows[["start", "end"]].assign(unit=np.arange(len(rows)))
    return placed.join(variables_shown(stimulus, rows, definitions))


def _movie_bins(rows: pd.DataFrame, bin_s: float) -> pd.DataFrame:
    """One row a bin of one repeat, from one row a movie frame."""
    repeat = (rows["index"].diff() < 0).cumsum()
    bins = rows["index"] // round(bin_s * MOVIE_RATE_HZ)
    binned = rows.groupby([repeat.rename("unit"), bins.rename("movie_frame")])
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


def _splits(table: pd.DataFrame, config: TrialsConfig, definitions: Definitions) -> np.ndarray:
    split = np.empty(len(table), dtype=object)
    variables = definitions.at("stimulus", "behaviour", classes=True)
    for _, rows in table.groupby("stimulus"):
        split[rows.index] = split_in_time(
            rows["block"].to_numpy(),
            rows["unit"].to_numpy(),
            rows[rows.columns.intersection(variables)],
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


def _warn_of_what_is_missing(
    trials: pd.DataFrame,
    session_id: str,
    stimuli: Mapping[str, object],
    definitions: Definitions,
) -> None:
    for task in definitions.own:
        if task.stimulus not in stimuli:
            logger.warning(
                "session %s: has no table %s, and so no %s; there are %s",
                session_id,
                task.stimulus,
                task.name,
                ", ".join(stimuli) or "none",
            )
    for task in definitions.tasks.values():
        if task.is_regression:
            continue
        labels = trials[label_column(task.name)]
        known = set(labels.dropna())
        for split in SPLITS:
            missing = known - set(labels[trials["split"] == split])
            if missing:
                logger.warning(
                    "session %s: task %s has no %s presentation of %s",
                    session_id,
                    task.name,
                    split,
                    ", ".join(map(task.variable.written, sorted(missing))),
                )

"""Which sessions are used: the rows of sessions.csv."""

import dataclasses
import hashlib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from glasscortex.config import SelectConfig
from glasscortex.data.metadata import Metadata
from glasscortex.data.nwb import read_metadata
from glasscortex.errors import InputError

COLUMNS = [*(field.name for field in dataclasses.fields(Metadata)), "held_out", "source"]


def select(sessions: pd.DataFrame, config: SelectConfig) -> pd.DataFrame:
    """The sessions of a source that pass the filters.

    Parameters
    ----------
    sessions : pandas.DataFrame
        All sessions of the source: the fields of `Metadata`, source and, for the filter of that
        name, eye_tracking.
    config : SelectConfig
        The filters.

    Returns
    -------
    pandas.DataFrame
        session_id, container_id, mouse, cre_line, area, depth_um, session_type, sex, age_days
        (numbers are NaN where unknown), held_out (prepared, but no decoder is trained on it),
        source ("simulated", "allen", or the NWB file's path, the user's or in the dandiset).

    Raises
    ------
    InputError
        An id is unknown to the source, no session passes the filters, or a container is of two
        mice.
    """
    selected = _limited(_filtered(sessions, config), config)[COLUMNS].reset_index(drop=True)
    _check_containers(selected)
    return selected


def local_sessions(files: Iterable[Path]) -> pd.DataFrame:
    """One row for each NWB file.

    Parameters
    ----------
    files : iterable of Path
        NWB files, in the order of the rows.

    Returns
    -------
    pandas.DataFrame
        The fields of `Metadata`, and source, the path.

    Raises
    ------
    InputError
        A file cannot be used, or two files are of one session.
    """
    rows = [{**dataclasses.asdict(read_metadata(path)), "source": str(path)} for path in files]
    return _distinct(pd.DataFrame(rows), "remove all but one")


def dandi_sessions(recordings: pd.DataFrame) -> pd.DataFrame:
    """One row for each recording of a dandiset.

    Parameters
    ----------
    recordings : pandas.DataFrame
        See `glasscortex.data.dandi.recordings.recordings`.

    Returns
    -------
    pandas.DataFrame
        The same, with source, the path in the dandiset.

    Raises
    ------
    InputError
        Two files are of one session.
    """
    return _distinct(recordings.assign(source=recordings["path"]), "narrow dandi.glob to one")


def _distinct(sessions: pd.DataFrame, remedy: str) -> pd.DataFrame:
    repeated = sessions[sessions["session_id"].duplicated(keep=False)]
    if len(repeated):
        session_id = repeated["session_id"].iloc[0]
        paths = repeated.loc[repeated["session_id"] == session_id, "source"]
        raise InputError(f"session {session_id} is in {' and '.join(paths)}: {remedy}")
    return sessions


def _filtered(sessions: pd.DataFrame, config: SelectConfig) -> pd.DataFrame:
    for name, column in (
        ("session_ids", "session_id"),
        ("container_ids", "container_id"),
        ("held_out", "session_id"),
    ):
        unknown = sorted(set(getattr(config, name)) - set(sessions[column]))
        if unknown:
            raise InputError(
                f"select.{name}: the source has no {column.removesuffix('_id')} "
                f"{', '.join(unknown)}: remove it there"
            )
    used = []
    for name, column in (
        ("session_ids", "session_id"),
        ("container_ids", "container_id"),
        ("areas", "area"),
        ("cre_lines", "cre_line"),
        ("session_types", "session_type"),
    ):
        wanted = getattr(config, name)
        if wanted:
            sessions = sessions[sessions[column].isin(wanted)]
            used.append(f"select.{name}")
    if config.depth_um != SelectConfig().depth_um:
        sessions = sessions[sessions["depth_um"].between(*config.depth_um)]
        used.append("select.depth_um")
    if config.eye_tracking:
        sessions = sessions[sessions["eye_tracking"]]
        used.append("select.eye_tracking")
    if sessions.empty:
        raise InputError(f"no session passes {' and '.join(used)}: widen the filters")
    return sessions


def _limited(sessions: pd.DataFrame, config: SelectConfig) -> pd.DataFrame:
    """At most so many sessions to train on, and all that are held out."""
    sessions = sessions.assign(held_out=sessions["session_id"].isin(config.held_out))
    trained = sessions[~sessions["held_out"]]
    if trained.empty:
        raise InputError("select.held_out names every selected session: leave one to train on")
    if config.number_per_stratum:
        drawn = trained["session_id"].map(lambda session_id: _lot(config.seed, session_id))
        strata = trained.assign(lot=drawn).sort_values("lot").groupby(list(config.strata))
        trained = trained.loc[strata.head(config.number_per_stratum).index].sort_index()
    trained = trained.head(config.number or len(trained))
    return sessions.loc[sessions["held_out"] | sessions.index.isin(trained.index)]


def _check_containers(sessions: pd.DataFrame) -> None:
    """A container is one field of view: its sessions share their cells by id."""
    mice = sessions.groupby("container_id")["mouse"].unique()
    for container, names in mice[mice.str.len() > 1].items():
        ids = sessions.loc[sessions["container_id"] == container, "session_id"]
        raise InputError(
            f"container {container} holds sessions {', '.join(ids)} of the mice "
            f"{', '.join(names)}, whose cells would be taken for the same: give each field of "
            "view an experiment_container_id of its own"
        )


def _lot(seed: int, session_id: str) -> str:
    """A session's place in the draw: it does not depend on which others there are."""
    return hashlib.sha256(f"{seed} {session_id}".encode()).hexdigest()

"""Which sessions are used: the rows of sessions.csv."""

import dataclasses
from pathlib import Path

import pandas as pd

from glasscortex.config import Config, SelectConfig
from glasscortex.data.nwb import read_metadata
from glasscortex.errors import InputError


def select(config: Config) -> pd.DataFrame:
    """The sessions of the source that pass the filters.

    Returns
    -------
    pandas.DataFrame
        session_id, container_id, mouse, cre_line, area, depth_um (NaN where unknown),
        session_type, source ("simulated" or the path of the NWB file).

    Raises
    ------
    InputError
        A file cannot be used, two files are of one session, `select.session_ids` names an
        unknown one, or no session passes the filters.
    """
    if config.source == "simulated":
        from glasscortex.data import synthetic

        sessions = synthetic.sessions(config.simulate)
    else:
        sessions = local_sessions(config.nwb)
    return _filtered(sessions, config.select)


def local_sessions(folder: Path) -> pd.DataFrame:
    """One row for each `*.nwb` of a folder, in the order of their names.

    Raises
    ------
    InputError
        A file cannot be used, or two files are of one session.
    """
    rows = [
        {**dataclasses.asdict(read_metadata(path)), "source": str(path)}
        for path in sorted(Path(folder).glob("*.nwb"))
    ]
    sessions = pd.DataFrame(rows)
    repeated = sessions[sessions["session_id"].duplicated(keep=False)]
    if len(repeated):
        session_id = repeated["session_id"].iloc[0]
        files = repeated.loc[repeated["session_id"] == session_id, "source"]
        raise InputError(f"session {session_id} is in {' and '.join(files)}: remove all but one")
    return sessions


def _filtered(sessions: pd.DataFrame, config: SelectConfig) -> pd.DataFrame:
    unknown = sorted(set(config.session_ids) - set(sessions["session_id"]))
    if unknown:
        raise InputError(
            f"select.session_ids: the source has no session {', '.join(unknown)}: remove it there"
        )
    used = []
    for name, column in (
        ("session_ids", "session_id"),
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
    if sessions.empty:
        raise InputError(f"no session passes {' and '.join(used)}: widen the filters")
    return sessions.head(config.number or len(sessions)).reset_index(drop=True)

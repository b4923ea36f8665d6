"""List the sessions that the workflow uses."""

import logging
from pathlib import Path

import pandas as pd

from glasscortex.config import Config
from glasscortex.data import select as candidates
from glasscortex.data.allen import catalogue
from glasscortex.errors import InputError
from glasscortex.local import recordings_in
from glasscortex.stages.arguments import OptionalInput, Output
from glasscortex.tables import read_table, write_table

FILE_GB = 0.28
"""Mean size of a session's NWB file of the Allen's, from 381 GB for 1,350 of them."""

BYTES_PER_S = 10e6
"""Of a download, for the time that is told."""

logger = logging.getLogger(__name__)


def select(
    *,
    sessions: Output,
    config: Config,
    experiments: OptionalInput = None,
    containers: OptionalInput = None,
    recordings: OptionalInput = None,
) -> None:
    """List the sessions that the workflow uses."""
    found = _sessions(config, experiments, containers, recordings)
    table = candidates.select(found, config.select)
    if config.source in ("allen", "dandi"):
        chosen = found.set_index("session_id").loc[table["session_id"]]
        size = chosen["bytes"].sum() if "bytes" in chosen else 1e9 * FILE_GB * len(chosen)
        logger.info(
            "%d sessions of %d mice are selected, %s%.3g GB of downloads, %.1f hours at %g MB/s",
            len(table),
            table["mouse"].nunique(),
            "" if "bytes" in chosen else "about ",
            size / 1e9,
            size / BYTES_PER_S / 3600,
            BYTES_PER_S / 1e6,
        )
    write_table(table, sessions, float_format=None)


def _sessions(
    config: Config, experiments: Path | None, containers: Path | None, recordings: Path | None
) -> pd.DataFrame:
    """All that the source has."""
    if config.source == "allen":
        if not (experiments and containers):
            raise InputError("source allen has two tables: name --experiments and --containers")
        return catalogue.sessions(catalogue.rows(experiments), catalogue.rows(containers))
    if config.source == "dandi":
        if not recordings:
            raise InputError("source dandi has a table: name --recordings")
        return candidates.dandi_sessions(read_table(recordings))
    if config.source == "local" and config.nwb:
        return candidates.local_sessions(recordings_in(config.nwb))
    from glasscortex.data import synthetic

    return synthetic.sessions(config.simulate)

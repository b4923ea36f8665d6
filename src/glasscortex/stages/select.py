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
from glasscortex.tables import write_table

FILE_GB = 0.28
"""Mean size of a session's NWB file, from 381 GB for 1,350 of them."""

logger = logging.getLogger(__name__)


def select(
    *,
    sessions: Output,
    config: Config,
    experiments: OptionalInput = None,
    containers: OptionalInput = None,
) -> None:
    """List the sessions that the workflow uses."""
    table = candidates.select(_sessions(config, experiments, containers), config.select)
    if config.source == "allen":
        logger.info(
            "%d sessions of %d mice are selected, about %.1f GB of downloads",
            len(table),
            table["mouse"].nunique(),
            FILE_GB * len(table),
        )
    write_table(table, sessions, float_format=None)


def _sessions(config: Config, experiments: Path | None, containers: Path | None) -> pd.DataFrame:
    """All that the source has."""
    if config.source == "allen":
        if not (experiments and containers):
            raise InputError("source allen has two tables: name --experiments and --containers")
        return catalogue.sessions(catalogue.rows(experiments), catalogue.rows(containers))
    if config.source == "local" and config.nwb:
        return candidates.local_sessions(recordings_in(config.nwb))
    from glasscortex.data import synthetic

    return synthetic.sessions(config.simulate)

"""Compute ΔF/F of one session and store it."""

import dataclasses
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glasscortex import __version__
from glasscortex.config import PreprocessConfig
from glasscortex.data import preprocess as dff
from glasscortex.data.metadata import Metadata
from glasscortex.data.nwb import read
from glasscortex.data.record import Record
from glasscortex.data.recording import Recording
from glasscortex.data.store import write_manifest, write_session
from glasscortex.errors import InputError
from glasscortex.files import atomic_write
from glasscortex.stages.arguments import Input, Output
from glasscortex.tables import write_table

logger = logging.getLogger(__name__)


def preprocess(
    *,
    nwb: Input,
    record: Input,
    session: dict[str, str],
    store: Output,
    quality: Output,
    manifest: Output,
    config: PreprocessConfig,
) -> None:
    """Compute ΔF/F of one session and store it."""
    metadata = Metadata.of_row(session)
    raw = _described(nwb, record, metadata.session_id)
    recording = read(nwb)
    tables: list[pd.DataFrame] = []

    def blocks() -> Iterator[dict[str, np.ndarray]]:
        for block in dff.preprocess(recording, config):
            tables.append(block.quality)
            yield block.traces

    with atomic_write(store) as temporary:
        write_session(
            temporary,
            attributes=_attributes(recording, metadata, raw, config),
            blocks=blocks(),
            time=recording.time,
            behaviour=recording.behaviour,
            stimuli=recording.stimuli,
        )
    table = pd.concat(tables)
    write_table(table, quality, float_format="%.6g")
    if not table["used"].all():
        logger.warning(
            "session %s: %d of %d cells left out (%s), see %s",
            metadata.session_id,
            (~table["used"]).sum(),
            len(table),
            dff.counted(table["reason"]),
            quality,
        )
    write_manifest(store, manifest, session_id=metadata.session_id)


def _described(nwb: Path, record: Path, session_id: str) -> Record:
    """The record, once the file is known to be the one that it describes."""
    raw = Record.read(record)
    if raw.session_id != session_id or not raw.describes(nwb):
        raise InputError(
            f"session {session_id}: {nwb} is not the file that {record} describes: remove both, "
            "then run the same command again"
        )
    return raw


def _attributes(
    recording: Recording, metadata: Metadata, raw: Record, config: PreprocessConfig
) -> dict[str, Any]:
    known = {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in dataclasses.asdict(metadata).items()
    }
    return {
        **known,
        "frame_rate_hz": recording.frame_rate_hz,
        "dff": config.dff,
        "neuropil": None if config.dff == "stored" else config.neuropil,
        "source_sha256": raw.sha256,
        "glasscortex": __version__,
    }

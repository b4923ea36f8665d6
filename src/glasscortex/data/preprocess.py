"""From an NWB file to the store."""

import dataclasses
import logging
import math
from pathlib import Path

import numpy as np

from glasscortex import __version__
from glasscortex.config import PreprocessConfig
from glasscortex.data import nwb as nwb_files
from glasscortex.data.dff import windowed_median
from glasscortex.data.store import write_manifest, write_session
from glasscortex.errors import InputError
from glasscortex.files import sha256, whole

BLOCK_CELLS = 32

logger = logging.getLogger(__name__)


def preprocess(*, nwb: Path, store: Path, manifest: Path, config: PreprocessConfig) -> None:
    """Compute ΔF/F and write the session's store and its manifest.

    Cells with a value that is not finite are left out, with a warning that counts them.
    Memory holds the session's ΔF/F and 32 cells more.

    Parameters
    ----------
    nwb
        NWB file of the recording.
    store, manifest
        Zarr folder and JSON file to write.
    config
        The method of ΔF/F.

    Raises
    ------
    InputError
        The file cannot be used, lacks what the method needs, or no cell has finite values.
    """
    recording = nwb_files.read(nwb)
    dff, finite = _dff(recording, config)
    if not finite.any():
        raise InputError(f"{nwb}: the traces of every cell hold NaN: remove the file")
    if not finite.all():
        logger.warning(
            "session %s: %d of %d cells left out, their traces hold NaN",
            recording.metadata.session_id,
            (~finite).sum(),
            len(finite),
        )
        dff = dff[finite]
    with whole(store) as temporary:
        write_session(
            temporary,
            attributes=_attributes(recording, config),
            dff=dff,
            cell_specimen_ids=recording.cell_specimen_ids[finite],
            time=recording.time,
            behaviour=recording.behaviour,
            stimuli=recording.stimuli,
        )
    write_manifest(store, manifest, session_id=recording.metadata.session_id)


def _dff(recording: nwb_files.Recording, config: PreprocessConfig) -> tuple[np.ndarray, np.ndarray]:
    """ΔF/F (cells, frames), and which cells are finite throughout (cells,)."""
    cells = len(recording.cell_specimen_ids)
    dff = np.zeros((cells, len(recording.time)), np.float32)
    finite = np.zeros(cells, bool)
    for first in range(0, cells, BLOCK_CELLS):
        block = slice(first, first + BLOCK_CELLS)
        if config.dff == "stored":
            dff[block] = recording.stored_dff(block)
            finite[block] = np.isfinite(dff[block]).all(axis=1)
        else:
            traces = recording.corrected_fluorescence(block)
            finite[block] = np.isfinite(traces).all(axis=1)
            usable = finite[block]
            dff[block][usable] = windowed_median(traces[usable], recording.frame_rate_hz)
    return dff, finite


def _attributes(recording: nwb_files.Recording, config: PreprocessConfig) -> dict:
    metadata = dataclasses.asdict(recording.metadata)
    if math.isnan(metadata["depth_um"]):
        metadata["depth_um"] = None
    return {
        **metadata,
        "frame_rate_hz": recording.frame_rate_hz,
        "dff": config.dff,
        "source_sha256": sha256(recording.path),
        "glasscortex": __version__,
    }

"""From an NWB file to the store."""

import dataclasses
import logging
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from glasscortex import __version__
from glasscortex.config import PreprocessConfig
from glasscortex.data import nwb as nwb_files
from glasscortex.data.dff import methods
from glasscortex.data.dff import quality as table
from glasscortex.data.dff.events import infer_events
from glasscortex.data.dff.neuropil import contamination_ratios
from glasscortex.data.record import Record
from glasscortex.data.store import write_manifest, write_session
from glasscortex.errors import InputError
from glasscortex.files import atomic_write

BLOCK_CELLS = 32

logger = logging.getLogger(__name__)


def preprocess(
    *,
    nwb: Path,
    record: Path,
    session: nwb_files.Metadata,
    store: Path,
    quality: Path,
    manifest: Path,
    config: PreprocessConfig,
) -> None:
    """Compute ΔF/F and write the session's store, its manifest and the quality of its cells.

    Cells that cannot be used (a value that is not finite, or no variation) are left out, with a
    warning that counts them. Memory holds 32 cells, or a chunk of the store.

    Parameters
    ----------
    nwb
        NWB file of the recording.
    record
        Its record; the file has to be the one that it describes.
    session
        Who and where was recorded: its row of sessions.csv, which goes into the store.
    store, quality, manifest
        Zarr folder, CSV (see `glasscortex.data.dff.quality`) and JSON file to write, in this order.
    config
        The methods of ΔF/F, of the neuropil's correction, and whether events are inferred.

    Raises
    ------
    InputError
        The file is not the recorded one, cannot be used, lacks what the method needs, or no cell
        can be used; or a library is missing.
    """
    raw = _described(nwb, record, session.session_id)
    recording = nwb_files.read(nwb)
    described = []
    with atomic_write(store) as temporary:
        write_session(
            temporary,
            attributes=_attributes(recording, session, raw, config),
            blocks=_blocks(recording, config, described),
            time=recording.time,
            behaviour=recording.behaviour,
            stimuli=recording.stimuli,
        )
    table.write(quality, session.session_id, described)
    reason = np.concatenate([columns["reason"] for columns in described])
    if (reason != "").any():
        logger.warning(
            "session %s: %d of %d cells left out (%s), see %s",
            session.session_id,
            (reason != "").sum(),
            len(reason),
            _counted(reason),
            quality,
        )
    write_manifest(store, manifest, session_id=session.session_id)


def _blocks(
    recording: nwb_files.Recording, config: PreprocessConfig, described: list[table.Columns]
) -> Iterator[dict[str, np.ndarray]]:
    """The cells that can be used, as `write_session` takes them; describes all cells by the way."""
    ids = recording.cell_specimen_ids
    for first in range(0, len(ids), BLOCK_CELLS):
        cells = slice(first, first + BLOCK_CELLS)
        traces, r = _traces(recording, cells, config)
        reason, lost = table.usable(traces)
        change = _change(traces[reason == ""], recording.frame_rate_hz, config)
        known = np.isfinite(change.noise)
        reason[np.flatnonzero(reason == "")[~known]] = "baseline"
        change = methods.Change(*(values[known] for values in change))
        described.append(
            table.describe(
                cell_specimen_id=ids[cells],
                reason=reason,
                nan_fraction=lost,
                change=change,
                fluorescence=None if config.dff == "stored" else traces[reason == ""],
                r=r,
                is_estimate=config.neuropil in ("stored", "fitted"),
            )
        )
        block = {"cell_specimen_id": ids[cells][reason == ""], "dff": change.dff}
        yield block | ({"events": infer_events(change.dff)} if config.events else {})
    reason = np.concatenate([columns["reason"] for columns in described])
    if (reason != "").all():
        raise InputError(
            f"{recording.path}: no cell has a trace that can be used ({_counted(reason)}): remove "
            "the file"
        )


def _traces(
    recording: nwb_files.Recording, cells: slice, config: PreprocessConfig
) -> tuple[np.ndarray, np.ndarray | None]:
    """Corrected fluorescence, or ΔF/F as stored (cells, frames), and r (cells,) where known."""
    if config.dff == "stored":
        return recording.stored_dff(cells), None
    if config.neuropil == "stored":
        return recording.corrected_fluorescence(cells), recording.neuropil_r(cells)
    fluorescence = recording.fluorescence(cells)
    if config.neuropil == "none":
        return fluorescence, np.zeros(len(fluorescence))
    neuropil = recording.neuropil(cells)
    if config.neuropil == "fitted":
        r = contamination_ratios(fluorescence, neuropil, threads=config.threads)
    else:
        r = np.full(len(fluorescence), config.neuropil)
    fluorescence -= r.astype(np.float32)[:, None] * neuropil
    return fluorescence, r


def _change(traces: np.ndarray, frame_rate_hz: float, config: PreprocessConfig) -> methods.Change:
    options = {}
    if config.dff == "rolling_percentile":
        options = {"percentile": config.percentile, "window_s": config.percentile_window_s}
    method = getattr(methods, config.dff)
    return method(traces, frame_rate_hz, threads=config.threads, **options)


def _counted(reason: np.ndarray) -> str:
    names, counts = np.unique(reason[reason != ""], return_counts=True)
    return ", ".join(f"{count} {name}" for name, count in zip(names, counts, strict=True))


def _described(nwb: Path, record: Path, session_id: str) -> Record:
    """The record, once the file is known to be the one that it describes."""
    found = Record.read(record)
    if found.session_id != session_id or not found.describes(nwb):
        raise InputError(
            f"session {session_id}: {nwb} is not the file that {record} describes: remove both, "
            "then run the same command again"
        )
    return found


def _attributes(
    recording: nwb_files.Recording,
    session: nwb_files.Metadata,
    raw: Record,
    config: PreprocessConfig,
) -> dict:
    unknown = {
        name: None for name in ("depth_um", "age_days") if math.isnan(getattr(session, name))
    }
    return {
        **dataclasses.asdict(session),
        **unknown,
        "frame_rate_hz": recording.frame_rate_hz,
        "dff": config.dff,
        "neuropil": None if config.dff == "stored" else config.neuropil,
        "source_sha256": raw.sha256,
        "glasscortex": __version__,
    }

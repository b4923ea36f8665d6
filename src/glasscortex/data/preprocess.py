"""From a recording to ΔF/F."""

import logging
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from glasscortex.config import PreprocessConfig
from glasscortex.data.dff import methods
from glasscortex.data.dff.events import infer_events
from glasscortex.data.dff.neuropil import contamination_ratios
from glasscortex.data.dff.quality import describe, usable
from glasscortex.data.recording import Recording
from glasscortex.errors import InputError

BLOCK_CELLS = 32

logger = logging.getLogger(__name__)


class Block(NamedTuple):
    """Some cells of a recording.

    Attributes
    ----------
    traces : dict of str to numpy.ndarray
        Of those that can be used: `cell_specimen_id` (cells,), `dff` and, where they are asked
        for, `events`, float32 (cells, frames).
    quality : pandas.DataFrame
        A row a cell, see `glasscortex.data.dff.quality`.
    """

    traces: dict[str, np.ndarray]
    quality: pd.DataFrame


def preprocess(recording: Recording, config: PreprocessConfig) -> Iterator[Block]:
    """Compute ΔF/F, a block of cells at a time.

    Cells that cannot be used (a value that is not finite, or no variation) have no traces, and a
    reason in the table of quality. Memory holds 32 cells.

    Parameters
    ----------
    recording : Recording
        Where the traces are read from.
    config : PreprocessConfig
        The methods of ΔF/F, of the neuropil's correction, and whether events are inferred.

    Yields
    ------
    Block
        The cells, in the order of the recording.

    Raises
    ------
    InputError
        The recording lacks what the method needs, or no cell can be used; or a library is missing.
    """
    if config.neuropil == "stored" and config.dff != "stored" and not recording.has_neuropil_r:
        logger.warning(
            "session %s: the file holds no neuropil with its r, its fluorescence is used "
            "uncorrected: set preprocess.neuropil to fitted, to a number, or to none if that is "
            "meant",
            recording.metadata.session_id,
        )
    ids = recording.cell_specimen_ids
    reasons = []
    for first in range(0, len(ids), BLOCK_CELLS):
        cells = slice(first, first + BLOCK_CELLS)
        block = _block(recording, cells, config)
        reasons.append(block.quality["reason"])
        yield block
    reason = pd.concat(reasons)
    if (reason != "").all():
        raise InputError(
            f"{recording.path}: no cell has a trace that can be used ({counted(reason)}): remove "
            "the file"
        )


def counted(reason: pd.Series) -> str:
    """How many cells there are of each reason, in words.

    Parameters
    ----------
    reason : pandas.Series
        Column of a table of quality.

    Returns
    -------
    str
        The reasons with their numbers.

    Examples
    --------
    >>> counted(pd.Series(["flat", "", "not finite", "flat"]))
    '2 flat, 1 not finite'
    """
    names, counts = np.unique(reason[reason != ""].to_numpy(str), return_counts=True)
    return ", ".join(f"{count} {name}" for name, count in zip(names, counts, strict=True))


def _block(recording: Recording, cells: slice, config: PreprocessConfig) -> Block:
    ids = recording.cell_specimen_ids[cells]
    traces, r = _traces(recording, cells, config)
    reason, lost = usable(traces)
    change = _change(traces[reason == ""], recording.frame_rate_hz, config)
    known = np.isfinite(change.noise)
    reason[np.flatnonzero(reason == "")[~known]] = "baseline"
    change = methods.Change(*(values[known] for values in change))
    used = {"cell_specimen_id": ids[reason == ""], "dff": change.dff}
    if config.events:
        used["events"] = infer_events(change.dff)
    quality = describe(
        cell_specimen_id=ids,
        reason=reason,
        nan_fraction=lost,
        change=change,
        fluorescence=None if config.dff == "stored" else traces[reason == ""],
        r=r,
        is_estimate=config.neuropil in ("stored", "fitted"),
    )
    quality.insert(0, "session_id", recording.metadata.session_id)
    return Block(used, quality)


def _traces(
    recording: Recording, cells: slice, config: PreprocessConfig
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

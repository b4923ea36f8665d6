"""What is drawn of one session: examples of its traces, and all of it in few columns."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Float32, Int64

from glasscortex.data.splits import blocks
from glasscortex.data.store import StoredSession
from glasscortex.tasks import ALLEN

STRETCH_S = 120.0
"""Length of the example traces, from the middle of the recording."""

BINS = 600
"""Columns of the raster of the whole session."""


@dataclass(frozen=True)
class SessionPage:
    """One session, as much of it as fits a page.

    Attributes
    ----------
    about : dict
        Who and where was recorded, see `StoredSession.attributes`.
    quality : pandas.DataFrame
        The session's rows of the quality table.
    frame_rate_hz : float
    minutes : ndarray, shape (frames,)
        Time from the first frame.
    stretch : tuple of int
        First frame of the example traces, and the one after the last.
    traces : ndarray of float32, shape (cells, frames)
        ΔF/F of all used cells in the stretch.
    edges : ndarray of int, shape (bins + 1,)
        Frames between which the whole session is averaged.
    raster : ndarray, shape (cells, bins)
        Mean ΔF/F of all used cells.
    lanes : dict of ndarray, shape (bins,)
        running_speed and pupil (means of what is finite), and motion in pixels from its median
        place (maxima), as far as they were measured.
    presentations : pandas.DataFrame
        stimulus, start and end (frames) of every presentation.
    epochs : pandas.DataFrame
        Contiguous runs of one stimulus: stimulus, begin and end in minutes.
    """

    about: dict[str, Any]
    quality: pd.DataFrame
    frame_rate_hz: float
    minutes: Float[np.ndarray, " frames"]
    stretch: tuple[int, int]
    traces: Float32[np.ndarray, "cells frames"]
    edges: Int64[np.ndarray, " edges"]
    raster: Float[np.ndarray, "cells bins"]
    lanes: dict[str, Float[np.ndarray, " bins"]]
    presentations: pd.DataFrame
    epochs: pd.DataFrame

    @property
    def used(self) -> pd.DataFrame:
        """Rows of the used cells, in the order of `traces`."""
        return self.quality[self.quality["used"]].reset_index(drop=True)


def session_page(
    session: StoredSession,
    quality: pd.DataFrame,
    motion: Float[np.ndarray, "frames 2"] | None = None,
) -> SessionPage:
    """Gather what is drawn of a session; memory holds the traces of a bin or of the stretch.

    Parameters
    ----------
    session : StoredSession
    quality : pandas.DataFrame
        Of this session, or of several.
    motion : ndarray, shape (frames, 2), optional
        Shift of each frame, pixels; left out where it has another number of frames.
    """
    time = session.time
    frames = len(time)
    length = min(frames, round(STRETCH_S * session.frame_rate_hz))
    stretch = (frames - length) // 2, (frames + length) // 2
    edges = np.linspace(0, frames, min(BINS, frames) + 1).astype(int)
    behaviour = session.behaviour()
    lanes = {
        name: _binned(np.mean, behaviour[name], edges)
        for name in ALLEN.at("behaviour")
        if name in behaviour
    }
    if motion is not None and len(motion) == frames:
        shift = np.hypot(*(motion - np.median(motion, axis=0)).T)
        lanes["motion"] = _binned(np.max, shift, edges)
    minutes = (time - time[0]) / 60
    presentations = _presentations(session)
    return SessionPage(
        about=session.attributes,
        quality=quality[quality["session_id"] == session.session_id],
        frame_rate_hz=session.frame_rate_hz,
        minutes=minutes,
        stretch=stretch,
        traces=session.dff(*stretch),
        edges=edges,
        raster=np.stack([session.dff(a, b).mean(axis=1) for a, b in pairwise(edges)], axis=1),
        lanes=lanes,
        presentations=presentations,
        epochs=_epochs(presentations, minutes),
    )


def _binned(
    reduce: Callable[[np.ndarray], float],
    values: Float[np.ndarray, " frames"],
    edges: Int64[np.ndarray, " edges"],
) -> Float[np.ndarray, " bins"]:
    """The finite values of each bin as one; NaN in a bin without any."""
    parts = (values[a:b][np.isfinite(values[a:b])] for a, b in pairwise(edges))
    return np.array([reduce(part) if len(part) else np.nan for part in parts], np.float64)


def _presentations(session: StoredSession) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"stimulus": stimulus, "start": columns["start"], "end": columns["end"]})
        for stimulus, columns in session.stimuli().items()
    ]
    if not parts:
        return pd.DataFrame({"stimulus": [], "start": [], "end": []})
    return pd.concat(parts, ignore_index=True)


def _epochs(presentations: pd.DataFrame, minutes: Float[np.ndarray, " frames"]) -> pd.DataFrame:
    if presentations.empty:
        return pd.DataFrame({"stimulus": [], "begin": [], "end": []})
    times = presentations.assign(
        begin=minutes[presentations["start"]],
        end=minutes[np.minimum(presentations["end"], len(minutes) - 1)],
    )
    times["block"] = blocks(times["stimulus"], 60 * times["begin"], 60 * times["end"])
    runs = times.groupby(["stimulus", "block"], sort=False)
    return runs.agg(begin=("begin", "min"), end=("end", "max")).reset_index()

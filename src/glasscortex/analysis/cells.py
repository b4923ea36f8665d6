"""The cells themselves, probed as the units of a dictionary are."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.probing import probing
from glasscortex.data.windows import WindowsReader
from glasscortex.words import SPLITS


def cell_probing(windows: Mapping[str, WindowsReader], trials: pd.DataFrame) -> pd.DataFrame:
    """Probe the cells of each session, whose response is the mean activity in the window.

    Sessions have cells of their own, so that each has its own choice of cells. Purity, which is of
    the presentations of all sessions together, is not told. Memory holds one session.

    Parameters
    ----------
    windows : mapping of str to WindowsReader
        Reader of each session's windows.
    trials : pandas.DataFrame
        Presentations, with label columns.

    Returns
    -------
    pandas.DataFrame
        What `probing` returns of every session, one after the other.
    """
    parts = [
        probing(*(_responses(windows[session], rows[rows["split"] == split]) for split in SPLITS))
        for session, rows in trials.groupby("session_id", sort=False)
    ]
    probes = pd.concat(parts)
    return probes[probes["measure"] != "purity"]


def _responses(reader: WindowsReader, trials: pd.DataFrame) -> Presentations:
    """Mean activity of all cells in the windows of these presentations."""
    trials = trials.reset_index(drop=True)
    responses = np.empty((len(trials), len(reader.cells)), np.float32)
    for stimulus, rows in trials.groupby("stimulus", sort=False).indices.items():
        presentation = trials["presentation"].to_numpy()[rows]
        responses[rows] = reader.read(stimulus, presentation).mean(axis=2)
    return Presentations(trials, responses)

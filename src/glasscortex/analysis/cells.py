"""The cells themselves, and a dictionary of their activity, probed as units of the decoder are."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float32

from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.probing import COLUMNS, probing
from glasscortex.data.windows import WindowsReader
from glasscortex.dictionaries import TopK
from glasscortex.tasks import ALLEN, Definitions
from glasscortex.words import CELLS, SPLITS

CELLS_TOPK = "cells_topk"
"""Name of the dictionary of their activity …"""
UNITS, ACTIVE, STEPS, BATCH = 128, 8, 300, 512
"""… in each session. More steps or units say no more, fewer of them less."""

Activity = Float32[np.ndarray, "presentations cells samples"]
Units = Float32[np.ndarray, "presentations units samples"]


def cell_probing(
    windows: Mapping[str, WindowsReader], trials: pd.DataFrame, definitions: Definitions = ALLEN
) -> pd.DataFrame:
    """Probe the cells of each session, and a sparse autoencoder of their activity.

    The response of a cell is its mean activity in the window, and that of a unit its mean
    activation. Sessions have cells of their own, so that each has its own autoencoder, fitted to
    the samples of its training windows, and its own choice of units. Purity, which is of the
    presentations of all sessions together, is not told. Memory holds one session.

    Parameters
    ----------
    windows : mapping of str to WindowsReader
        Reader of each session's windows.
    trials : pandas.DataFrame
        Presentations, with label columns.
    definitions : Definitions
        What the labels are of.

    Returns
    -------
    pandas.DataFrame
        sae (`CELLS`, `CELLS_TOPK`), and what `probing` returns of every session, one after the
        other.
    """
    parts = []
    for session, rows in trials.groupby("session_id", sort=False):
        of_splits = [rows[rows["split"] == split].reset_index(drop=True) for split in SPLITS]
        for name, units in _dictionaries(windows[session], of_splits[0]):
            splits = (
                _responses(windows[session], split, units, definitions) for split in of_splits
            )
            parts.append(probing(*splits).assign(sae=name))
    probes = pd.concat(parts)
    return probes.loc[probes["measure"] != "purity", ["sae", *COLUMNS]]


def _dictionaries(
    reader: WindowsReader, train: pd.DataFrame
) -> Iterator[tuple[str, Callable[[Activity], Units]]]:
    """The cells as they are, and the units of a dictionary of them."""
    yield CELLS, lambda activity: activity
    samples = [_tokens(activity).flatten(0, 1) for _, activity in _read(reader, train)]
    dictionary = TopK(seed=0, width=UNITS, k=ACTIVE, steps=STEPS, batch=BATCH)
    dictionary.fit(torch.cat(samples))
    yield CELLS_TOPK, lambda activity: dictionary.encode(_tokens(activity)).mT.numpy()


def _tokens(activity: Activity) -> torch.Tensor:
    """(presentations, samples, cells)."""
    return torch.from_numpy(np.ascontiguousarray(activity.swapaxes(1, 2)))


def _read(reader: WindowsReader, trials: pd.DataFrame) -> Iterator[tuple[np.ndarray, Activity]]:
    """The rows of each stimulus, and the activity of all cells in their windows."""
    for stimulus, rows in trials.groupby("stimulus", sort=False).indices.items():
        yield rows, reader.read(stimulus, trials["presentation"].to_numpy()[rows])


def _responses(
    reader: WindowsReader,
    trials: pd.DataFrame,
    units: Callable[[Activity], Units],
    definitions: Definitions,
) -> Presentations:
    """The mean of all units in the windows of these presentations."""
    parts = [(rows, units(activity).mean(axis=2)) for rows, activity in _read(reader, trials)]
    order = np.argsort(np.concatenate([rows for rows, _ in parts]))
    values = np.concatenate([values for _, values in parts])[order]
    return Presentations(trials, values, definitions)

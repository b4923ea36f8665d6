"""Probe the cells of each session, and a dictionary of them, as units of the decoder are."""

import logging

import torch

from glasscortex.analysis.cells import cell_probing
from glasscortex.data.windows import WindowsFolder
from glasscortex.stages.arguments import Folder, Input, Output
from glasscortex.tables import read_definitions, read_trials, write_table
from glasscortex.words import CELLS


def probe_cells(*, trials: Input, windows: Folder, table: Output) -> None:
    """Probe the cells of each session, and a dictionary of them, as units of the decoder are."""
    torch.set_num_threads(1)
    logging.getLogger("glasscortex.dictionaries.fit").setLevel(logging.WARNING)  # one a session
    probes = cell_probing(WindowsFolder(windows), read_trials(trials), read_definitions(trials))
    write_table(probes, table, model=CELLS, seed=0)

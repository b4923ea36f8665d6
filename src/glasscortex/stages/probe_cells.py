"""Probe the cells of each session as the units of a dictionary are."""

from glasscortex.analysis.cells import cell_probing
from glasscortex.analysis.rivals import CELLS
from glasscortex.data.windows import WindowsFolder
from glasscortex.stages.arguments import Folder, Input, Output
from glasscortex.tables import read_trials, write_table


def probe_cells(*, trials: Input, windows: Folder, table: Output) -> None:
    """Probe the cells of each session as the units of a dictionary are."""
    probes = cell_probing(WindowsFolder(windows), read_trials(trials))
    write_table(probes, table, model=CELLS, seed=0, sae=CELLS)

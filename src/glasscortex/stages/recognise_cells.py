"""Tell whether summaries of the cells of a mouse tell its Cre line, area or depth."""

import numpy as np

from glasscortex.analysis.recognition import recognition, stimulus_of_mice, summaries_of_cells
from glasscortex.config import SelectivityConfig
from glasscortex.data.windows import WindowsFolder
from glasscortex.stages.arguments import Folder, Input, Output
from glasscortex.tables import read_definitions, read_table, read_trials, write_table
from glasscortex.words import CELLS


def recognise_cells(
    *, trials: Input, sessions: Input, windows: Folder, table: Output, config: SelectivityConfig
) -> None:
    """Tell whether summaries of the cells of a mouse tell its Cre line, area or depth."""
    presented, mice = read_trials(trials), read_table(sessions)
    stimulus = stimulus_of_mice(presented, mice)
    found = summaries_of_cells(
        WindowsFolder(windows), presented, stimulus, read_definitions(trials)
    )
    rng = np.random.default_rng(0)
    rows = recognition(found, mice, stimulus, config.mouse_permutations, rng)
    write_table(rows, table, model=CELLS, seed=0, sae=CELLS)

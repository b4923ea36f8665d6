"""The ground truth of a simulated session, in a file that only `recovery` and `observe` read.

- `/cells/<parameter>` (cells,): tuning of every cell, the names of `cells.PARAMETERS` and
  `cells.UNIFORM`; `grating_hz` and `image_hz` are 0 in cells that do not respond.
- `/cells/cell_specimen_id` (cells,): in the order of the NWB file.
- `/rates/<stimulus>` (presentations, cells) float32: mean true rate in response to a presentation,
  spikes per second, gain included; rows as in the NWB file (spontaneous: one a block).
- `/gain/<stimulus>` (presentations,) float32: log gain of running, pupil and the shared
  fluctuation, averaged over cells.

Movies have no rates and no gain. Attributes of the file: the columns of sessions.csv, seed, and
running_fraction of the mouse.
"""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from glasscortex.data.synthetic.responses import Rates


@dataclass(frozen=True)
class Truth:
    """What is true of a simulated session.

    Attributes
    ----------
    attributes : dict
        Row of the table of sessions, seed, running_fraction.
    cells : dict of str to numpy.ndarray
        (cells,) by parameter, and cell_specimen_id.
    rates : Rates
        What drove the spikes.
    """

    attributes: dict[str, object]
    cells: dict[str, np.ndarray]
    rates: Rates


def write_truth(path: Path, truth: Truth) -> None:
    """Write the truth of one session.

    Parameters
    ----------
    path : Path
        File to write.
    truth : Truth
        What it holds.
    """
    with h5py.File(path, "w") as file:
        file.attrs.update(truth.attributes)
        for name, values in truth.cells.items():
            file.create_dataset(f"cells/{name}", data=values, track_times=False)
        for group, tables in (("rates", truth.rates.by_presentation), ("gain", truth.rates.gain)):
            for name, values in tables.items():
                if not name.startswith("natural_movie"):
                    values = values.astype(np.float32)
                    file.create_dataset(f"{group}/{name}", data=values, track_times=False)

"""The ground truth of a simulated session, in a file that only the `recovery` stage reads.

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

from pathlib import Path

import h5py
import numpy as np

from glasscortex.data.synthetic.responses import Rates


def write_truth(
    path: Path,
    attributes: dict[str, object],
    cells: dict[str, np.ndarray],
    rates: Rates,
) -> None:
    """Write the truth of one session."""
    with h5py.File(path, "w") as file:
        file.attrs.update(attributes)
        for name, values in cells.items():
            file.create_dataset(f"cells/{name}", data=values, track_times=False)
        for group, tables in (("rates", rates.by_presentation), ("gain", rates.gain)):
            for name, values in tables.items():
                if not name.startswith("natural_movie"):
                    values = values.astype(np.float32)
                    file.create_dataset(f"{group}/{name}", data=values, track_times=False)

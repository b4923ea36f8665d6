"""What was found in a recording, written into its NWB 2 file by pynwb.

Two tables in `/analysis`: `glasscortex_presentations`, intervals with labels, what was decoded and
the units' responses, and `glasscortex_units`, a row a unit. Reading the recording passes them over.
"""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from jaxtyping import Float32

from glasscortex.data.nwb2.types import RESULTS
from glasscortex.data.nwb2.write import (
    NWBHDF5IO,
    DynamicTable,
    H5DataIO,
    TimeIntervals,
    VectorData,
    columns,
    quiet,
)
from glasscortex.data.tree import reason
from glasscortex.errors import InputError


def add_results(
    path: Path,
    presentations: pd.DataFrame,
    responses: Float32[np.ndarray, "presentations units"],
    units: pd.DataFrame,
    source: str,
) -> None:
    """Add the tables; those of an earlier time are replaced.

    Parameters
    ----------
    path : Path
        An NWB 2 file in HDF5.
    presentations : pandas.DataFrame
        In order of time, with `start_time` and `stop_time`, seconds.
    responses : ndarray of float32, shape (presentations, units)
        Columns are the rows of `units`.
    units : pandas.DataFrame
        Their index tells their ids.
    source : str
        Of both: which decoder and dictionary.

    Raises
    ------
    InputError
        pynwb cannot open the file.
    """
    _remove_results(path)
    _, _, prefix = RESULTS.partition("/")
    with quiet():
        answers = VectorData(
            name="responses",
            description=f"mean activation of each row of {prefix}units in the window",
            data=H5DataIO(responses, compression="gzip", shuffle=True),
        )
        shown = TimeIntervals(
            name=f"{prefix}presentations",
            description=f"what was shown, decoded and answered, by {source}",
            columns=[*columns(presentations), answers],
        )
        found = DynamicTable(
            name=f"{prefix}units",
            description=f"what units stand for, by {source}",
            id=units.index.to_numpy(),
            columns=list(columns(units)),
        )
        try:
            with NWBHDF5IO(path, "a") as io:
                file = io.read()
                for table in (shown, found):
                    file.add_analysis(table)
                io.write(file)
        except OSError:
            raise
        except Exception as error:  # of any kind, on files that are not as NWB has them
            raise InputError(
                f"pynwb cannot add results to {path} ({reason(error)}): mend the recording"
            ) from None


def _remove_results(path: Path) -> None:
    with h5py.File(path, "a") as file:
        group, _, prefix = RESULTS.partition("/")
        for name in [name for name in file.get(group, ()) if name.startswith(prefix)]:
            del file[f"{group}/{name}"]

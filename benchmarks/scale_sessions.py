"""Sessions that a few simulated ones stand in for: copies, under names of their own."""

import os
import shutil
from itertools import cycle
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from glasscortex.files import sealed_write
from glasscortex.tables import read_table, write_table


def multiply(source: Path, results: Path) -> None:
    """Write what the stages of one session leave and others read, for every session of a run.

    Parameters
    ----------
    source : Path
        Results of a run of a few sessions.
    results : Path
        Those of a run in which only sessions.csv is there; its sessions become copies of the
        few, in turn.
    """
    few = read_table(source / "sessions.csv")["session_id"]
    asked = read_table(results / "sessions.csv")
    (results / "raw").mkdir()
    for one, row in zip(cycle(few), asked.itertuples()):
        copy(source, one, results, row.session_id, row.container_id)


def copy(source: Path, one: str, results: Path, session: str, container: str) -> None:
    """The files of one session as those of another."""
    os.link(source / f"raw/{one}.nwb", results / f"raw/{session}.nwb")
    with sealed_write(results / f"truth/{session}.h5") as path:
        shutil.copyfile(source / f"truth/{one}.h5", path)
    quality = read_table(source / f"quality/{one}.csv").assign(session_id=session)
    write_table(quality, results / f"quality/{session}.csv", float_format=None)
    table = pq.read_table(source / f"trials/{one}.parquet")
    names = pa.array([session] * len(table), table.schema.field("session_id").type)
    place = table.schema.get_field_index("session_id")
    with sealed_write(results / f"trials/{session}.parquet") as path:
        pq.write_table(table.set_column(place, table.schema.field(place), names), path)
    with sealed_write(results / f"windows/{session}.h5") as path:
        shutil.copyfile(source / f"windows/{one}.h5", path)
        with h5py.File(path, "a") as file:
            cells = [name.decode().split("/")[1] for name in file.attrs["cells"]]
            file.attrs["session_id"] = session
            file.attrs["cells"] = np.array([f"{container}/{cell}" for cell in cells], dtype="S")

"""A recording of any format as an NWB 2 file of its own: copied, or turned into one."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from glasscortex.data import hdf5, nwb
from glasscortex.data.metadata import UNKNOWN, cre_line
from glasscortex.data.nwb2.contents import PIXEL, Contents, Measured, PlaneContents, Session
from glasscortex.data.nwb2.write import write
from glasscortex.data.recording import Recording
from glasscortex.data.tree import Tree
from glasscortex.data.trees import opened
from glasscortex.data.views import read_masks
from glasscortex.local import zarr_of

IMAGED = "general/optophysiology"
ALLEN_DATE = "%a %b %d %H:%M:%S %Y"
"""How NWB 1.0 of the Allen's writes when a session began, in UTC."""
NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)
"""Of a recording that does not tell when it was."""
SEXES = {"male": "M", "female": "F"}


def write_anew(source: Path, target: Path) -> None:
    """Write an NWB 2 file that reads as the recording does.

    An HDF5 file of NWB 2 is copied, whatever else it holds, if all of that lies in the file itself:
    pynwb would look into others. Of other recordings all is written that `Recording` and
    `read_masks` tell; pictures and shifts of motion correction are not.

    Parameters
    ----------
    source : Path
        A recording of any format.
    target : Path
        File to write.

    Raises
    ------
    InputError
        It cannot be read, or something in it lies in another file.
    """
    recording = nwb.read(source)
    if zarr_of(source) is None:
        with hdf5.opened(source) as file:
            is_copied = nwb.is_nwb2(file)
            if is_copied:
                file.refuse_other_files()
        if is_copied:
            shutil.copyfile(source, target)
            return
    write(target, contents_of(recording))


def contents_of(recording: Recording) -> Contents:
    """What a recording holds, all its traces in memory.

    Parameters
    ----------
    recording : Recording
        Of any format.
    """
    time, every = recording.time, slice(None)
    edges = np.append(time, time[-1] + np.median(np.diff(time)))
    read = {
        "dff": recording.stored_dff,
        "fluorescence": recording.fluorescence,
        "neuropil": recording.neuropil,
    }
    masks = dict(_masks(recording.path))
    cells = recording.cell_specimen_ids
    plane = PlaneContents(
        name="plane00",
        ids=cells,
        signals={name: how(every) for name, how in read.items() if name in recording.signals},
        pixels=[masks.get(cell, np.empty(0, PIXEL)) for cell in cells.tolist()],
        neuropil_r=recording.neuropil_r(every),
    )
    return Contents(
        session=_session(recording),
        planes=[plane],
        time=time,
        intervals={name: _intervals(columns, edges) for name, columns in recording.stimuli.items()},
        behaviour={name: Measured(v, time) for name, v in recording.behaviour.items()},
    )


def _masks(path: Path) -> Iterator[tuple[int, np.ndarray]]:
    for cell, mask in read_masks(path):
        y, x = np.nonzero(mask)
        pixels = np.empty(len(x), PIXEL)
        pixels["x"], pixels["y"], pixels["weight"] = x, y, 1
        yield cell, pixels


def _intervals(columns: dict[str, np.ndarray], edges: np.ndarray) -> pd.DataFrame:
    """A stimulus as NWB 2 has it; images are numbered by frame, as index names rows there."""
    own = pd.DataFrame(columns).rename(columns={"index": "frame"}).drop(columns=["start", "end"])
    start, stop = edges[columns["start"]], edges[columns["end"]]
    return pd.DataFrame({"start_time": start, "stop_time": stop}).join(own)


def _session(recording: Recording) -> Session:
    about = recording.metadata
    with opened(recording.path) as tree:
        plane = next(iter(tree.names(IMAGED)), "")
        genotype = _text(tree, "general/subject/genotype")
        return Session(
            session=about.session_id,
            start=_date(_text(tree, "session_start_time")),
            mouse=about.mouse,
            age=UNKNOWN if np.isnan(about.age_days) else f"P{about.age_days:g}D",
            area=about.area,
            indicator=_text(tree, f"{IMAGED}/{plane}/indicator"),
            sex=SEXES.get(about.sex, "U"),
            genotype=genotype if cre_line(genotype, UNKNOWN) == about.cre_line else about.cre_line,
            depth_um=None if np.isnan(about.depth_um) else about.depth_um,
            container=about.container_id,
            session_type=None if about.session_type == UNKNOWN else about.session_type,
        )


def _text(tree: Tree, key: str) -> str:
    return tree.texts(key)[0].strip() if key in tree and tree.texts(key) else UNKNOWN


def _date(text: str) -> datetime:
    for form in (datetime.fromisoformat, lambda text: datetime.strptime(text, ALLEN_DATE)):
        try:
            return form(text)
        except ValueError:
            continue
    return NO_DATE

"""An NWB 2 file of what other programs found: `glasscortex import`."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from glasscortex.data.imports.session import WrittenSession, read_session
from glasscortex.data.imports.tables import read_behaviour, read_frame_times, read_stimuli
from glasscortex.data.inspection import inspected
from glasscortex.data.nwb2.contents import Contents, PlaneContents
from glasscortex.data.nwb2.write import write
from glasscortex.errors import InputError
from glasscortex.files import atomic_write

SESSION = "session.yaml"


def imported(
    read: Callable[[Path], tuple[list[PlaneContents], float]],
    source: Path,
    stimuli: Path,
    behaviour: Sequence[Path] = (),
    session: Path | None = None,
    frame_times: Path | None = None,
    nwb: Path | None = None,
) -> Path:
    """Write the file, once it is known that this package can read it.

    Parameters
    ----------
    read : callable
        Of a module of `glasscortex.data.imports`: planes, and frames a second, 0 if not told.
    source : Path
        What it reads.
    stimuli : Path
        See `read_stimuli`.
    behaviour : sequence of Path
        See `read_behaviour`.
    session : Path, optional
        See `read_session`; by default `session.yaml` beside the stimuli.
    frame_times : Path, optional
        See `read_frame_times`; by default frames are evenly spaced.
    nwb : Path, optional
        File to write; by default the session's id and `.nwb`, in the current folder.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    InputError
        Something cannot be used, or the file is there.
    """
    about = read_session(session or stimuli.with_name(SESSION))
    path = nwb or Path(f"{about.session}.nwb")
    if path.exists():
        raise InputError(f"{path} is there: remove it, or give another name (--nwb)")
    planes, rate_hz = read(source)
    if isinstance(about.depth_um, tuple) and len(about.depth_um) != len(planes):
        raise InputError(
            f"depth_um of the session names {len(about.depth_um)} depths, {source} has cells in "
            f"{len(planes)} planes: give one depth, or one for each"
        )
    frames = next(iter(planes[0].signals.values())).shape[1]
    if frames < 2:
        raise InputError(f"{source} has {frames} frames: give a recording")
    time = _frame_times(about, source, rate_hz, frames, frame_times)
    contents = Contents(
        session=about,
        planes=planes,
        time=time,
        intervals=read_stimuli(stimuli, time),
        behaviour=read_behaviour(behaviour),
    )
    with atomic_write(path) as temporary:
        write(temporary, contents)
        try:
            inspected(temporary)
        except InputError as error:
            raise InputError(str(error).replace(str(temporary), str(path))) from None
    return path


def _frame_times(
    about: WrittenSession, source: Path, rate_hz: float, frames: int, table: Path | None
) -> np.ndarray:
    if table is None:
        rate_hz = about.rate_hz or rate_hz
        if not rate_hz:
            raise InputError(f"{source} tells no rate of imaging: write rate_hz for the session")
        return about.first_frame_s + np.arange(frames) / rate_hz
    if said := {"rate_hz", "first_frame_s"} & about.model_fields_set:
        raise InputError(f"{table} and {min(said)} both tell when frames were imaged: keep one")
    return read_frame_times(table, frames)

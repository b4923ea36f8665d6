"""Check a recording of the user's, link to it, and write its record."""

import os

from glasscortex.data.nwb import read
from glasscortex.data.record import Record
from glasscortex.files import atomic_write
from glasscortex.local import entrance, zarr_of
from glasscortex.stages.arguments import Input, Output


def link(
    *,
    source: Input,
    nwb: Output,
    record: Output,
) -> None:
    """Check a recording of the user's, link to it, and write its record."""
    source = zarr_of(source) or source
    session_id = read(source).metadata.session_id
    with atomic_write(nwb) as temporary:
        os.symlink(entrance(source).resolve(), temporary)
    Record.of(source, session_id=session_id, source=str(source)).write(record)

"""A session's NWB file, downloaded and checked.

Needs no more than numpy, h5py and tqdm, so that it also runs in AllenSDK's environment.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path

from glasscortex.data.nwb import read
from glasscortex.data.patience import Tries
from glasscortex.data.record import Record
from glasscortex.data.transfer import Fetch, obtain
from glasscortex.errors import InputError
from glasscortex.files import atomic_write, remove_stale

Whole = Callable[[Path, str], Record]
"""Gives the record of a file from a source, or raises InputError where it is not the whole file
of its session."""

logger = logging.getLogger(__name__)


def download(
    *,
    session_id: str,
    fetch: Fetch,
    whole: Whole,
    kept: Path,
    nwb: Path,
    record: Path,
    tries: Tries,
) -> None:
    """Make sure that a session's NWB file is kept, whole; leave a link to it, and its record.

    A whole file that is there is kept, and nothing is fetched.

    Parameters
    ----------
    session_id : str
        For messages.
    fetch : callable
        The route.
    whole : callable
        Tells whether a file is whole.
    kept : Path
        Where the file is kept, in a folder that pipelines may share.
    nwb, record : Path
        Link to it, and JSON, to write.
    tries : Tries
        Patience with the server.

    Raises
    ------
    InputError
        The file did not arrive whole. Names session, URL and remedy; nothing stands under a final
        name that did not stand there before.
    """
    described = _there(session_id, whole, kept) or _fetched(session_id, fetch, whole, kept, tries)
    # The record first: a file under its final name then always has one.
    described.write(record)
    with atomic_write(nwb) as temporary:
        os.symlink(os.path.relpath(kept.resolve(), nwb.parent.resolve()), temporary)


def _there(session_id: str, whole: Whole, kept: Path) -> Record | None:
    """The record of a whole file that was kept."""
    if not kept.is_file():
        return None
    try:
        record = whole(kept, "found in the cache")
    except InputError as error:
        logger.warning("session %s: %s", session_id, error)
        return None
    remove_stale(kept)
    logger.info("session %s: %s is there and whole", session_id, kept)
    return record


def _fetched(session_id: str, fetch: Fetch, whole: Whole, kept: Path, tries: Tries) -> Record:
    arrived: list[Record] = []
    obtain(
        kept,
        fetch,
        lambda temporary, url: arrived.append(whole(temporary, url)),
        what=f"session {session_id}",
        tries=tries,
    )
    record = arrived[-1]
    logger.info("session %s: %d bytes from %s are whole", session_id, record.bytes, record.source)
    return record


class Noted:
    """Tells whether a file is whole of which no checksum is published.

    It is what its record in the same folder says; where there is none, it passes `check`, and
    then has one.

    Parameters
    ----------
    session_id : str
        The session.
    kept : Path
        Where the file is kept.
    """

    def __init__(self, session_id: str, kept: Path):
        self.session_id, self.kept = session_id, kept

    def __call__(self, path: Path, source: str) -> Record:
        beside = self.kept.with_suffix(".json")
        remove_stale(beside)
        if path == self.kept and beside.exists():
            record = Record.read(beside)
            if record.session_id != self.session_id or not record.describes(path):
                raise InputError(f"{path} is not the file of {beside.name}: download it again")
            return record
        check(path, self.session_id)
        record = Record.of(path, session_id=self.session_id, source=source)
        record.write(beside)  # before the file has its name, as in `download`
        return record


def check(path: Path, session_id: str) -> None:
    """Check that a file is the whole recording of a session.

    HDF5 opens it, it has the groups of the layout, timestamps rise, all traces have the same
    cells and frames, presentations lie within them, and it names the session.

    Raises
    ------
    InputError
        It is not.
    """
    recording = read(path)
    named = recording.metadata.session_id
    if named != session_id:
        raise InputError(f"{path} holds session {named}, not {session_id}: download it again")
    recording.check_traces()

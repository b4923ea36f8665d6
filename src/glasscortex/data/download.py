"""A session's NWB file, downloaded and checked.

Needs no more than numpy, h5py and tqdm, so that it also runs in AllenSDK's environment.
"""

import logging
import os
from pathlib import Path

from glasscortex.data.nwb import read
from glasscortex.data.record import Record
from glasscortex.data.transfer import Fetch, Tries, obtain
from glasscortex.errors import InputError
from glasscortex.files import atomic_write, remove_stale

logger = logging.getLogger(__name__)


def download(
    *, session_id: str, fetch: Fetch, cache: Path, nwb: Path, record: Path, tries: Tries
) -> None:
    """Make sure that the cache holds a session's NWB file, whole; leave a link and its record.

    The cache holds `<session>.nwb` and `<session>.json`. A file with the recorded SHA-256 is
    kept, and nothing is fetched; so is a file without a record that passes the checks of
    `check`. Everything else is fetched anew.

    Parameters
    ----------
    session_id : str
        Also the stem of the cache's two files.
    fetch : callable
        The route.
    cache : Path
        Folder of downloads, which pipelines may share.
    nwb, record : Path
        Link into the cache, and JSON, to write.
    tries : Tries
        Patience with the server.

    Raises
    ------
    InputError
        The file did not arrive whole. Names session, URL and remedy; nothing stands under a final
        name that did not stand there before.
    """
    kept = _in_cache(session_id, Path(cache)) or _fetched(session_id, fetch, Path(cache), tries)
    kept_at = Path(cache, f"{session_id}.nwb").resolve()
    with atomic_write(nwb) as temporary:
        os.symlink(os.path.relpath(kept_at, nwb.parent.resolve()), temporary)
    kept.write(record)


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


def _in_cache(session_id: str, cache: Path) -> Record | None:
    """The record of a whole file in the cache."""
    nwb, beside = cache / f"{session_id}.nwb", cache / f"{session_id}.json"
    for path in (nwb, beside):
        remove_stale(path)
    if not nwb.is_file():
        return None
    try:
        if beside.exists():
            record = Record.read(beside)
            if record.session_id != session_id or not record.describes(nwb):
                raise InputError(f"{nwb} is not the file of {beside.name}: download it again")
        else:
            check(nwb, session_id)
            record = Record.of(nwb, session_id=session_id, source="found in the cache")
            record.write(beside)
    except InputError as error:
        logger.warning("session %s: %s", session_id, error)
        return None
    logger.info("session %s: %s is there and whole", session_id, nwb)
    return record


def _fetched(session_id: str, fetch: Fetch, cache: Path, tries: Tries) -> Record:
    def finish(temporary: Path, url: str) -> None:
        check(temporary, session_id)
        # The record first: a file under its final name then always has one.
        Record.of(temporary, session_id=session_id, source=url).write(beside)

    nwb, beside = cache / f"{session_id}.nwb", cache / f"{session_id}.json"
    obtain(nwb, fetch, finish, what=f"session {session_id}", tries=tries)
    record = Record.read(beside)
    logger.info("session %s: %d bytes from %s are whole", session_id, record.bytes, record.source)
    return record

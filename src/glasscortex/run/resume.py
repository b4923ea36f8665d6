"""After a kill, the same command goes on."""

import base64
import fcntl
import shutil
from pathlib import Path
from typing import IO


def go_on_after_a_kill(state: Path = Path(".snakemake")) -> IO[str] | None:
    """Clear what a killed run left: its lock, and outputs that it had not yet recorded.

    Snakemake would refuse to go on for either. Every run shares a lock of ours, which ends with
    its process; only one that can have it for itself knows that no other lives.

    Parameters
    ----------
    state : Path
        Folder in which Snakemake keeps its records.

    Returns
    -------
    file or None
        What holds the lock for as long as it is open; None on a file system without locks, where
        nothing is known and so nothing is cleared.
    """
    state.mkdir(exist_ok=True)
    running = (state / "running").open("w")
    try:
        fcntl.flock(running, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(running, fcntl.LOCK_SH)
        return running
    except OSError:
        return None
    shutil.rmtree(state / "locks", ignore_errors=True)
    for output in unrecorded(state):
        if output.is_dir() and not output.is_symlink():
            shutil.rmtree(output)
        else:
            output.unlink(missing_ok=True)
    fcntl.flock(running, fcntl.LOCK_SH)
    return running


def unrecorded(state: Path) -> list[Path]:
    """The outputs that Snakemake marked as begun and not as ended.

    Parameters
    ----------
    state : Path
        Folder in which Snakemake keeps its records.

    Returns
    -------
    list of Path
        As a rule names them.
    """
    marks = state / "incomplete"
    files = [path for path in marks.rglob("*") if path.is_file()]
    names = [path.relative_to(marks).parts for path in files if path.name != "migration_underway"]
    words = ("".join(part.removeprefix("@") for part in name) for name in names)
    return [Path(base64.urlsafe_b64decode(word).decode()) for word in words]

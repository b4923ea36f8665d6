"""After a kill, the same command goes on."""

import base64
import fcntl
import shutil
from pathlib import Path

STATE = Path(".snakemake")


def go_on_after_a_kill():
    """Clear what a killed run left: its lock, and outputs that it had not yet recorded.

    Snakemake would refuse to go on for either. Every run shares a lock of ours, which ends with
    its process; only one that can have it for itself knows that no other lives.
    """
    STATE.mkdir(exist_ok=True)
    running = open(STATE / "running", "w")
    try:
        fcntl.flock(running, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(running, fcntl.LOCK_SH)
        return running
    except OSError:
        return None  # a file system without locks: nothing is known, so nothing is cleared
    shutil.rmtree(STATE / "locks", ignore_errors=True)
    marks = STATE / "incomplete"
    files = [path for path in marks.rglob("*") if path.is_file()]
    for mark in [path for path in files if path.name != "migration_underway"]:
        words = (part.removeprefix("@") for part in mark.relative_to(marks).parts)
        output = Path(base64.urlsafe_b64decode("".join(words)).decode())
        if output.is_dir() and not output.is_symlink():
            shutil.rmtree(output)
        else:
            output.unlink(missing_ok=True)
    fcntl.flock(running, fcntl.LOCK_SH)
    return running


RUNNING = go_on_after_a_kill() if workflow.is_main_process else None

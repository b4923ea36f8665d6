"""After a kill, the same command goes on, and knows what each file was made from."""

import base64
import contextlib
import copy
import fcntl
import os
import shutil
from pathlib import Path
from typing import IO, Any

from glasscortex.errors import InputError
from glasscortex.run.slurm import PATIENCE_S, end_jobs_left_by_a_kill

MARK = "GLASSCORTEX_RUN"
"""Variable that tells a job's processes where their Snakemake keeps its records."""


def go_on_after_a_kill(
    state: Path = Path(".snakemake"), *, dry_run: bool = False
) -> IO[str] | None:
    """Clear what a killed run left: its jobs, its lock, and outputs that it had not yet recorded.

    Jobs that still run, here or on Slurm, would write what this run's jobs write; for a lock and
    for outputs without a record Snakemake would refuse to go on. Every run shares a lock of ours,
    which ends with its process; only one that can have it for itself knows that no other lives.

    Parameters
    ----------
    state : Path
        Folder in which Snakemake keeps its records.
    dry_run : bool
        Whether jobs are left alone.

    Returns
    -------
    file or None
        What holds the lock for as long as it is open; None on a file system without locks, where
        nothing is known and so nothing is cleared.

    Raises
    ------
    InputError
        The folder cannot be written, or jobs of a killed run do not end.
    """
    try:
        state.mkdir(exist_ok=True)
        running = (state / "running").open("w")
    except OSError as error:
        raise InputError(
            f"{state.absolute()} cannot be written ({error.strerror}): start snakemake in a "
            "folder of your own, with --snakefile and --configfile"
        ) from None
    os.environ[MARK] = str(state.resolve())
    try:
        fcntl.flock(running, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(running, fcntl.LOCK_SH)
        return running
    except OSError:
        return None
    if not dry_run and (unrecorded(state) or any((state / "locks").glob("*"))):
        end_jobs_left_by_a_kill(state.absolute().parent)
        end_processes_left_by_a_kill(state)
    shutil.rmtree(state / "locks", ignore_errors=True)
    for output in unrecorded(state):
        if output.is_dir() and not output.is_symlink():
            shutil.rmtree(output)
        else:
            output.unlink(missing_ok=True)
    fcntl.flock(running, fcntl.LOCK_SH)
    return running


def end_processes_left_by_a_kill(state: Path) -> None:
    """Kill the jobs on this machine that outlived their Snakemake, and wait for their end.

    To be called only where no other run lives in the folder.

    Parameters
    ----------
    state : Path
        Folder in which Snakemake keeps its records.
    """
    import psutil

    left = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(MARK) == str(state.resolve()):
                process.kill()
                left.append(process)
    psutil.wait_procs(left, PATIENCE_S)


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


def record_where_jobs_run() -> None:
    """Let a job that runs elsewhere record by itself what its outputs were made from.

    Snakemake on a cluster's node only takes the mark of the begun job away, and leaves the record
    to the main process. Where that one was killed before, nothing tells of the settings of the
    job, and others are never seen to differ.
    """
    from snakemake.persistence import PersistenceBase
    from snakemake_interface_executor_plugins.settings import ExecMode

    finished = PersistenceBase.finished

    async def as_the_main_process_does(persistence: PersistenceBase, job: Any) -> None:
        alike = copy.copy(persistence)
        workflow = _Changed(persistence.dag.workflow, exec_mode=ExecMode.DEFAULT)
        alike.dag = _Changed(persistence.dag, workflow=workflow)
        await finished(alike, job)

    PersistenceBase.finished = as_the_main_process_does


class _Changed:
    """An object, but for some of its attributes."""

    def __init__(self, original: Any, **attributes: Any):
        self._original = original
        vars(self).update(attributes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

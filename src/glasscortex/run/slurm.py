"""A Slurm that tells when a job has ended, and on which no job outlives its run unseen."""

import logging
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from glasscortex.errors import InputError

logger = logging.getLogger(__name__)

RUN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
"""How the name of a job ends that Snakemake's plugin submitted: with the id of its run."""
PATIENCE_S = 60.0
PAUSE_S = 20.0


def refuse_jobs_whose_end_is_never_told() -> None:
    """Let Snakemake's Slurm plugin submit only where the end of a job can be seen.

    Where Slurm keeps no accounting, `sacct` knows of no job and `squeue` forgets those that ended
    a while ago. The plugin takes a job that it is told nothing of for one that still waits.
    """
    from snakemake.exceptions import WorkflowError

    try:
        from snakemake_executor_plugin_slurm import Executor
    except ImportError:
        return

    start = Executor.__post_init__

    def start_if_ends_are_told(executor: Any, *arguments: Any, **options: Any) -> None:
        interval = executor.workflow.executor_settings.init_seconds_before_status_checks
        if reason := never_told(executor.get_status_command(), interval, settings()):
            raise WorkflowError(reason)
        start(executor, *arguments, **options)

    Executor.__post_init__ = start_if_ends_are_told


def never_told(command: str, interval: float, slurm: dict[str, str]) -> str | None:
    """Why the end of a job would not be seen, and what to set; None where it is.

    Parameters
    ----------
    command : str
        That the plugin asks: "sacct" or "squeue".
    interval : float
        Seconds between two questions, at first.
    slurm : dict
        Slurm's own settings; empty where they are not known.

    Returns
    -------
    str or None
        One line.

    Examples
    --------
    >>> slurm = {"AccountingStorageType": "accounting_storage/none", "MinJobAge": "300 sec"}
    >>> never_told("squeue", 40, slurm)
    >>> never_told("sacct", 40, slurm).partition(": ")[2]
    'set slurm-status-command: squeue in the profile'
    """
    if slurm.get("AccountingStorageType", "").removeprefix("accounting_storage/") != "none":
        return None
    if command != "squeue":
        return (
            f"Slurm keeps no accounting here, so that {command} knows of no job: "
            "set slurm-status-command: squeue in the profile"
        )
    remembered = int((slurm.get("MinJobAge", "").split() or ["0"])[0])
    if remembered < 3 * interval:  # then the plugin asks sacct all the same
        return (
            "Slurm keeps no accounting here, and forgets a job "
            f"{remembered} s after its end (MinJobAge): set "
            f"slurm-init-seconds-before-status-checks: {max(1, remembered // 3)} in the profile"
        )
    return None


def settings() -> dict[str, str]:
    """Slurm's own settings, as `scontrol show config` has them; none where it does not answer."""
    told = _said("scontrol", "show", "config") or ""
    return dict(re.findall(r"^(\w+) *= (.*?) *$", told, re.MULTILINE))


def wait_where_slurm_does_not_answer(pause_s: float = PAUSE_S) -> None:
    """Let Snakemake's Slurm plugin ask and submit again while the scheduler is down or busy.

    After five questions without an answer the plugin forgets the jobs that run, and waits for
    ever; a job that cannot be submitted counts as one that failed. Nor does it take a job for
    ended that was preempted and not put back into the queue.

    Parameters
    ----------
    pause_s : float
        Seconds until it is asked again whether it takes a job.
    """
    try:
        import snakemake_executor_plugin_slurm as plugin
    except ImportError:
        return

    asked, submit = plugin.query_job_status, plugin.Executor.run_job

    async def ask(command: str, log: Any) -> tuple[dict[str, str], float]:
        states, seconds = await asked(command, log)
        if states is None:  # nothing is told of any job, so that all are asked for next time
            logger.warning("Slurm does not answer: asking again later")
            return {}, 0.0
        if command.startswith("squeue"):  # which has a job that was put back as pending
            states = {job: state.replace("PREEMPTED", "CANCELLED") for job, state in states.items()}
        return states, seconds

    def submit_once_slurm_answers(executor: Any, job: Any) -> None:
        while shutil.which("scontrol") and _said("scontrol", "ping") is None:
            logger.warning("Slurm does not answer: submitting in %g s", pause_s)
            time.sleep(pause_s)
        submit(executor, job)

    plugin.query_job_status = ask
    plugin.Executor.run_job = submit_once_slurm_answers


def end_jobs_left_by_a_kill(folder: Path, patience_s: float = PATIENCE_S) -> None:
    """Cancel the jobs that a killed Snakemake left in Slurm's queue, and wait until they ended.

    They would write the same files as those that this run submits in their place. To be called
    only where no other run lives in the folder.

    Parameters
    ----------
    folder : Path
        In which Snakemake was started.
    patience_s : float
        How long to wait.

    Raises
    ------
    InputError
        They have not ended by then, or Slurm does not tell.
    """
    left = jobs_in(folder)
    if left is None and (folder / ".snakemake/slurm_logs").exists():
        raise InputError(
            f"Slurm does not answer, and may still run jobs of an earlier run in {folder}: run the "
            "same command again once squeue answers"
        )
    if not left:
        return
    logger.warning("cancelling jobs of a run that was killed: %s", " ".join(left))
    _said("scancel", *left)
    patient_until = time.monotonic() + patience_s
    while jobs_in(folder) != []:
        if time.monotonic() > patient_until:
            raise InputError(
                f"jobs {' '.join(left)} of an earlier run in {folder} do not end: cancel them "
                "(scancel), wait until squeue lists them no more, and run the same command again"
            )
        time.sleep(0.5)


def jobs_in(folder: Path) -> list[str] | None:
    """Ids of the jobs that Snakemake submitted from a folder and that have not ended.

    None where no Slurm answers.
    """
    listed = _said("squeue", "--me", "--noheader", "--format=%A|%j|%Z")
    if listed is None:
        return None
    return [
        number
        for number, name, where in (line.split("|", 2) for line in listed.splitlines())
        if RUN.search(name) and Path(where).resolve() == folder.resolve()
    ]


def _said(*command: str) -> str | None:
    """What a command of Slurm's says; None where there is none or it does not answer."""
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout if said.returncode == 0 else None

"""A Slurm of two nodes on this machine."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "squeue", "munge", "munged")
PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
SETTINGS = Path("/etc/slurm/slurm.conf")
"""Where Slurm looks inside jobs, whatever SLURM_CONF says outside."""
NODES = ("n1", "n2")

CONFIGURATION = """\
ClusterName=glasscortex
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=26817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_interval=1
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
MinJobAge=3600
SlurmdTimeout=5
KillWait=2
JobRequeue=0
NodeName=n[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[26821-26822] CPUs=8 RealMemory=100000
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
PartitionName=all Nodes=n[1-2] Default=YES LLN=YES PriorityTier=1
PartitionName=urgent Nodes=n[1-2] PriorityTier=2
"""
"""No accounting, no cgroups; jobs go to the emptier node, memory is looked at each second."""


def unavailable() -> str | None:
    """Why there can be no Slurm here; None where there can."""
    if missing := [name for name in PROGRAMS if not shutil.which(name, path=PLACES)]:
        return f"no Slurm is installed ({', '.join(missing)})"
    if os.getuid() != 0:
        return "Slurm's daemons have to be started by root"
    if SETTINGS.exists():
        return f"this machine belongs to a Slurm already ({SETTINGS})"
    return None


class Job(NamedTuple):
    """A job as squeue lists it."""

    number: str
    state: str
    node: str
    comment: str


class Cluster:
    """A Slurm of two nodes, up for as long as the block lasts.

    Parameters
    ----------
    folder : Path
        Receives its settings, its logs and its state.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.munged: subprocess.Popen | None = None

    def __enter__(self) -> "Cluster":
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "state").mkdir(mode=0o700)
        host = os.uname().nodename.split(".")[0]
        settings = self.folder / "slurm.conf"
        settings.write_text(CONFIGURATION.format(host=host, folder=self.folder))
        SETTINGS.parent.mkdir(exist_ok=True)
        SETTINGS.unlink(missing_ok=True)  # a link that leads nowhere
        SETTINGS.symlink_to(settings)
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    def _start(self) -> None:
        if subprocess.run(["munge", "--no-input"], capture_output=True).returncode:
            run = Path("/run/munge")
            run.mkdir(mode=0o755, exist_ok=True)
            shutil.chown(run, "munge", "munge")
            self.munged = subprocess.Popen(
                ["/usr/sbin/runuser", "-u", "munge", "--", "/usr/sbin/munged", "--foreground"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            wait_for(
                lambda: not subprocess.run(["munge", "--no-input"], capture_output=True).returncode
            )
        self.start_controller()
        for node in NODES:
            self.start_node(node)
        wait_for(lambda: set(said("sinfo", "-hNo", "%N", "-t", "idle").split()) == set(NODES))

    def _stop(self) -> None:
        said("scancel", "--state=RUNNING")
        said("scancel", "--state=PENDING")
        for name in ("slurmctld", *NODES):
            end(self.folder / f"{name}.pid", signal.SIGTERM)
        if self.munged:
            self.munged.terminate()
            self.munged.wait()
        SETTINGS.unlink(missing_ok=True)

    def start_controller(self) -> None:
        subprocess.run(["slurmctld"], check=True, env={**os.environ, "PATH": PLACES})

    def kill_controller(self) -> None:
        end(self.folder / "slurmctld.pid", signal.SIGKILL)

    def start_node(self, name: str) -> None:
        subprocess.run(["slurmd", "-N", name], check=True, env={**os.environ, "PATH": PLACES})

    def kill_node(self, name: str) -> None:
        """SIGKILL to a node's daemon and to all that runs there."""
        end(self.folder / f"{name}.pid", signal.SIGKILL)
        numbers = "|".join(job.number for job in self.jobs() if job.node == name)
        signal_all(
            signal.SIGKILL,
            lambda command, environment: (
                (numbers and re.match(rf"slurmstepd: \[({numbers})\.", command))
                or f"SLURMD_NODENAME={name}" in environment
            ),
        )

    def overrun(self, number: str) -> None:
        """Let a job stand still for longer than it may run, which from now on is a minute."""
        signal_all(
            signal.SIGSTOP, lambda command, environment: f"SLURM_JOB_ID={number}" in environment
        )
        said("scontrol", "update", f"JobId={number}", "TimeLimit=1")

    def preempt(self, node: str) -> None:
        """Have a more urgent job take the place of all that run on a node."""
        said("sbatch", "-p", "urgent", "-w", node, "--exclusive", "-o", "/dev/null", "--wrap=true")

    def jobs(self) -> list[Job]:
        """All jobs since the start, ended ones too, in the order of their submission."""
        listed = said("squeue", "--states=all", "--sort=i", "--noheader", "--format=%i|%T|%N|%k")
        return [Job(*line.split("|", 3)) for line in listed.splitlines()]


def said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True).stdout


def signal_all(how: signal.Signals, chosen: Callable[[str, list[str]], object]) -> None:
    """Signal the processes that are chosen by their command and their environment."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
            environment = (process / "environ").read_bytes().decode(errors="replace")
            if chosen(command, environment.split("\0")):
                os.kill(int(process.name), how)
        except OSError:
            continue


def end(pid: Path, how: signal.Signals) -> None:
    """Signal the daemon that wrote the file, and wait until it is gone."""
    if not pid.exists():
        return
    number = int(pid.read_text())
    try:
        os.kill(number, how)
        wait_for(lambda: not lives(number))
    except ProcessLookupError:
        pass


def lives(number: int) -> bool:
    """Whether a process is there, and not only waits to be asked how it ended."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def wait_for(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Return once the condition holds; TimeoutError if that takes too long."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("what was waited for did not come")
        time.sleep(0.1)

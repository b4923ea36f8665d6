"""The commands of a route, as the workflow runs them, and what they must leave."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from glasscortex.files import sha256
from tests.allen.client import ROOT, SCRIPT

ROUTES = [
    pytest.param(route, marks=pytest.mark.xdist_group(f"allen {route}")) for route in ("s3", "api")
]
"""What needs AllenSDK's environment shares a process."""
QUICK = {"attempts": 3, "backoff_s": 0.01, "stall_s": 0.4}


def allensdk_python() -> str:
    """The interpreter of AllenSDK's environment, which `uv run --script` would use."""
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "sync", "--quiet", "--script", SCRIPT], check=True)
    found = subprocess.run(
        [*uv, "python", "find", "--script", SCRIPT], check=True, capture_output=True, text=True
    )
    return found.stdout.strip()


class Client:
    """Runs commands of a route in forks of one process (see client.py).

    `prefix` is a command that the process is run by.
    """

    def __init__(self, route: str, prefix: Iterable[str] = ()):
        python = allensdk_python() if route == "api" else sys.executable
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "no_proxy": "127.0.0.1"}
        self.route = route
        self.process = subprocess.Popen(
            [*prefix, python, ROOT / "tests/allen/client.py", route],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self._answer() == "ready"

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()

    def start(self, commands: list[list[str]], log: Path, most_bytes: int | None = None) -> int:
        """Run commands one after the other, the first that fails is the last; the process id.

        No file may grow beyond `most_bytes`.
        """
        return self._order("start", commands, str(log), most_bytes)

    def wait(self, pid: int) -> int:
        """The exit status; a signal's number, negative."""
        return self._order("wait", pid)

    def _order(self, *order):
        print(json.dumps(order), file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self):
        return json.loads(self.process.stdout.readline())


@dataclass
class Downloads:
    """A folder that sessions are downloaded to, from a server, by a route."""

    client: Client
    world: Path
    address: str
    folder: Path

    def command(self, session: str, **settings) -> list[str]:
        raw = self.folder / "raw"
        return [
            *("download", "--session", session, "--config", self.settings(**settings)),
            *("--cache", str(self.folder / "cache")),
            *("--nwb", str(raw / f"{session}.nwb"), "--record", str(raw / f"{session}.json")),
        ]

    def settings(self, **settings) -> str:
        of_all = {"route": self.client.route, "base_uri": self.address, **QUICK}
        return json.dumps({**of_all, **settings})

    def run(self, command: list[str], most_bytes: int | None = None) -> str:
        """What the one line of error says; nothing where the command ended well."""
        log = self.folder / "log"
        log.unlink(missing_ok=True)
        self.folder.mkdir(exist_ok=True)
        code = self.client.wait(self.client.start([command], log, most_bytes))
        output = log.read_text()
        assert "Traceback" not in output, output
        errors = [line for line in output.splitlines() if line.startswith("error: ")]
        assert (code, len(errors)) in ((0, 0), (1, 1)), output
        return errors[0] if errors else ""

    def download(self, session: str, most_bytes: int | None = None, **settings) -> str:
        return self.run(self.command(session, **settings), most_bytes)

    def catalogue(self, **settings) -> str:
        # the web service is waited for ten times as long, as it gathers all rows first
        stall_s = QUICK["stall_s"] / (10 if self.client.route == "api" else 1)
        return self.run(
            [
                *("catalogue", "--config", self.settings(stall_s=stall_s, **settings)),
                *("--experiments", str(self.folder / "allen/ophys_experiments.json")),
                *("--containers", str(self.folder / "allen/experiment_containers.json")),
            ]
        )

    def tables(self) -> dict[str, list[dict]]:
        """Rows by table, of all files that `catalogue` left."""
        return {path.stem: json.loads(path.read_text()) for path in self.files("allen")}

    def forget(self, session: str) -> None:
        """Remove a session, as if it had never been downloaded."""
        for path in self.files("raw", "cache"):
            if path.stem == session:
                path.unlink()

    def files(self, *folders: str) -> list[Path]:
        """What is in these folders, beside the records of how it was made."""
        found = [path for folder in folders for path in sorted((self.folder / folder).glob("*"))]
        return [path for path in found if not path.name.endswith(".provenance.json")]

    def check(self) -> set[str]:
        """That no file under a final name is bad; the sessions that are there."""
        for folder in ("raw", "cache"):
            for path in (self.folder / folder).glob("*.nwb"):
                genuine = self.world / f"ophys_experiment_data/{path.name}"
                assert path.read_bytes() == genuine.read_bytes(), path
                record = json.loads(path.with_suffix(".json").read_text())
                assert record["sha256"] == sha256(genuine)
                assert record["session_id"] == path.stem
        return {path.stem for path in (self.folder / "raw").glob("*.nwb")}

    def check_whole(self, *sessions: str) -> None:
        """That there are these sessions, whole, and nothing else."""
        assert self.check() == set(sessions)
        names = sorted(f"{session}.{end}" for session in sessions for end in ("nwb", "json"))
        assert [path.name for path in self.files("raw")] == names
        assert [path.name for path in self.files("cache")] == names

    def check_nothing(self) -> None:
        """That there is no file, not even in a hidden folder."""
        left = [path for path in self.folder.rglob("*") if path.is_file()]
        assert left == [self.folder / "log"]

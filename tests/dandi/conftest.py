"""A small dandiset behind a server of this machine, and what downloads it."""

import csv
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from glasscortex.config import DandiConfig
from glasscortex.data.record import Record
from glasscortex.errors import InputError
from glasscortex.files import sha256
from glasscortex.stages.download_asset import download_asset
from glasscortex.stages.list_dandiset import list_dandiset
from tests.dandi import worlds
from tests.dandi.server import Server


@pytest.fixture(scope="session")
def dandiset(tmp_path_factory) -> Path:
    """A folder as the archive, with two sessions of two mice, each with its raw movie."""
    folder = tmp_path_factory.mktemp("archive")
    worlds.write(folder)
    return folder


@pytest.fixture
def server(dandiset, monkeypatch) -> Iterator[Server]:
    """Serves the dandiset; no fault is ordered."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server(dandiset) as server:
        yield server


@dataclass
class Source:
    """What the workflow asks of the archive, into a folder."""

    server: Server
    folder: Path
    settings: dict = field(default_factory=dict)

    def config(self, **settings) -> DandiConfig:
        of_all = {
            "dandiset": worlds.DANDISET,
            "version": worlds.VERSION,
            "glob": worlds.RECORDINGS,
            "base_uri": self.server.api,
            "attempts": 3,
            "backoff_s": 1e-9,
            "stall_s": 0.3,
        }
        return DandiConfig(**{**of_all, **settings})

    def listed(self, **settings) -> list[dict[str, str]]:
        """The rows of the list of recordings."""
        path = self.folder / "recordings.csv"
        path.unlink(missing_ok=True)
        list_dandiset(recordings=path, config=self.config(**settings))
        with open(path, newline="") as file:
            return list(csv.DictReader(file))

    def download(self, listed: dict[str, str], **settings) -> None:
        session, raw = listed["session_id"], self.folder / "raw"
        download_asset(
            session=session,
            listed=listed,
            cache=self.folder / "cache",
            nwb=raw / f"{session}.nwb",
            record=raw / f"{session}.json",
            config=self.config(**settings),
        )

    def fails(self, listed: dict[str, str], **settings) -> str:
        """The one line of error of a download."""
        with pytest.raises(InputError) as error:
            self.download(listed, **settings)
        assert "\n" not in str(error.value)
        assert "Signature" not in str(error.value)
        return str(error.value)

    def kept(self, listed: dict[str, str]) -> Path:
        return self.folder / "cache" / worlds.DANDISET / listed["path"]

    def genuine(self, listed: dict[str, str]) -> Path:
        return self.server.folder / worlds.DANDISET / worlds.VERSION / listed["path"]

    def check(self, *rows: dict[str, str]) -> set[str]:
        """That no file under a final name is bad; the sessions that are there."""
        there = set()
        for listed in rows:
            for path in (self.kept(listed), self.folder / f"raw/{listed['session_id']}.nwb"):
                if path.exists():
                    assert path.read_bytes() == self.genuine(listed).read_bytes(), path
            record = self.folder / f"raw/{listed['session_id']}.json"
            if record.exists():
                assert Record.read(record).sha256 == sha256(self.genuine(listed))
                there.add(listed["session_id"])
        return there

    def forget(self, listed: dict[str, str]) -> None:
        """Remove a session, as if it had never been downloaded."""
        shutil.rmtree(self.kept(listed).parent, ignore_errors=True)
        for path in (self.folder / "raw").glob(f"{listed['session_id']}.*"):
            path.unlink()

    def asked(self, kind: str) -> int:
        return [what for what, _ in self.server.requests].count(kind)


@pytest.fixture
def source(server, tmp_path) -> Source:
    return Source(server, tmp_path)


@pytest.fixture(scope="session")
def rows(dandiset, tmp_path_factory) -> list[dict[str, str]]:
    """The list of recordings, of a server without faults."""
    with pytest.MonkeyPatch.context() as patch, Server(dandiset) as server:
        patch.setenv("no_proxy", "127.0.0.1")
        return Source(server, tmp_path_factory.mktemp("listed")).listed(stall_s=10)

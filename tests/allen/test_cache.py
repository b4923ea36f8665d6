"""What is there and whole is not fetched again; what cannot fit is not begun."""

import itertools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from glasscortex.data.download import Noted, download
from glasscortex.data.patience import Tries
from glasscortex.errors import InputError
from tests.allen.routes import ROUTES, Client, Downloads
from tests.allen.worlds import CONTAINERS

FIRST, SECOND, *_ = SESSIONS = [session for three in CONTAINERS.values() for session in three]
NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")


both_routes = pytest.mark.parametrize("route", ROUTES, scope="session")
bucket = pytest.mark.parametrize("route", ROUTES[:1], scope="session")


@pytest.fixture
def whole(downloads, server) -> Downloads:
    """Two sessions that have been downloaded."""
    for session in (FIRST, SECOND):
        assert downloads.download(session) == ""
    server.requests.clear()
    return downloads


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 3)


def flip(path: Path) -> None:
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


def empty(path: Path) -> None:
    path.write_bytes(b"")


@both_routes
def test_whole_files_cause_no_request(whole, server):
    server.stop()
    for session in (FIRST, SECOND):
        assert whole.download(session) == ""
    whole.check_whole(FIRST, SECOND)
    assert server.requests == []


@bucket
@pytest.mark.parametrize("damage", [truncate, flip, empty, Path.unlink])
def test_only_the_damaged_file_is_fetched_again(whole, server, damage):
    damage(whole.folder / f"cache/{FIRST}.nwb")
    for session in (FIRST, SECOND):
        assert whole.download(session) == ""
    whole.check_whole(FIRST, SECOND)
    assert server.requests
    assert not [request for _, request in server.requests if SECOND in request]


@bucket
@pytest.mark.parametrize("damage", [truncate, empty])
def test_a_file_with_a_damaged_record_is_fetched_again(whole, server, damage):
    damage(whole.folder / f"cache/{FIRST}.json")
    assert whole.download(FIRST) == ""
    whole.check_whole(FIRST, SECOND)
    assert [kind for kind, _ in server.requests].count("file") == 1


@bucket
def test_a_file_put_there_by_hand_is_checked_and_kept(whole, server):
    (whole.folder / f"cache/{FIRST}.json").unlink()
    assert whole.download(FIRST) == ""
    whole.check_whole(FIRST, SECOND)
    assert server.requests == []


@bucket
def test_a_bad_file_put_there_by_hand_is_fetched(whole, server):
    (whole.folder / f"cache/{FIRST}.json").unlink()
    truncate(whole.folder / f"cache/{FIRST}.nwb")
    assert whole.download(FIRST) == ""
    whole.check_whole(FIRST, SECOND)


@bucket
def test_a_damaged_file_stays_out_of_reach_while_the_server_is_down(whole, server):
    flip(whole.folder / f"cache/{FIRST}.nwb")
    server.stop()
    assert f"session {FIRST}" in whole.download(FIRST, attempts=1)


@both_routes
def test_two_processes_that_fetch_the_same_session(downloads, server):
    server.order(itertools.repeat("slow"))
    downloads.folder.mkdir()
    command = downloads.command(FIRST)
    logs = [downloads.folder.parent / name for name in ("one", "two")]
    processes = [downloads.client.start([command], log) for log in logs]
    assert [downloads.client.wait(process) for process in processes] == [0, 0]
    downloads.check_whole(FIRST)


@both_routes
def test_a_file_that_may_not_grow_to_its_length_ends_in_one_line(downloads, server):
    error = downloads.download(FIRST, most_bytes=500_000)
    assert f"session {FIRST}" in error
    assert "free some" in error
    assert [kind for kind, _ in server.requests].count("file") == 1
    downloads.check_nothing()
    assert downloads.download(FIRST) == ""
    downloads.check_whole(FIRST)


def test_a_disk_without_room_is_refused_before_the_transfer(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=999)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    begun = tmp_path / "begun"

    def fetch(path, announce):
        announce("http://127.0.0.1/a/path?query", 1000)
        begun.touch()
        path.write_bytes(bytes(1000))

    folder = tmp_path / "cache"
    with pytest.raises(InputError) as error:
        download(
            session_id=FIRST,
            fetch=fetch,
            whole=Noted(FIRST, folder / f"{FIRST}.nwb"),
            kept=folder / f"{FIRST}.nwb",
            nwb=tmp_path / "raw" / f"{FIRST}.nwb",
            record=tmp_path / "raw" / f"{FIRST}.json",
            tries=Tries(attempts=3, backoff_s=0.01, stall_s=1, source="allen"),
        )
    message = str(error.value)
    for part in (f"session {FIRST}", "http://127.0.0.1/a/path", "needs 1000 bytes", "999 free"):
        assert part in message
    assert "free some" in message
    assert list(folder.iterdir()) == []


@pytest.mark.xdist_group("allen api")
def test_a_disk_that_fills_up_ends_in_one_line(server, tmp_path):
    """A real one: a file system of 600 kB, and a server that promises no length."""
    allowed = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True)
    if allowed.returncode:
        pytest.skip(f"no file system can be mounted here: {allowed.stderr.strip()}")
    (tmp_path / "disk").mkdir()
    mount = 'mount -t tmpfs -o size=600k tmpfs "$0" && exec "$@"'
    client = Client("api", (*NAMESPACE, "sh", "-c", mount, str(tmp_path / "disk")))
    try:
        server.order(itertools.repeat("500"), of="head")
        inside = Path(f"/proc/{client.process.pid}/root{tmp_path}/disk")
        downloads = Downloads(client, server.folder, server.address, inside / "downloads")
        error = downloads.download(FIRST)
        assert f"session {FIRST}" in error
        assert "No space left" in error
        assert "free some" in error
        downloads.check_nothing()
    finally:
        client.close()

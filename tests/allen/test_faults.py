"""Whatever the server does, a file arrives whole, or one line says why it did not."""

import contextlib
import itertools
import json
import random
import shutil
import threading

import pytest

from tests.allen.routes import ROUTES
from tests.allen.server import Server
from tests.allen.worlds import CONTAINERS
from tests.faulty_server import FAULTS

pytestmark = pytest.mark.parametrize("route", ROUTES, scope="session")

SESSIONS = [session for sessions in CONTAINERS.values() for session in sessions]
SESSION = SESSIONS[0]
HARMFUL = [fault for fault in FAULTS if fault != "slow"]


def is_clear(error: str, server, path: str) -> bool:
    """Whether the line names what, the URL's path, and what to do."""
    return f"{server.address}{path}" in error and "run the same command again" in error


def asked(server, kind: str) -> int:
    return [what for what, _ in server.requests].count(kind)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_arrives_after_a_fault(downloads, server, fault):
    server.order([fault])
    assert downloads.download(SESSION) == ""
    downloads.check_whole(SESSION)
    assert asked(server, "file") == 1 + (fault != "slow")


@pytest.mark.parametrize("fault", HARMFUL)
def test_a_fault_that_stays_ends_in_one_line(downloads, server, fault):
    server.order(itertools.repeat(fault))
    error = downloads.download(SESSION, attempts=2)
    _, path = next(request for request in server.requests if request[0] == "file")
    assert f"session {SESSION}" in error
    assert is_clear(error, server, path.removeprefix("GET "))
    downloads.check_nothing()
    assert asked(server, "file") == 2


@pytest.mark.parametrize("fault", FAULTS)
def test_the_tables_arrive_after_a_fault(downloads, server, fault):
    server.order([fault, None, fault], of="catalogue")
    assert downloads.catalogue(attempts=4) == ""
    tables = downloads.tables()
    assert set(tables) == {"ophys_experiments", "experiment_containers"}
    for name, rows in tables.items():
        genuine = json.loads((downloads.world / f"{name}.json").read_text())
        assert [row["id"] for row in rows] == [row["id"] for row in genuine]


@pytest.mark.parametrize("fault", HARMFUL)
def test_a_fault_of_the_tables_that_stays_ends_in_one_line(downloads, server, fault):
    server.order(itertools.repeat(fault), of="catalogue")
    error = downloads.catalogue(attempts=2)
    _, path = server.requests[0]
    assert "the table" in error
    assert is_clear(error, server, path.removeprefix("GET ").partition("?")[0])
    downloads.check_nothing()


def test_a_session_that_the_server_does_not_have_ends_in_one_line(downloads, server):
    error = downloads.download("1")
    assert "session 1: " in error
    assert server.address in error
    if downloads.client.route == "s3":
        assert "leave it out with the keys of select" in error
        assert len(server.requests) == 1
    else:  # the service answers with no rows, which may as well be a fault
        assert "has no data file" in error
    downloads.check_nothing()


def test_another_session_under_its_name_is_refused(downloads, server, tmp_path):
    folder = tmp_path / "swapped/ophys_experiment_data"
    folder.mkdir(parents=True)
    genuine = downloads.world / f"ophys_experiment_data/{SESSIONS[1]}.nwb"
    shutil.copy(genuine, folder / f"{SESSION}.nwb")
    server.folder = tmp_path / "swapped"
    error = downloads.download(SESSION, attempts=1)
    assert f"holds session {SESSIONS[1]}, not {SESSION}" in error
    downloads.check_nothing()


def test_refused_connection_ends_in_one_line(downloads, server):
    server.stop()
    error = downloads.download(SESSION, attempts=2)
    assert f"session {SESSION}" in error
    assert is_clear(error, server, "/")
    downloads.check_nothing()


def test_a_file_arrives_once_the_server_is_back(downloads, server):
    server.stop()
    with contextlib.ExitStack() as stack:

        def come_back():
            stack.enter_context(Server(server.folder, port=server.server_address[1]))

        later = threading.Timer(0.4, come_back)
        later.start()
        error = downloads.download(SESSION, attempts=10, backoff_s=0.1)
        later.join()
    assert error == ""
    downloads.check_whole(SESSION)


def test_two_hundred_random_faults_in_a_row_lose_nothing(downloads, server):
    rng = random.Random(1)
    waiting = rng.choices(FAULTS, k=200)

    def pour(share: float):
        while waiting:
            yield waiting.pop() if rng.random() < share else None

    for kind, share in {"lookup": 0.25, "head": 0.25, "file": 1}.items():
        server.order(pour(share), of=kind)
    for session in itertools.islice(itertools.cycle(SESSIONS), 100):
        downloads.forget(session)
        kept = downloads.check()
        error = downloads.download(session, attempts=20, backoff_s=1e-6, stall_s=0.25)
        assert not error or is_clear(error, server, "/")
        assert downloads.check() == kept | (set() if error else {session})
        if not waiting:
            break
    assert not waiting
    for session in SESSIONS:
        assert downloads.download(session) == ""
    downloads.check_whole(*SESSIONS)

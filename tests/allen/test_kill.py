"""Killed at any moment, the same commands end with the same files."""

import itertools
import os
import random
import signal
import time

import pytest

from tests.allen.routes import ROUTES
from tests.allen.worlds import CONTAINERS

pytestmark = pytest.mark.parametrize("route", ROUTES, scope="session")

SESSIONS = [list(sessions) for sessions in CONTAINERS.values()]
KILLS = 20
ROUNDS = 60
"""Most rounds for these: on a busy machine some end before they are killed."""


def test_killed_twenty_times_then_left_alone(downloads, server):
    """Two processes, of three sessions each; each time some are killed with all their children."""
    rng = random.Random(2)
    downloads.folder.mkdir()
    commands = [[downloads.command(session) for session in three] for three in SESSIONS]
    log = downloads.folder.parent / "log"
    killed = interrupted = 0
    for _ in range(ROUNDS):
        there = sorted(downloads.check())
        if there:
            downloads.forget(rng.choice(there))
        server.requests.clear()
        server.order(itertools.repeat("slow"))
        processes = [downloads.client.start(three, log) for three in commands]
        begun(server)
        time.sleep(rng.uniform(0, 0.8))
        for process in processes:
            rng.choice((os.kill, os.killpg))(process, signal.SIGKILL)
        codes = [downloads.client.wait(process) for process in processes]
        killed += -signal.SIGKILL in codes
        interrupted += bool(list(downloads.folder.glob("*/.*")))
        if killed == KILLS:
            break
    assert killed == KILLS
    assert interrupted > KILLS / 4
    server.order([])
    processes = [downloads.client.start(three, log) for three in commands]
    assert [downloads.client.wait(process) for process in processes] == [0, 0]
    downloads.check_whole(*itertools.chain(*SESSIONS))


def begun(server) -> None:
    """Wait for the first request."""
    for _ in range(3000):
        if server.requests:
            return
        time.sleep(0.01)
    raise AssertionError("nothing was asked for")

"""Simulated sessions behind a server of this machine, and clients that download them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.allen import worlds
from tests.allen.routes import Client, Downloads
from tests.allen.server import Server


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Path:
    """A folder as the public bucket, with two containers of three sessions."""
    folder = tmp_path_factory.mktemp("world")
    worlds.write(folder)
    return folder


@pytest.fixture
def server(world) -> Iterator[Server]:
    """Serves the world; no fault is ordered."""
    with Server(world) as server:
        yield server


@pytest.fixture(scope="session")
def client(route) -> Iterator[Client]:
    client = Client(route)
    yield client
    client.close()


@pytest.fixture
def downloads(client, server, tmp_path) -> Downloads:
    return Downloads(client, server.folder, server.address, tmp_path / "downloads")

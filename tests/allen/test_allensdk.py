"""What AllenSDK asks the web service besides files: where they are, and whose eye was tracked."""

import itertools

import pytest

from tests.allen.routes import ROUTES
from tests.allen.server import QUERY
from tests.allen.worlds import CONTAINERS
from tests.faulty_server import FAULTS

pytestmark = pytest.mark.parametrize("route", ROUTES[1:], scope="session")

SESSION, *_ = CONTAINERS["511510736"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_arrives_after_a_fault_of_its_lookup(downloads, server, fault):
    server.order([fault], of="lookup")
    assert downloads.download(SESSION) == ""
    downloads.check_whole(SESSION)


@pytest.mark.parametrize("fault", ["503", "html", "wrong json", "empty", "stall"])
def test_a_fault_of_the_lookup_that_stays_ends_in_one_line(downloads, server, fault):
    server.order(itertools.repeat(fault), of="lookup")
    error = downloads.download(SESSION, attempts=2)
    assert f"session {SESSION}: {server.address}{QUERY}" in error
    assert "(2 tries)" in error
    assert "run the same command again" in error
    downloads.check_nothing()


@pytest.mark.parametrize("fault", ["404", "500", "reset", "html", "nothing"])
def test_a_file_arrives_whatever_is_said_of_its_length(downloads, server, fault):
    server.order([fault], of="head")
    assert downloads.download(SESSION) == ""
    downloads.check_whole(SESSION)


def test_eye_tracking_is_what_the_query_for_it_says(downloads):
    assert downloads.catalogue() == ""
    tracked = {
        str(row["id"])
        for row in downloads.tables()["ophys_experiments"]
        if row["fail_eye_tracking"] is False
    }
    assert tracked == {session for three in CONTAINERS.values() for session in list(three)[:2]}

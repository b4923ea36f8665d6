"""The server answers, and fails, as it is told to."""

import http.client
import json
from urllib.parse import quote

import pytest

from tests.allen.server import BUCKET, DOWNLOAD, QUERY

pytestmark = pytest.mark.xdist_group("allen s3")

SESSION = "501704220"
FILE = f"{BUCKET}ophys_experiment_data/{SESSION}.nwb"


def ask(server, path, method="GET", **headers):
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=0.3)
    connection.request(method, quote(path, safe="/?:=$,[]"), headers=headers)
    answer = connection.getresponse()
    return answer, answer.read()


def rows(server, query):
    return json.loads(ask(server, f"{QUERY}?q={query}")[1])["msg"]


@pytest.fixture
def nwb(world) -> bytes:
    return (world / f"ophys_experiment_data/{SESSION}.nwb").read_bytes()


def test_the_service_and_the_bucket_hold_the_same(server, world, nwb):
    lookup = f"model::WellKnownFile,rma::criteria,[attachable_id$eq{SESSION}]"
    (file,) = rows(server, f"{lookup},well_known_file_type[name$eqNWBOphys]")
    assert ask(server, file["download_link"])[1] == nwb == ask(server, FILE)[1]
    experiments = json.loads((world / "ophys_experiments.json").read_text())
    assert rows(server, "model::OphysExperiment,rma::include,specimen(donor)") == experiments
    eyes = "model::WellKnownFile,rma::criteria,well_known_file_type[name$eqEyeDlcScreenMapping]"
    assert {row["attachable_type"] for row in rows(server, eyes)} == {"OphysSession"}
    assert [kind for kind, _ in server.requests] == [
        *("lookup", "file", "file", "catalogue", "catalogue"),
    ]


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=10-19", slice(10, 20)),
        ("bytes=1000-", slice(1000, None)),
        ("bytes=-5", slice(-5, None)),
        ("bytes=0-99999999", slice(None)),
    ],
)
def test_part_of_a_file(server, nwb, asked, part):
    answer, body = ask(server, FILE, Range=asked)
    start, stop, _ = part.indices(len(nwb))
    assert (answer.status, body) == (206, nwb[part])
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(nwb)}"


def test_head_promises_the_length(server, nwb):
    answer, body = ask(server, f"{DOWNLOAD}{SESSION}", "HEAD")
    assert (answer.headers["Content-Length"], body) == (str(len(nwb)), b"")


@pytest.mark.parametrize("path", [f"{DOWNLOAD}1", f"{BUCKET}../../a.nwb", "/", f"{BUCKET}truth"])
def test_what_is_not_there(server, path):
    assert ask(server, path)[0].status == 404


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("reset", http.client.RemoteDisconnected),
        ("stall", TimeoutError),
        ("cut", http.client.IncompleteRead),
    ],
)
def test_lost_connection(server, fault, error):
    server.order([fault])
    with pytest.raises(error):
        ask(server, FILE)
    assert ask(server, FILE)[0].status == 200


def test_body_cut_without_length_looks_whole(server, nwb):
    server.order(["cut without length"])
    answer, body = ask(server, FILE)
    assert (answer.status, answer.headers["Content-Length"]) == (200, None)
    assert body == nwb[: len(nwb) // 2]


@pytest.mark.parametrize("fault", ["500", "503"])
def test_error_then_well(server, fault, nwb):
    server.order([fault, None])
    assert ask(server, FILE)[0].status == int(fault)
    assert ask(server, FILE)[1] == nwb


@pytest.mark.parametrize(
    ("fault", "body"),
    [("html", b"<!DOCTYPE html>"), ("wrong json", b'{"success"'), ("empty", b"[]")],
)
def test_wrong_body_with_status_200(server, fault, body):
    server.order([fault])
    answer, got = ask(server, FILE)
    assert answer.status == 200
    assert got.startswith(body)


def test_slow_body_is_whole(server, nwb):
    server.order(["slow"])
    assert ask(server, FILE)[1] == nwb


def test_stopped_server_refuses(server):
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        ask(server, FILE)

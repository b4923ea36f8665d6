"""Whatever the archive and its storage do, a file arrives whole, or one line says why not."""

import contextlib
import itertools
import json
import random
import signal
import subprocess
import sys
import time

import pytest

from glasscortex.data.dandi.http import PART_BYTES
from glasscortex.errors import InputError
from tests.faulty_server import FAULTS, OF_FILES

pytestmark = pytest.mark.xdist_group("dandi")

ALL = (*FAULTS, *OF_FILES)
HARMLESS = ("slow", "no parts")
"""Of a file that is asked for from its beginning."""
HARMFUL = [fault for fault in ALL if fault not in HARMLESS]
DEAD = "to http://127.0.0.1:9/blobs/gone"
"""A redirect to where nobody answers."""


@pytest.fixture
def row(rows):
    return rows[0]


def test_a_file_arrives_where_dandi_download_would_put_it(source, row):
    source.download(row)
    assert source.check(row) == {row["session_id"]}
    assert source.kept(row).is_file()
    link = source.folder / f"raw/{row['session_id']}.nwb"
    assert link.resolve() == source.kept(row)
    assert source.asked("file") == 1


@pytest.mark.parametrize("fault", [*ALL, DEAD])
def test_a_file_arrives_after_a_fault(source, server, row, fault):
    server.order([fault], of="asset" if fault == DEAD else "file")
    source.download(row)
    assert source.check(row) == {row["session_id"]}
    assert source.asked("asset") == 1 + (fault not in HARMLESS)
    assert list(source.kept(row).parent.glob(".*")) == []


@pytest.mark.parametrize("fault", [*HARMFUL, "403"])
def test_a_fault_that_stays_ends_in_one_line(source, server, row, fault):
    server.order(itertools.repeat(fault))
    error = source.fails(row, attempts=2)
    assert f"session {row['session_id']}: {server.api}/assets/{row['asset_id']}/download/" in error
    assert "(2 tries)" in error
    assert "run the same command again" in error
    assert source.check(row) == set()
    assert not source.kept(row).exists()


def test_a_server_that_says_when_to_come_again_is_left_alone(source, server, row, caplog):
    server.order(["503 later"])
    source.download(row)
    assert "try 2 of 3 in 1 s" in caplog.text
    assert source.check(row) == {row["session_id"]}


def test_what_the_archive_refuses_is_asked_for_once(source, server, row):
    gone = {**row, "asset_id": "00000000-0000-4000-8000-000000000000"}
    assert "leave it out with the keys of select" in source.fails(gone)
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", ["cut", "stall", "cut without length"])
def test_the_next_try_goes_on_where_the_last_ended(source, server, row, fault):
    server.order([fault, fault])
    source.download(row)
    assert source.check(row) == {row["session_id"]}
    half, size = int(row["bytes"]) // 2, int(row["bytes"])
    assert server.begun[0] == 0
    assert half - PART_BYTES <= server.begun[1] <= half
    assert (half + size) // 2 - 2 * PART_BYTES <= server.begun[2] < size


def test_the_same_command_goes_on_where_a_failed_one_ended(source, server, row):
    server.order(["cut"])
    source.fails(row, attempts=1)
    source.download(row)
    assert source.check(row) == {row["session_id"]}
    assert server.begun[1] > 0


def test_the_same_command_goes_on_where_a_killed_one_ended(source, server, row):
    server.order(["slow"])
    running = subprocess.Popen(command(source, row), stderr=subprocess.DEVNULL)
    for _ in range(3000):
        if any(path.stat().st_size > PART_BYTES for path in source.folder.rglob("*.nwb")):
            break
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert source.check(row) == set()
    source.download(row)
    assert source.check(row) == {row["session_id"]}
    assert server.begun[0] == 0 < server.begun[1]


def command(source, row) -> list[str]:
    raw = source.folder / "raw"
    return [
        *(sys.executable, "-m", "glasscortex", "download-asset"),
        *("--session", row["session_id"], "--listed", json.dumps(row)),
        *("--cache", str(source.folder / "cache"), "--config", source.config().model_dump_json()),
        *("--nwb", str(raw / f"{row['session_id']}.nwb")),
        *("--record", str(raw / f"{row['session_id']}.json")),
    ]


@pytest.mark.parametrize("without", ["sha256", "etag"])
def test_one_checksum_is_enough(source, row, without):
    source.download({**row, without: ""})
    assert source.check(row) == {row["session_id"]}


@pytest.mark.parametrize("kind", ["sha256", "etag"])
def test_other_bytes_than_the_archive_promises_are_refused(source, row, kind):
    other = {"sha256": "0" * 64, "etag": f"{'0' * 32}-1"}[kind]
    error = source.fails({**row, "sha256": "", kind: other})
    assert "other bytes than the archive says" in error
    assert source.check(row) == set()
    assert list(source.kept(row).parent.glob(".*")) == []


def test_what_is_there_and_whole_is_not_fetched(source, server, row):
    source.kept(row).parent.mkdir(parents=True)
    source.kept(row).write_bytes(source.genuine(row).read_bytes())
    server.stop()
    source.download(row)
    assert source.check(row) == {row["session_id"]}
    assert server.requests == []


def test_a_damaged_file_is_fetched_again(source, row):
    source.download(row)
    content = bytearray(source.kept(row).read_bytes())
    content[len(content) // 2] ^= 1
    source.kept(row).write_bytes(content)
    source.download(row)
    assert source.check(row) == {row["session_id"]}
    assert source.asked("file") == 2


def test_a_head_that_lied_is_told(source, row):
    error = source.fails({**row, "area": "VISrl"})
    assert "tells other things" in error
    assert "remove recordings.csv" in error


def test_a_hundred_random_faults_leave_no_bad_file(source, server, rows):
    rng = random.Random(1)
    waiting = {
        "asset": rng.choices(["reset", "stall", "500", "502", "503", "429", "html", DEAD], k=30),
        "file": rng.choices([*HARMFUL, "403", "416", "500"], k=70),
    }

    def pour(kind):
        while waiting[kind]:
            yield waiting[kind].pop() if rng.random() < 0.7 else None

    for kind in waiting:
        server.order(pour(kind), of=kind)
    for row in itertools.islice(itertools.cycle(rows), 200):
        source.forget(row)
        kept = source.check(*rows)
        with contextlib.suppress(InputError):
            source.download(row, attempts=rng.choice([1, 2, 20]), stall_s=0.2)
            kept |= {row["session_id"]}
        assert source.check(*rows) == kept
        if not any(waiting.values()):
            break
    assert not any(waiting.values())
    for row in rows:
        source.download(row)
    assert source.check(*rows) == {row["session_id"] for row in rows}

"""How a file is fetched; which faults are outlived is in test_download.py."""

import logging
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest

from glasscortex.data import patience, transfer
from glasscortex.data.patience import Failed, Tries
from glasscortex.data.transfer import obtain
from glasscortex.errors import InputError

QUICK = Tries(attempts=4, backoff_s=0.001, stall_s=5, source="allen")


def text(path, announce):
    announce("http://127.0.0.1/a", 4)
    path.write_text("text")


def dying(path, announce):
    os._exit(3)


def anything(path, url):
    """Every file is good."""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_check_sees_the_file_and_its_address_before_it_has_its_name(tmp_path):
    seen = []

    def check(path, url):
        assert not (tmp_path / "a").exists()
        seen.append((path.name, path.read_text(), url))

    obtain(tmp_path / "a", text, check, what="it", tries=QUICK)
    assert seen == [("a", "text", "http://127.0.0.1/a")]
    assert (tmp_path / "a").read_text() == "text"


def test_a_bad_file_never_has_its_name(tmp_path):
    def bad(path, url):
        raise InputError(f"{path} is odd: fetch it again")

    with pytest.raises(
        InputError, match=r"^it: .*/a was not .* \(4 tries\), .* bad, a is odd: run"
    ):
        obtain(tmp_path / "a", text, bad, what="it", tries=QUICK)
    assert names(tmp_path) == []


def test_the_pause_doubles(tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(patience.time, "sleep", pauses.append)
    with pytest.raises(InputError):
        obtain(tmp_path / "a", dying, anything, what="it", tries=Tries(4, 1.5, 5, "allen"))
    assert pauses == [1.5, 3, 6]


@pytest.mark.parametrize(
    ("said", "pause"),
    [
        ("3", 3.0),
        ("86400", 600.0),
        ("soon", 1.5),
        ("", 1.5),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 1.5),
    ],
)
def test_a_pause_that_the_server_asks_for_is_kept(tmp_path, monkeypatch, said, pause):
    pauses = []
    monkeypatch.setattr(patience.time, "sleep", pauses.append)

    def busy(path, announce):
        error = RuntimeError("too many requests")
        error.response = SimpleNamespace(status_code=429, headers={"Retry-After": said})
        raise error

    with pytest.raises(InputError):
        obtain(tmp_path / "a", busy, anything, what="it", tries=Tries(2, 1.5, 5, "allen"))
    assert pauses == [pause]


def test_a_date_to_come_again_at_is_kept(monkeypatch):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    error = RuntimeError()
    error.response = SimpleNamespace(status_code=503, headers={"Retry-After": date})
    assert 90 < Failed.by(error).pause_s <= 100


def test_no_signature_stands_in_a_message():
    error = Failed("timed out: https://host/blobs/a?X-Amz-Signature=1&b=2 (read)")
    assert str(error) == "timed out: https://host/blobs/a (read)"


def test_a_fetch_that_resumes_finds_what_arrived(tmp_path):
    def fetch(path, announce):
        begun = path.read_text() if path.exists() else ""
        path.write_text(f"{begun}x")
        if begun != "xx":
            raise ConnectionError

    fetch.resumes = True
    obtain(tmp_path / "a", fetch, anything, what="it", tries=QUICK)
    assert (tmp_path / "a").read_text() == "xxx"
    assert names(tmp_path) == ["a"]


def test_what_is_bad_is_not_gone_on_with(tmp_path):
    def fetch(path, announce):
        path.write_text("good" if path.exists() else "bad")

    def check(path, url):
        if path.read_text() == "bad":
            raise InputError("it is bad: fetch it again")

    fetch.resumes = True
    with pytest.raises(InputError, match="it is bad"):
        obtain(tmp_path / "a", fetch, check, what="it", tries=QUICK)
    assert names(tmp_path) == []


def test_a_log_shows_progress(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(transfer, "LINE_EVERY_S", 0.0)
    monkeypatch.setattr(transfer, "POLL_S", 0.01)

    def slow(path, announce):
        announce("http://127.0.0.1/a", 4_000_000)
        with open(path, "wb", buffering=0) as file:
            for _ in range(4):
                file.write(bytes(1_000_000))
                time.sleep(0.05)

    with caplog.at_level(logging.INFO):
        obtain(tmp_path / "a", slow, anything, what="it", tries=QUICK)
    assert "it: 2 MB of 4, " in caplog.text


def test_preparation_runs_once_before_all_tries(tmp_path):
    prepared = []

    class Prepared:
        def prepare(self):
            prepared.append(os.getpid())

        def __call__(self, path, announce):
            os._exit(3)

    with pytest.raises(InputError, match=r"\(4 tries\), the process that fetched it died"):
        obtain(tmp_path / "a", Prepared(), anything, what="it", tries=QUICK)
    assert prepared == [os.getpid()]


def test_the_child_ends_with_its_parent(tmp_path):
    program = """
import sys, time
from pathlib import Path
from glasscortex.data.patience import Failed, Tries
from glasscortex.data.transfer import obtain

def fetch(path, announce):
    path.write_text("half")
    print("half", flush=True)
    time.sleep(600)

obtain(Path(sys.argv[1]), fetch, lambda path, url: None, what="it", tries=Tries(5, 2, 60, "allen"))
"""
    command = [sys.executable, "-c", program, tmp_path / "a"]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert parent.stdout.readline() == b"half\n"
    parent.send_signal(signal.SIGKILL)
    parent.communicate(timeout=60)  # ends when the child, too, has let go of the pipes
    obtain(tmp_path / "a", text, anything, what="it", tries=QUICK)
    assert names(tmp_path) == ["a"]

"""A file arrives whole and described, or one line says why not; see tests/allen for servers."""

import errno
import os
import shutil
import time
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from glasscortex.data.download import Noted, check, download
from glasscortex.data.nwb1 import layout
from glasscortex.data.patience import Refused, Tries
from glasscortex.data.record import Record
from glasscortex.errors import InputError

URL = "http://127.0.0.1/files/100.nwb"
QUICK = Tries(attempts=3, backoff_s=0.001, stall_s=0.3, source="allen")


class Fetches:
    """Copies a file, after the given faults, one a try; counts its tries in a folder."""

    def __init__(self, source, folder, *faults):
        self.source, self.folder, self.faults = source, folder, faults
        folder.mkdir()

    def __call__(self, path, announce):
        announce(f"{URL}?token=1", self.source.stat().st_size)
        (self.folder / str(self.tries)).touch()
        if self.tries <= len(self.faults):
            self.faults[self.tries - 1](path, announce)
        else:
            shutil.copy(self.source, path)

    @property
    def tries(self):
        return len(list(self.folder.iterdir()))


@pytest.fixture
def fetches(nwb, tmp_path):
    return lambda *faults: Fetches(nwb(), tmp_path / "tries", *faults)


@pytest.fixture
def run(tmp_path):
    def run(fetch, tries=QUICK):
        raw, kept = tmp_path / "raw", tmp_path / "cache/100.nwb"
        download(
            session_id="100",
            fetch=fetch,
            whole=Noted("100", kept),
            kept=kept,
            nwb=raw / "100.nwb",
            record=raw / "100.json",
            tries=tries,
        )
        return raw / "100.nwb", Record.read(raw / "100.json")

    return run


def fails(run, fetch, *words):
    """The one line of error; nothing may be left."""
    with pytest.raises(InputError) as error:
        run(fetch)
    message = str(error.value)
    assert "\n" not in message
    for word in ("session 100", URL, *words):
        assert word in message
    assert "token" not in message
    return message


def raising(error):
    def fault(path, announce):
        raise error

    return fault


def status(number, name="status_code"):
    error = RuntimeError(f"status {number}")
    if name == "status_code":
        error.response = SimpleNamespace(status_code=number)
    else:
        error.code = number
    return raising(error)


def half(path, announce):
    path.write_bytes(b"half")


def half_unpromised(path, announce):
    announce(URL, None)
    path.write_bytes(b"half")


def stalled(path, announce):
    path.write_bytes(b"half")
    time.sleep(60)


def dying(path, announce):
    os._exit(3)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_with_its_record(run, fetches, nwb, tmp_path):
    path, record = run(fetches())
    assert path.read_bytes() == nwb().read_bytes()
    assert record.describes(path)
    assert record.source == URL
    assert names(tmp_path / "cache") == ["100.json", "100.nwb"]
    assert os.readlink(path) == "../cache/100.nwb"


def test_the_link_holds_where_the_results_are_a_link_themselves(run, fetches, tmp_path):
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (tmp_path / "raw").symlink_to("elsewhere/deep")
    path, record = run(fetches())
    assert record.describes(path)


def test_what_is_there_and_whole_is_not_fetched(run, fetches, tmp_path):
    fetch = fetches()
    first = run(fetch)
    shutil.rmtree(tmp_path / "raw")
    assert run(fetch) == first
    assert fetch.tries == 1


def damaged(cache):
    content = bytearray((cache / "100.nwb").read_bytes())
    content[len(content) // 2] ^= 1
    (cache / "100.nwb").write_bytes(content)


def cut(cache):
    os.truncate(cache / "100.nwb", 1000)


def gone(cache):
    (cache / "100.nwb").unlink()


def unreadable_record(cache):
    (cache / "100.json").write_text("{")


def another_session(cache):
    text = (cache / "100.json").read_text()
    (cache / "100.json").write_text(text.replace('"100"', '"101"'))


@pytest.mark.parametrize("fault", [damaged, cut, gone, unreadable_record, another_session])
def test_what_is_missing_or_damaged_is_fetched_again(run, fetches, nwb, tmp_path, fault):
    fetch = fetches()
    _, before = run(fetch)
    fault(tmp_path / "cache")
    path, record = run(fetch)
    assert fetch.tries == 2
    assert record == before
    assert path.read_bytes() == nwb().read_bytes()


def test_a_whole_file_without_record_is_used(run, fetches, nwb, tmp_path):
    (tmp_path / "cache").mkdir()
    shutil.copy(nwb(), tmp_path / "cache" / "100.nwb")
    fetch = fetches()
    path, record = run(fetch)
    assert record.describes(path)
    assert fetch.tries == 0


def test_a_bad_file_without_record_is_replaced(run, fetches, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "100.nwb").write_bytes(b"half")
    fetch = fetches()
    path, record = run(fetch)
    assert record.describes(path)
    assert fetch.tries == 1


PASSING = {
    "an error": raising(ValueError("odd")),
    "500": status(500),
    "503": status(503, "code"),
    "408": status(408),
    "429": status(429, "code"),
    "half of what was promised": half,
    "half of nobody knows what": half_unpromised,
    "a stall": stalled,
    "the death of the child": dying,
    "nothing": lambda path, announce: None,
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_passing_fault_is_outlived(run, fetches, fault):
    fetch = fetches(fault)
    path, record = run(fetch)
    assert record.describes(path)
    assert fetch.tries == 2


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_fault_that_stays_ends_in_one_line(run, fetches, tmp_path, fault):
    fetch = fetches(*3 * [fault])
    fails(run, fetch, "(3 tries)", "run the same command again")
    assert fetch.tries == 3
    assert names(tmp_path / "cache") == []
    assert not (tmp_path / "raw").exists()


FINAL = {
    "404": (status(404), "leave it out"),
    "403": (status(403, "code"), "the keys of allen"),
    "refused": (raising(Refused("no such key")), "no such key"),
    "full disk": (raising(OSError(errno.ENOSPC, "No space left on device")), "free some"),
    "a file larger than the disk": (lambda _, announce: announce(URL, 10**18), "needs 10000000"),
}


@pytest.mark.parametrize(("fault", "words"), FINAL.values(), ids=FINAL)
def test_a_final_fault_is_not_tried_again(run, fetches, tmp_path, fault, words):
    fetch = fetches(fault)
    message = fails(run, fetch, words)
    assert "tries" not in message
    assert fetch.tries == 1
    assert names(tmp_path / "cache") == []


def test_a_failure_leaves_what_was_there(run, fetches, tmp_path):
    fetch = fetches(*3 * [half])
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "100.nwb").write_bytes(b"bad")
    fails(run, fetch)
    assert names(tmp_path / "cache") == ["100.nwb"]


def test_a_folder_that_cannot_be_written(run, fetches, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(InputError, match=r"session 100: .*cache.*set allen\.cache"):
        run(fetches())


def test_the_file_is_checked(nwb):
    check(nwb(), "100")
    with pytest.raises(InputError, match=r"holds session 100, not 101: download it again"):
        check(nwb(), "101")


@pytest.mark.parametrize("group", layout.TRACES)
def test_traces_of_other_lengths_are_found(nwb, group):
    def edit(file):
        if f"{group}/data" in file:
            del file[f"{group}/data"]
        file[f"{group}/data"] = np.zeros((5, 2999), np.float32)

    with pytest.raises(InputError, match=rf"{group}/data has shape \(5, 2999\)"):
        check(nwb(edit=edit), "100")


def test_a_file_of_another_session_is_refused(run, nwb, tmp_path):
    fetch = Fetches(nwb("101.nwb"), tmp_path / "tries")
    assert "holds session 101, not 100" in fails(run, fetch)
    assert names(tmp_path / "cache") == []


def test_a_file_that_lost_a_group_is_refused(run, nwb, tmp_path):
    def edit(file):
        del file[f"{layout.PIPELINE}/ImageSegmentation"]

    fails(run, Fetches(nwb(edit=edit), tmp_path / "tries"), "cell_specimen_ids")


def test_damage_of_any_kind_is_a_bad_file(run, nwb, tmp_path, monkeypatch):
    def damaged(*arguments, **options):
        raise KeyError("Unable to synchronously open object (bad heap free list)")

    fetch = Fetches(nwb(), tmp_path / "tries")
    monkeypatch.setattr(h5py.Group, "get", damaged)
    fails(run, fetch, "damaged (/processing", "heap")


def test_unreadable_hdf5_is_refused(run, nwb, tmp_path):
    path = nwb()
    with h5py.File(path, "a") as file:
        file.attrs["more"] = np.zeros(1000)
    os.truncate(path, path.stat().st_size - 1000)
    assert "truncated" in fails(run, Fetches(path, tmp_path / "tries"))

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from glasscortex.errors import InputError
from glasscortex.files import (
    LOCK,
    atomic_write,
    checksum,
    remove_stale,
    seal_of,
    sealed_write,
    sha256,
    verified,
)

HOLDS_A_SCRATCH_FOLDER = """
import os, sys
from pathlib import Path
from glasscortex.files import atomic_write

with atomic_write(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    if os.fork() == 0:  # an orphan does not hold what its parent held
        print("held", flush=True)
        os.close(1)
    os.read(0, 1)
    os._exit(0)
"""


class Holder:
    """Another process, and a child of it, in the middle of writing `path`."""

    def __init__(self, path):
        command = [sys.executable, "-c", HOLDS_A_SCRATCH_FOLDER, path]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe)
        assert self.process.stdout.readline() == b"held\n"

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        self.process.stdin.close()  # the orphan ends, too
        self.process.stdout.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture
def holder(tmp_path):
    holder = Holder(tmp_path / "a")
    yield holder
    holder.end()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with atomic_write(path) as temporary:
        temporary.write_text("x")
        assert not path.exists()
        assert temporary.name == "a.txt"
    assert path.read_text() == "x"
    assert names(path.parent) == ["a.txt"]


def test_a_folder_appears_when_the_block_ends(tmp_path):
    with atomic_write(tmp_path / "a") as temporary:
        temporary.mkdir()
        (temporary / "b").write_text("x")
    assert (tmp_path / "a" / "b").read_text() == "x"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("umask", [0o002, 0o022, 0o077])
def test_the_umask_says_who_may_read_a_file(tmp_path, umask):
    """Not the library that wrote it, as that of weights would have it."""
    weights, usual = tmp_path / "weights.safetensors", tmp_path / "usual"
    before = os.umask(umask)
    try:
        with atomic_write(weights) as temporary:
            save_file({"a": np.zeros(3)}, temporary)
        usual.touch()
    finally:
        os.umask(before)
    assert weights.stat().st_mode == usual.stat().st_mode


def test_a_file_is_replaced(tmp_path):
    (tmp_path / "a").write_text("old")
    with atomic_write(tmp_path / "a") as temporary:
        temporary.write_text("new")
        assert (tmp_path / "a").read_text() == "old"
    assert (tmp_path / "a").read_text() == "new"


def test_a_folder_is_replaced_with_all_it_held(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").touch()
    with atomic_write(tmp_path / "a") as temporary:
        temporary.mkdir()
        (temporary / "new").touch()
    assert names(tmp_path / "a") == ["new"]
    assert names(tmp_path) == ["a"]


def test_a_link_is_replaced_and_what_it_names_is_kept(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "kept").touch()
    (tmp_path / "a").symlink_to(tmp_path / "folder")
    with atomic_write(tmp_path / "a") as temporary:
        temporary.write_text("x")
    assert (tmp_path / "a").read_text() == "x"
    assert names(tmp_path / "folder") == ["kept"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_what_was_there(tmp_path, error):
    (tmp_path / "a").write_text("old")
    with pytest.raises(error), atomic_write(tmp_path / "a") as temporary:
        temporary.write_text("half")
        raise error
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_a_block_that_makes_nothing_fails(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "a"):
        pass
    assert names(tmp_path) == []


def test_a_block_that_makes_nothing_leaves_the_folder_that_was_there(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "kept").touch()
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "a"):
        pass
    assert names(tmp_path / "a") == ["kept"]


def test_the_next_writer_removes_what_a_killed_one_left(tmp_path, holder):
    holder.kill()
    (left,) = names(tmp_path)
    with atomic_write(tmp_path / "a") as temporary:
        assert left not in names(tmp_path)
        temporary.write_text("x")
    assert names(tmp_path) == ["a"]


def test_what_a_living_one_writes_stays(tmp_path, holder):
    (held,) = names(tmp_path)
    with atomic_write(tmp_path / "a") as temporary:
        temporary.write_text("x")
    assert names(tmp_path) == [held, "a"]
    assert (tmp_path / held / "a").read_text() == "half"


def test_two_writers_of_one_process_leave_each_other_alone(tmp_path):
    with atomic_write(tmp_path / "a") as first:
        with atomic_write(tmp_path / "a") as second:
            second.write_text("second")
        first.write_text("first")
    assert (tmp_path / "a").read_text() == "first"
    assert names(tmp_path) == ["a"]


def test_a_killed_removal_leaves_a_folder_that_the_next_removes(tmp_path, holder, monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    holder.kill()
    (tmp_path / names(tmp_path)[0] / "folder").mkdir()
    for call in (Path, "unlink"), (Path, "rename"), (shutil, "rmtree"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(*call, killed)
            remove_stale(tmp_path / "a")
        assert len(names(tmp_path)) == 1
    remove_stale(tmp_path / "a")
    assert names(tmp_path) == []


def test_what_a_dying_child_begins_during_the_removal_does_not_stay(tmp_path, holder, monkeypatch):
    def begun_during(folder, **kwargs):
        with suppress(FileNotFoundError):
            (tmp_path / left / "a").write_text("begun")
        remove(folder, **kwargs)

    holder.kill()
    (left,) = names(tmp_path)
    remove = os.rmdir
    monkeypatch.setattr(os, "rmdir", begun_during)
    remove_stale(tmp_path / "a")
    assert names(tmp_path) == []


@pytest.mark.parametrize("locked", [True, False], ids=["killed later", "killed before the lock"])
def test_stale_folders_are_removed_without_writing(tmp_path, locked):
    scratch = tmp_path / ".a.b1c2d3_4"
    scratch.mkdir()
    if locked:
        (scratch / LOCK).touch()
        (scratch / "a").write_text("half")
    remove_stale(tmp_path / "a")
    assert names(tmp_path) == []


@pytest.mark.parametrize("hidden", [".a.sha256", ".a.nwb.provenance.json"])
def test_what_was_begun_of_a_hidden_file_about_it_is_removed(tmp_path, hidden):
    scratch = tmp_path / f".{hidden}.b1c2d3_4"
    scratch.mkdir()
    (scratch / LOCK).touch()
    remove_stale(tmp_path / "b")
    assert names(tmp_path) == [scratch.name]
    remove_stale(tmp_path / "a")
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", [".a", ".a.b", ".a.b.b1c2d3_4", ".b.b1c2d3_4", ".a.b1c2d3_45"])
def test_nothing_else_is_taken_for_stale(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / LOCK).touch()
    remove_stale(tmp_path / "a")
    assert names(tmp_path) == [name]


def test_a_folder_that_holds_no_lock_is_the_users(tmp_path):
    (tmp_path / ".a.b1c2d3_4").mkdir()
    (tmp_path / ".a.b1c2d3_4" / "kept").touch()
    remove_stale(tmp_path / "a")
    assert names(tmp_path / ".a.b1c2d3_4") == ["kept"]


def test_without_locks_nothing_is_removed_and_writing_works(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError("no locks here")

    monkeypatch.setattr("glasscortex.files.fcntl.flock", unsupported)
    (tmp_path / ".a.b1c2d3_4").mkdir()
    (tmp_path / ".a.b1c2d3_4" / LOCK).touch()
    with atomic_write(tmp_path / "a") as temporary:
        temporary.write_text("x")
    assert names(tmp_path) == [".a.b1c2d3_4", "a"]


def test_no_lock_stays_open(tmp_path):
    before = len(os.listdir("/dev/fd"))
    with atomic_write(tmp_path / "a") as temporary:
        temporary.touch()
    assert len(os.listdir("/dev/fd")) == before


def test_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


@pytest.fixture
def sealed(tmp_path):
    with sealed_write(tmp_path / "a b") as temporary:
        temporary.write_text("abc")
    return tmp_path / "a b"


def test_a_sealed_file_is_known_again(sealed):
    assert verified(sealed) == sealed
    assert names(sealed.parent) == [".a b.sha256", "a b"]


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs coreutils")
def test_the_checksum_is_the_files_noted_or_not(sealed):
    noted = checksum(sealed)
    seal_of(sealed).unlink()
    assert checksum(sealed) == noted == sha256(sealed)


def test_a_seal_is_what_sha256sum_checks(sealed):
    check = ["sha256sum", "--check", ".a b.sha256"]
    assert subprocess.run(check, cwd=sealed.parent, capture_output=True).returncode == 0


@pytest.mark.parametrize("content", [b"", b"ab", b"abd", b"abcd"])
def test_other_bytes_are_refused(sealed, content):
    sealed.write_bytes(content)
    with pytest.raises(InputError, match=r"a b is damaged or was changed .*: remove it, then run"):
        verified(sealed)


def test_swapped_files_are_refused(sealed):
    with sealed_write(sealed.with_name("other")) as temporary:
        temporary.write_text("xyz")
    sealed.with_name("other").replace(sealed)
    with pytest.raises(InputError, match="was changed"):
        verified(sealed)


def test_a_file_without_a_seal_is_taken_as_it_is(sealed):
    (sealed.parent / ".a b.sha256").unlink()
    sealed.write_text("by hand")
    assert verified(sealed).read_text() == "by hand"


def test_a_failed_write_leaves_the_seal_of_what_stands_there(sealed):
    with pytest.raises(KeyboardInterrupt), sealed_write(sealed) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert verified(sealed).read_text() == "abc"


def test_a_block_goes_on_with_what_a_failed_one_left(tmp_path):
    with pytest.raises(RuntimeError), atomic_write(tmp_path / "a", resume=True) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert not (tmp_path / "a").exists()
    with atomic_write(tmp_path / "a", resume=True) as temporary:
        assert temporary.read_text() == "half"
        temporary.write_text("whole")
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "whole"


def test_of_two_that_were_left_the_longer_is_gone_on_with(tmp_path):
    for name, content in (("one_left", "half"), ("two_left", "more than half"), ("tri_left", "")):
        (tmp_path / f".a.{name}").mkdir()
        (tmp_path / f".a.{name}" / LOCK).touch()
        (tmp_path / f".a.{name}" / "a").write_text(content)
    with atomic_write(tmp_path / "a", resume=True) as temporary:
        assert temporary.read_text() == "more than half"
    assert names(tmp_path) == ["a"]


def test_what_was_left_is_removed_by_a_block_that_begins_afresh(tmp_path):
    with pytest.raises(RuntimeError), atomic_write(tmp_path / "a", resume=True) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    with atomic_write(tmp_path / "a") as temporary:
        assert not temporary.exists()
        temporary.write_text("whole")
    assert names(tmp_path) == ["a"]

"""Files that are whole or absent, and known again."""

import fcntl
import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from glasscortex.errors import InputError

LOCK = ".lock"
"""File in a scratch folder that its owner holds locked for as long as it lives."""

SUFFIX = 8
"""Characters at the end of a scratch folder's name that tell it from others for the same file."""

READ: dict[Path, str] = {}
"""SHA-256 of the files that this process opened after it had checked them."""

WRITTEN: list[Path] = []
"""What this process put under a final name."""

_held: set[int] = set()
_digests: dict[tuple[int, ...], str] = {}


@contextmanager
def atomic_write(path: Path, *, resume: bool = False) -> Iterator[Path]:
    """A private temporary path that takes the name `path` when the block ends well.

    The temporary path lies in a scratch folder beside `path`, so that the final rename is
    atomic; what a failed or killed block wrote never stands under `path`. The block may make a
    file or a folder there; who may read a file is for the umask to say, not for the library that
    wrote it. An existing `path` is replaced. Scratch folders that killed processes left for the
    same `path` are removed first.

    With `resume`, the block finds at the temporary path the file that a failed or killed one left
    there, if any, and what it leaves when it fails is kept for the next.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch, lock = _scratch(path)
    failed = True
    try:
        temporary = scratch / path.name
        remove_stale(path, keep=temporary if resume else None)
        yield temporary
        if not os.path.lexists(temporary):
            raise FileNotFoundError(f"nothing was written for {path}")
        if temporary.is_file() and not temporary.is_symlink():
            shutil.copymode(scratch / LOCK, temporary)
        if path.is_dir() and not path.is_symlink():
            path.rename(scratch / "replaced")
        os.replace(temporary, path)
        WRITTEN.append(path)
        failed = False
    finally:
        _release(lock)
        if not (resume and failed and temporary.is_file()):
            _remove(scratch)


def remove_stale(path: Path, keep: Path | None = None) -> None:
    """Remove the scratch folders that killed processes left beside `path`.

    Those for the hidden files about it, `.NAME.…`, too: nobody writes these again where the file
    itself is whole. A folder whose owner lives, or of which that cannot be known (a file system
    without locks), stays. The largest file that was begun in one of them is moved to `keep`.
    """
    path = Path(path)
    own = re.escape(path.name)
    name = re.compile(rf"\.(?:{own}|\.{own}\.[a-z0-9.]+)\.[a-z0-9_]{{{SUFFIX}}}")
    if not path.parent.is_dir():
        return
    for scratch in [Path(entry) for entry in os.scandir(path.parent) if name.fullmatch(entry.name)]:
        try:
            lock = os.open(scratch / LOCK, os.O_RDWR)
        except OSError:
            _remove_if_empty(scratch)
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        else:
            if keep is not None and _size(scratch / path.name) > _size(keep):
                os.replace(scratch / path.name, keep)
            _remove(scratch)
        finally:
            os.close(lock)


@contextmanager
def sealed_write(path: Path) -> Iterator[Path]:
    """`atomic_write` of a file, with its SHA-256 in a hidden file beside it for `verified`.

    `sha256sum --check` reads it, too.
    """
    path = Path(path)
    with atomic_write(path) as temporary:
        yield temporary
        if temporary.is_file():
            with atomic_write(seal_of(path)) as seal:
                seal.write_text(f"{sha256(temporary)}  {path.name}\n")


def verified(path: Path) -> Path:
    """The path of a file, once it is known to be as `sealed_write` left it.

    A file without a checksum beside it is taken as it is.

    Parameters
    ----------
    path : Path
        A file that a stage reads.

    Raises
    ------
    InputError
        It has other bytes.
    """
    path = Path(path)
    seal = seal_of(path)
    if path.is_file() and seal.is_file():
        READ[path] = sha256(path)
        if seal.read_text().split()[:1] != [READ[path]]:
            raise InputError(
                f"{path} is damaged or was changed since it was written: remove it, then run the "
                "same command again"
            )
    return path


def checksum(path: Path) -> str:
    """The SHA-256 of a file as `sealed_write` noted it, or computed where it did not.

    For a file that is `verified` when it is opened: it need not be read twice.
    """
    seal = seal_of(path)
    noted = seal.read_text().split() if seal.is_file() else []
    return noted[0] if noted else sha256(path)


def seal_of(path: Path) -> Path:
    """The hidden file that holds the checksum of a file."""
    return path.with_name(f".{path.name}.sha256")


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        _digests[_identity(file.fileno())] = digest
    return digest


def known_sha256(path: Path) -> str:
    """The SHA-256 of a file, read again only where this process has not read it as it is."""
    return _digests.get(_identity(path)) or sha256(path)


def _identity(file: Path | int) -> tuple[int, ...]:
    """What stays when a file is renamed, and does not when it is written."""
    status = os.stat(file)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _scratch(path: Path) -> tuple[Path, int]:
    """A new folder beside `path`, and its lock.

    Until it is locked, another process may take it for stale and remove it: then a new one.
    """
    while True:
        scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            lock = os.open(scratch / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        except OSError:
            pass  # a file system without locks: nobody can tell that the owner is gone
        _held.add(lock)
        if os.fstat(lock).st_nlink:
            return scratch, lock
        _release(lock)


def _release(lock: int) -> None:
    _held.discard(lock)
    os.close(lock)


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _remove(scratch: Path) -> None:
    """Remove a scratch folder so that nothing of it stays, even if this is killed on the way.

    Under another name a child that outlived its parent for a moment can't write into it; and
    what holds a lock is known for a scratch folder, so that the lock goes last.
    """
    with suppress(OSError):
        scratch = scratch.rename(f"{str(scratch)[:-SUFFIX]}{secrets.token_hex(SUFFIX // 2)}")
        for entry in scratch.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != LOCK:
                entry.unlink()
    shutil.rmtree(scratch, ignore_errors=True)


def _remove_if_empty(scratch: Path) -> None:
    try:
        scratch.rmdir()
    except OSError:
        return


def _forget_locks() -> None:
    """A lock ends with the process that took it, not with the last of its children."""
    for lock in _held:
        os.close(lock)
    _held.clear()


os.register_at_fork(after_in_child=_forget_locks)

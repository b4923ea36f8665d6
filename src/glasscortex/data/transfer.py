"""One file, fetched until it is whole.

One mechanism for every route. Each try runs in a process of its own, which writes into a private
folder beside the final place and ends with its parent; the parent watches the file grow, ends a
try that stalls, checks what arrived, and only then gives it its name. Nothing here knows a
server: a route is a function that fetches one file.

Needs no more than tqdm, so that it also runs in AllenSDK's environment.
"""

import errno
import logging
import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tqdm import tqdm

from glasscortex.errors import InputError
from glasscortex.files import atomic_write

POLL_S = 0.1
LINE_EVERY_S = 10.0
"""A log gets one line of progress in this time."""
REASON_CHARACTERS = 300
PASSING = (408, 429)
"""Answers of the 400s that another try can change: time-out, too many requests."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

AGAIN = "run the same command again, and if it fails again check the network and allen.base_uri"
REFUSED = "leave it out with the keys of select, or check allen.route and allen.base_uri"
ROOM = "free some, or set allen.cache to a folder on a larger disk"
PLACE = "make the folder writable, or set allen.cache to another one"

Announce = Callable[[str, int | None], None]
"""Told by a fetch before it transfers: the URL, and the bytes that the server promised (None
where it did not say). It may be called again, for a further request of the same fetch."""
Fetch = Callable[[Path, Announce], None]
"""Writes what it fetches to the path. It runs in a process of its own; any exception fails the
try, and `Refused`, or one that carries an HTTP status of the 400s, the whole download. If it has a
method `prepare`, that runs once before the first try, for what all tries need, such as imports."""

logger = logging.getLogger(__name__)


class Refused(Exception):
    """A fetch failed for a reason that another try does not change."""


@dataclass(frozen=True)
class Tries:
    """How often and how patiently a download is tried; the keys of `allen` in config.yaml."""

    attempts: int
    backoff_s: float
    stall_s: float

    @classmethod
    def of(cls, allen: Mapping[str, Any]) -> "Tries":
        """From the keys of `allen`, those of AllenConfig.

        Parameters
        ----------
        allen : mapping of str to values
            The three keys, among others.

        Returns
        -------
        Tries
            Their values.
        """
        return cls(**{field.name: allen[field.name] for field in fields(cls)})


class _Failed(Exception):
    def __init__(self, reason: str, remedy: str = AGAIN):
        super().__init__(" ".join(reason.split())[:REASON_CHARACTERS])
        self.remedy = remedy


def obtain(
    target: Path, fetch: Fetch, check: Callable[[Path, str], object], *, what: str, tries: Tries
) -> None:
    """Fetch one file, check it, and only then give it its name.

    Tries again after `tries.backoff_s`, doubled each time, unless the failure is final: an HTTP
    status of the 400s (other than 408 and 429), or a disk without room.

    Parameters
    ----------
    target : Path
        The final name.
    fetch : callable
        Writes the file.
    check : callable
        Called with the file's temporary path and the URL it came from; an InputError fails the
        try.
    what : str
        What is fetched, for messages: "session 501".
    tries : Tries
        Patience with the server.

    Raises
    ------
    InputError
        No try succeeded: names what, URL, the last reason and a remedy.
    """
    getattr(fetch, "prepare", lambda: None)()
    for attempt in range(1, tries.attempts + 1):
        transfer = _Transfer(what)
        try:
            with atomic_write(target) as temporary:
                transfer.run(fetch, temporary, tries.stall_s)
                _checked(check, temporary, transfer.url)
            return
        except _Failed as failure:
            reason, remedy = str(failure), failure.remedy
        except OSError as error:
            reason, remedy = str(error), ROOM if error.errno in NO_ROOM else PLACE
        final = remedy != AGAIN
        if final or attempt == tries.attempts:
            times = f" ({attempt} tries)" if attempt > 1 else ""
            raise InputError(
                f"{what}: {transfer.url or 'the file'} was not downloaded{times}, {reason}: "
                f"{remedy}"
            )
        pause = tries.backoff_s * 2 ** (attempt - 1)
        logger.warning(
            "%s: %s; try %d of %d in %g s", what, reason, attempt + 1, tries.attempts, pause
        )
        time.sleep(pause)


def _checked(check: Callable[[Path, str], object], temporary: Path, url: str) -> None:
    try:
        check(temporary, url)
    except InputError as error:
        fault, _, _ = str(error).rpartition(": ")
        raise _Failed(f"what arrived is bad, {fault.replace(f'{temporary.parent}/', '')}") from None


class _Transfer:
    """One try: a child that fetches, watched by its parent."""

    def __init__(self, what: str):
        self.what = what
        self.url = ""
        self.promised: int | None = None

    def run(self, fetch: Fetch, path: Path, stall_s: float) -> None:
        """Fetch to `path`; raises `_Failed` where that fails."""
        fork = multiprocessing.get_context("fork")
        here, there = fork.Pipe()
        child = fork.Process(target=_fetch_in_child, args=(fetch, path, here, there), daemon=True)
        child.start()
        there.close()
        try:
            with _Progress(self.what) as progress:
                self._watch(here, path, stall_s, progress)
        finally:
            child.kill()
            child.join()
            here.close()
        arrived = path.stat().st_size if path.is_file() else 0
        if self.promised is not None and arrived != self.promised:
            raise _Failed(f"{arrived} of {self.promised} bytes arrived")

    def _watch(self, here, path: Path, stall_s: float, progress: "_Progress") -> None:
        arrived, alive = 0, time.monotonic()
        while True:
            if here.poll(POLL_S):
                alive = time.monotonic()
                try:
                    word, *values = here.recv()
                except (EOFError, ConnectionError):
                    raise _Failed("the process that fetched it died") from None
                if word == "done":
                    return
                if word == "failed":
                    raise _Failed(*values)
                self._announced(path.parent, *values)
            size = path.stat().st_size if path.exists() else 0
            if size != arrived:
                arrived, alive = size, time.monotonic()
                progress.show(arrived, self.promised)
            if time.monotonic() - alive > stall_s:
                raise _Failed(f"no byte arrived for {stall_s:g} s, after {arrived}")

    def _announced(self, folder: Path, url: str, promised: int | None) -> None:
        parts = urlsplit(url)
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path}"
        self.promised = promised
        free = shutil.disk_usage(folder).free
        if promised is not None and promised > free:
            raise _Failed(
                f"it needs {promised} bytes and {folder.parent} has {free} free", remedy=ROOM
            )


def _fetch_in_child(fetch: Fetch, path: Path, here, there) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it, too, and ends its child
    here.close()
    threading.Thread(target=_end_with_parent, args=(there,), daemon=True).start()

    def announce(url: str, promised: int | None = None) -> None:
        there.send(("announced", url, promised))

    try:
        fetch(path, announce)
    except Exception as error:
        there.send(("failed", f"{type(error).__name__}: {error}", _remedy(error)))
    else:
        there.send(("done",))


def _end_with_parent(there) -> None:
    """The parent sends nothing: to read from it ends when it does."""
    try:
        there.recv()
    except (EOFError, OSError):
        os._exit(1)


def _remedy(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return ROOM
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None) or getattr(error, "code", None)
    final = isinstance(status, int) and 400 <= status < 500 and status not in PASSING
    return REFUSED if final or isinstance(error, Refused) else AGAIN


class _Bar(tqdm):
    monitor_interval = 0  # its thread would not survive the fork of the next try


class _Progress:
    """A bar on a terminal, a line now and then in a log."""

    def __init__(self, what: str):
        self.what = what
        self.bar = _Bar(desc=what, unit="B", unit_scale=True, disable=None, leave=False)
        self.started = self.last_line = time.monotonic()

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_) -> None:
        self.bar.close()

    def show(self, arrived: int, promised: int | None) -> None:
        """Show how many bytes have arrived."""
        self.bar.total = promised
        self.bar.update(arrived - self.bar.n)
        now = time.monotonic()
        if self.bar.disable and now - self.last_line > LINE_EVERY_S:
            self.last_line = now
            logger.info(
                "%s: %.0f MB%s, %.1f MB/s",
                self.what,
                arrived / 1e6,
                f" of {promised / 1e6:.0f}" if promised else "",
                arrived / 1e6 / (now - self.started),
            )

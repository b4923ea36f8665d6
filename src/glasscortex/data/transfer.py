"""One file, fetched until it is whole.

One mechanism for every source. Each try runs in a process of its own, which writes into a private
folder beside the final place and ends with its parent; the parent watches the file grow, ends a
try that stalls, checks what arrived, and only then gives it its name. Nothing here knows a
server: a route is a function that fetches one file.

Needs no more than tqdm, so that it also runs in AllenSDK's environment.
"""

import logging
import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from tqdm import tqdm

from glasscortex.data.patience import NO_ROOM, PLACE, ROOM, Failed, Tries, patiently
from glasscortex.errors import InputError
from glasscortex.files import atomic_write

POLL_S = 0.1
LINE_EVERY_S = 10.0
"""A log gets one line of progress in this time."""

Announce = Callable[[str, int | None], None]
"""Told by a fetch before it transfers: the URL, and the bytes that the server promised (None
where it did not say). It may be called again, for a further request of the same fetch."""
Fetch = Callable[[Path, Announce], None]
"""Writes what it fetches to the path. It runs in a process of its own; any exception fails the
try, and one that `Failed.by` calls final the whole download. If it has a method `prepare`, that
runs once before the first try, for what all tries need, such as imports. If its `resumes` is true,
the path may hold the beginning of the file, from an earlier try or an earlier run: then only the
rest is fetched. Whoever checks such a file has to know its bytes."""

logger = logging.getLogger(__name__)


def obtain(
    target: Path, fetch: Fetch, check: Callable[[Path, str], object], *, what: str, tries: Tries
) -> None:
    """Fetch one file, check it, and only then give it its name.

    Parameters
    ----------
    target : Path
        The final name.
    fetch : callable
        Writes the file.
    check : callable
        Called with the file's temporary path and the URL it came from; an InputError fails the
        try, and what arrived is thrown away.
    what : str
        What is fetched, for messages: "session 501".
    tries : Tries
        Patience with the server, see `glasscortex.data.patience.patiently`.

    Raises
    ------
    InputError
        No try succeeded: names what, URL, the last reason and a remedy.
    """
    getattr(fetch, "prepare", lambda: None)()
    resumes = getattr(fetch, "resumes", False)

    def once() -> None:
        transfer = _Transfer(what)
        try:
            with atomic_write(target, resume=resumes) as temporary:
                transfer.run(fetch, temporary, tries.stall_s)
                _checked(check, temporary, transfer.url)
        except (Failed, OSError) as error:
            failure = error if isinstance(error, Failed) else _of_the_disk(error)
            failure.url = transfer.url
            raise failure from None

    patiently(once, what=what, tries=tries)


def _of_the_disk(error: OSError) -> Failed:
    return Failed(str(error), ROOM if error.errno in NO_ROOM else PLACE)


def _checked(check: Callable[[Path, str], object], temporary: Path, url: str) -> None:
    try:
        check(temporary, url)
    except InputError as error:
        temporary.unlink()
        fault, _, _ = str(error).rpartition(": ")
        raise Failed(f"what arrived is bad, {fault.replace(f'{temporary.parent}/', '')}") from None


class _Transfer:
    """One try: a child that fetches, watched by its parent."""

    def __init__(self, what: str):
        self.what = what
        self.url = ""
        self.promised: int | None = None
        self.begun = 0

    def run(self, fetch: Fetch, path: Path, stall_s: float) -> None:
        """Fetch to `path`; raises `Failed` where that fails."""
        self.begun = path.stat().st_size if path.exists() else 0
        fork = multiprocessing.get_context("fork")
        here, there = fork.Pipe()
        child = fork.Process(target=_fetch_in_child, args=(fetch, path, here, there), daemon=True)
        child.start()
        there.close()
        try:
            with _Progress(self.what, self.begun) as progress:
                self._watch(here, path, stall_s, progress)
        finally:
            child.kill()
            child.join()
            here.close()
        arrived = path.stat().st_size if path.is_file() else 0
        if self.promised is not None and arrived != self.promised:
            raise Failed(f"{arrived} of {self.promised} bytes arrived")

    def _watch(self, here, path: Path, stall_s: float, progress: "_Progress") -> None:
        arrived, alive = self.begun, time.monotonic()
        while True:
            if here.poll(POLL_S):
                alive = time.monotonic()
                try:
                    word, *values = here.recv()
                except (EOFError, ConnectionError):
                    raise Failed("the process that fetched it died") from None
                if word == "done":
                    return
                if word == "failed":
                    raise Failed(*values)
                self._announced(path.parent, *values)
            size = path.stat().st_size if path.exists() else 0
            if size != arrived:
                arrived, alive = size, time.monotonic()
                progress.show(arrived, self.promised)
            if time.monotonic() - alive > stall_s:
                raise Failed(f"no byte arrived for {stall_s:g} s, after {arrived}")

    def _announced(self, folder: Path, url: str, promised: int | None) -> None:
        parts = urlsplit(url)
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path}"
        self.promised = promised
        needed = (promised or 0) - self.begun
        free = shutil.disk_usage(folder).free
        if needed > free:
            raise Failed(f"it needs {needed} bytes and {folder.parent} has {free} free", ROOM)


def _fetch_in_child(fetch: Fetch, path: Path, here, there) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it, too, and ends its child
    here.close()
    threading.Thread(target=_end_with_parent, args=(there,), daemon=True).start()

    def announce(url: str, promised: int | None = None) -> None:
        there.send(("announced", url, promised))

    try:
        fetch(path, announce)
    except Exception as error:
        failure = Failed.by(error)
        there.send(("failed", str(failure), failure.remedy, failure.pause_s))
    else:
        there.send(("done",))


def _end_with_parent(there) -> None:
    """The parent sends nothing: to read from it ends when it does."""
    try:
        there.recv()
    except (EOFError, OSError):
        os._exit(1)


class _Bar(tqdm):
    monitor_interval = 0  # its thread would not survive the fork of the next try


class _Progress:
    """A bar on a terminal, a line now and then in a log."""

    def __init__(self, what: str, begun: int):
        self.what, self.begun = what, begun
        self.bar = _Bar(
            desc=what, unit="B", unit_scale=True, initial=begun, disable=None, leave=False
        )
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
                (arrived - self.begun) / 1e6 / (now - self.started),
            )

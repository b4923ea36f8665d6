"""How often, and how patiently, a server is asked: one rule for all that is fetched.

Needs nothing but the standard library, so that it also runs in AllenSDK's environment.
"""

import errno
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from glasscortex.errors import InputError

T = TypeVar("T")

REASON_CHARACTERS = 300
QUERY = re.compile(r"\?[^\s'\")]*=[^\s'\")]*")
"""Of a URL, where signatures stand."""
PASSING = (408, 429)
"""Answers of the 400s that another try can change: time-out, too many requests."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LONGEST_PAUSE_S = 600.0
"""A server may ask to be left alone for so long (Retry-After), and not for longer."""

AGAIN = "run the same command again, and if it fails again check the network and {source}.base_uri"
REFUSED = "leave it out with the keys of select, or check the keys of {source}"
ROOM = "free some, or set {source}.cache to a folder on a larger disk"
PLACE = "make the folder writable, or set {source}.cache to another one"
"""What to do, by what went wrong; only the first may be tried again as it is."""

logger = logging.getLogger(__name__)


class Refused(Exception):
    """A fetch failed for a reason that another try does not change."""


@dataclass(frozen=True)
class Tries:
    """How often and how patiently a server is asked.

    Attributes
    ----------
    attempts, backoff_s, stall_s : keys of a part of the configuration
    source : the name of that part, for remedies
    """

    attempts: int
    backoff_s: float
    stall_s: float
    source: str

    @classmethod
    def of(cls, source: str, settings: Mapping[str, Any]) -> "Tries":
        """From the part of the configuration that has the name of a source.

        Parameters
        ----------
        source : str
            Its name.
        settings : mapping of str to values
            The three keys, among others.

        Returns
        -------
        Tries
            Their values.
        """
        return cls(
            attempts=settings["attempts"],
            backoff_s=settings["backoff_s"],
            stall_s=settings["stall_s"],
            source=source,
        )


class Failed(Exception):
    """One try failed.

    Parameters
    ----------
    reason : str
        Why; its first characters, in one line, without what follows a URL's question mark.
    remedy : str, optional
        What to do.
    pause_s : float, optional
        How long the server asks to be left alone.

    Attributes
    ----------
    url : what was asked for; "" where that is not known
    """

    def __init__(self, reason: str, remedy: str = AGAIN, pause_s: float = 0.0):
        reason = QUERY.sub("", " ".join(reason.split()))
        super().__init__(reason[:REASON_CHARACTERS])
        self.remedy, self.pause_s, self.url = remedy, pause_s, ""

    @classmethod
    def by(cls, error: Exception) -> "Failed":
        """What an error of any library stands for.

        An HTTP status of the 400s (other than 408 and 429), `Refused` and a disk without room are
        final.

        Parameters
        ----------
        error : Exception
            Of HTTP libraries, it carries a status, or the response, which may say when to come
            again.
        """
        reason = f"{type(error).__name__}: {error}"
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return cls(reason, ROOM)
        response = getattr(error, "response", None)
        status = getattr(response, "status_code", None) or getattr(error, "code", None)
        final = isinstance(status, int) and 400 <= status < 500 and status not in PASSING
        if final or isinstance(error, Refused):
            return cls(reason, REFUSED)
        return cls(reason, pause_s=_asked_for(getattr(response, "headers", None) or {}))


def patiently(ask: Callable[[], T], *, what: str, tries: Tries) -> T:
    """Ask until it is answered.

    Asks again after `tries.backoff_s`, doubled each time, or later if the server says so, unless
    the failure is final.

    Parameters
    ----------
    ask : callable
        One try; raises `Failed`.
    what : str
        What is asked for, for messages: "session 501".
    tries : Tries
        Patience with the server.

    Returns
    -------
    T
        What the first try that succeeds gives.

    Raises
    ------
    InputError
        No try succeeded: names what, URL, the last reason and a remedy.
    """
    for attempt in range(1, tries.attempts + 1):
        try:
            return ask()
        except Failed as failure:
            last = failure
        if last.remedy != AGAIN or attempt == tries.attempts:
            break
        pause = max(tries.backoff_s * 2 ** (attempt - 1), last.pause_s)
        logger.warning(
            "%s: %s; try %d of %d in %g s", what, last, attempt + 1, tries.attempts, pause
        )
        time.sleep(pause)
    times = f" ({attempt} tries)" if attempt > 1 else ""
    remedy = last.remedy.format(source=tries.source)
    raise InputError(
        f"{what}: {last.url or 'the file'} was not downloaded{times}, {last}: {remedy}"
    )


def _asked_for(headers: Mapping[str, str]) -> float:
    """Seconds that an answer asks to wait for (Retry-After: seconds, or a date)."""
    said = headers.get("Retry-After", "").strip()
    try:
        seconds = (
            float(said)
            if said.isdigit()
            else (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds()
        )
    except (ValueError, TypeError):
        return 0.0
    return min(max(seconds, 0.0), LONGEST_PAUSE_S)

"""Files of the archive over HTTP: whole, or the parts that are asked for.

The archive's API answers a request for a file with a redirect to its storage, under a URL that
holds for a while; both may fail.
"""

import io
from pathlib import Path

import requests

from glasscortex.data.patience import PASSING, Failed, Tries, patiently
from glasscortex.data.transfer import Announce
from glasscortex.errors import InputError

CONNECT_S = 10.0
PART_BYTES = 2**16
"""Written at once: the watch over a download sees no less."""
BLOCK_BYTES = 2**15
"""Least that is asked for, of a file that is read in parts."""


def answered(
    url: str,
    *,
    stall_s: float,
    part: tuple[int, int] | None = None,
    session: requests.Session | None = None,
) -> requests.Response:
    """What a server answers; its body is still to be read.

    Parameters
    ----------
    url : str
        What is asked for.
    stall_s : float
        Longest time without a byte.
    part : tuple of int, optional
        First byte and the one after the last, of a file; the answer may be all of it nevertheless.
    session : requests.Session, optional
        Whose connections are used.

    Raises
    ------
    requests.RequestException, OSError
        There is no answer, or its status is an error. One of the storage's passes, as the next
        redirect may lead elsewhere.
    """
    headers = {"Accept-Encoding": "identity"}
    if part:
        headers["Range"] = f"bytes={part[0]}-{part[1] - 1}"
    timeout = (min(CONNECT_S, stall_s), stall_s)
    answer = (session or requests).get(url, headers=headers, timeout=timeout, stream=True)
    refused = 400 <= answer.status_code < 500 and answer.status_code not in PASSING
    if answer.history and refused:
        raise ConnectionError(f"{answer.status_code} {answer.reason} of the storage")
    answer.raise_for_status()
    return answer


def begins_at(answer: requests.Response, part: tuple[int, int], size: int) -> int:
    """The byte of a file that an answer begins at: that asked for, or 0 if it is all of the file.

    Parameters
    ----------
    answer : requests.Response
        To a request of a part.
    part : tuple of int
        What was asked for.
    size : int
        Bytes of the file.

    Raises
    ------
    ConnectionError
        It is another part, or the file has another length.
    """
    whole = answer.status_code == 200
    first, last = (0, size) if whole else part
    told = answer.headers.get("Content-Range", "")
    length = answer.headers.get("Content-Length", str(last - first))
    if length != str(last - first) or (not whole and told != f"bytes {first}-{last - 1}/{size}"):
        raise ConnectionError(
            f"{length} bytes ({told or 'a whole file'}) instead of {first}-{last - 1} of {size}"
        )
    return first


class File:
    """Fetches a file of known length, from where an earlier try ended.

    Parameters
    ----------
    url : str
        Of the file.
    size : int
        Its bytes.
    stall_s : float
        Longest time without a byte.
    """

    resumes = True

    def __init__(self, url: str, size: int, stall_s: float):
        self.url, self.size, self.stall_s = url, size, stall_s

    def __call__(self, path: Path, announce: Announce) -> None:
        announce(self.url, self.size)
        with open(path, "ab", buffering=0) as file:
            if file.tell() > self.size:
                file.truncate(0)
            here = file.seek(0, io.SEEK_END)
            if here == self.size:
                return
            rest = here, self.size
            with answered(self.url, stall_s=self.stall_s, part=rest if here else None) as answer:
                file.truncate(begins_at(answer, rest, self.size))
                for part in answer.iter_content(PART_BYTES):
                    file.write(part)
                    if file.tell() > self.size:
                        raise ConnectionError(f"more than {self.size} bytes arrived")


class OpenFile(io.RawIOBase):
    """A file that is read where it lies, the parts that are needed, each once.

    Parameters
    ----------
    url : str
        Of the file.
    size : int
        Its bytes.
    what : str
        What it is, for messages.
    tries : Tries
        Patience with the server.

    Attributes
    ----------
    failure : InputError, optional
        Why the last part did not arrive: libraries that read from the file may lose it.
    """

    def __init__(self, url: str, size: int, *, what: str, tries: Tries):
        self.url, self.size, self.what, self.tries = url, size, what, tries
        self.failure: InputError | None = None
        self._session = requests.Session()
        self._moved = url  # to where the last redirect led, as long as that answers
        self._at = 0
        self._blocks: dict[int, bytes] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        from_ = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}
        self._at = from_[whence] + offset
        return self._at

    def readinto(self, buffer) -> int:
        view = memoryview(buffer).cast("B")
        content = self._content(self._at, min(self._at + len(view), self.size))
        view[: len(content)] = content
        self._at += len(content)
        return len(content)

    def close(self) -> None:
        self._session.close()
        super().close()

    def _content(self, start: int, stop: int) -> bytes:
        if start >= stop:
            return b""
        first, last = start // BLOCK_BYTES, -(-stop // BLOCK_BYTES)
        missing = [block for block in range(first, last) if block not in self._blocks]
        if missing:
            self._fetch(missing[0], missing[-1] + 1)
        content = b"".join(self._blocks[block] for block in range(first, last))
        return content[start - first * BLOCK_BYTES : stop - first * BLOCK_BYTES]

    def _fetch(self, first: int, last: int) -> None:
        part = first * BLOCK_BYTES, min(last * BLOCK_BYTES, self.size)
        try:
            content = patiently(lambda: self._asked(part), what=self.what, tries=self.tries)
        except InputError as error:
            self.failure = error
            raise
        for block in range(first, last):
            begin = (block - first) * BLOCK_BYTES
            self._blocks[block] = content[begin : begin + BLOCK_BYTES]

    def _asked(self, part: tuple[int, int]) -> bytes:
        try:
            with answered(
                self._moved, stall_s=self.tries.stall_s, part=part, session=self._session
            ) as answer:
                if answer.status_code != 206:
                    raise ConnectionError("the server sends no parts of files")
                begins_at(answer, part, self.size)
                self._moved = answer.url
                content = answer.content
            if len(content) != part[1] - part[0]:
                raise ConnectionError(f"{len(content)} of {part[1] - part[0]} bytes arrived")
        except (requests.RequestException, OSError) as error:
            failure = Failed.by(error if self._moved == self.url else ConnectionError(error))
            failure.url, self._moved = self.url, self.url
            raise failure from None
        return content

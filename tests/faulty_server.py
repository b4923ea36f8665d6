"""A server on this machine whose answers meet faults to order; subclasses say what it serves.

Nothing is served but to this machine.
"""

import re
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LOST = ("reset", "stall", "cut", "cut without length")
"""Faults of the connection."""
ANSWERED = ("500", "503", "html", "wrong json", "nothing", "empty")
"""Faults of the server, which answers all the same."""
FAULTS = (*LOST, *ANSWERED, "slow")
OF_FILES = ("wrong bytes", "wrong length", "no parts", "wrong part", "more bytes", "429", "502")
"""Further ones, of a server of files."""

HTML = b"<!DOCTYPE html><html><body>The service is down for maintenance.</body></html>"
PIECES, PIECE_S = 20, 0.02
"""Into how many pieces, how far apart, a slow answer is cut."""
LONGEST_STALL_S = 30


@dataclass(frozen=True)
class Answer:
    """What a request is answered with where no fault is ordered."""

    kind: str
    body: bytes | None
    """None: not found."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Server(ThreadingHTTPServer):
    """As a context manager it runs in a thread of its own.

    Attributes
    ----------
    folder : what it serves
    requests : the kind (see `order`) of every request so far, and its method and path
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    handler: type["Handler"]

    def __init__(self, folder: Path, port: int = 0):
        super().__init__(("127.0.0.1", port), self.handler)
        self.folder = Path(folder)
        self.requests: list[tuple[str, str]] = []
        self.closing = threading.Event()
        self._faults: dict[str, Iterator[str | None]] = {}
        self._turn = threading.Lock()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Refuse every further connection."""
        self.closing.set()
        self.shutdown()
        self.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def order(self, faults: Iterable[str | None], of: str = "file") -> None:
        """The next requests `of` a kind meet these faults, one each; None: no fault."""
        self._faults[of] = iter(faults)

    def fault(self, kind: str) -> str | None:
        with self._turn:
            return next(self._faults.get(kind, iter(())), None)

    def handle_error(self, request, client_address):
        """A client that went away is no error of the server's."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def answer(self) -> Answer:
        raise NotImplementedError

    def envelope(self) -> bytes:
        """An answer that holds nothing."""
        return b"[]"

    def do_HEAD(self):
        self._serve()

    def do_GET(self):
        self._serve()

    def log_message(self, *_):
        pass

    def _serve(self) -> None:
        answer = self.answer()
        self.server.requests.append((answer.kind, f"{self.command} {self.path}"))
        if answer.body is None:
            self._send(b"there is no such thing here\n", status=404)
            return
        fault, body = self.server.fault(answer.kind), answer.body
        if fault is None:
            self._send(body, status=answer.status, headers=answer.headers)
        elif fault.isdigit():
            self._send(b"the service is overloaded\n", status=int(fault))
        elif fault == "503 later":
            self._send(b"come again\n", status=503, headers={"Retry-After": "1"})
        elif fault == "reset":
            self.close_connection = True
        elif fault == "stall":
            self._send(body, cut=True)
            self.server.closing.wait(LONGEST_STALL_S)
        elif fault == "cut":
            self._send(body, cut=True)
        elif fault == "cut without length":
            self._send(body, cut=True, length=False)
        elif fault == "html":
            self._send(HTML, content="text/html")
        elif fault == "wrong json":
            self._send(b'{"success": true, "msg": [{"id": 1', content="application/json")
        elif fault == "nothing":
            self._send(b"")
        elif fault == "empty":
            self._send(self.envelope(), content="application/json")
        elif fault == "slow":
            self._send(body, pause_s=PIECE_S)
        elif fault == "wrong bytes":
            self._send(bytes([body[0] ^ 1]) + body[1:-1] + bytes([body[-1] ^ 1]))
        elif fault == "wrong length":
            self._send(body[: 2 * len(body) // 3])
        elif fault == "more bytes":
            self._send(body + body[:1000], length=False)
        elif fault == "no parts":
            del self.headers["Range"]
            self._send(body)
        elif fault == "wrong part":
            del self.headers["Range"]
            self.headers["Range"] = "bytes=1-99"
            self._send(body)
        elif fault.startswith("to "):
            self._send(b"", status=302, headers={"Location": fault.removeprefix("to ")})
        else:
            raise ValueError(f"there is no fault {fault}")

    def _send(
        self,
        body: bytes,
        *,
        status: int = 200,
        content: str = "application/octet-stream",
        headers: dict[str, str] | None = None,
        cut: bool = False,
        length: bool = True,
        pause_s: float = 0,
    ) -> None:
        """Answer; `cut` sends half of it and closes the connection."""
        part = slice(None)
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if asked and status == 200:
            part, status = _part(asked, len(body)), 206
        self.send_response(status)
        self.send_header("Content-Type", content)
        self.send_header("Last-Modified", formatdate(0, usegmt=True))
        self.send_header("ETag", f'"{len(body)}"')
        self.send_header("Accept-Ranges", "bytes")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status == 206:
            start, stop, _ = part.indices(len(body))
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(body)}")
        whole = body[part]
        if length:
            self.send_header("Content-Length", str(len(whole)))
        if cut or not length:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command == "HEAD":
            return
        if not pause_s:
            self.wfile.write(whole[: len(whole) // 2] if cut else whole)
            return
        step = -(-len(whole) // PIECES) or 1
        for start in range(0, len(whole), step):
            self.wfile.write(whole[start : start + step])
            time.sleep(pause_s)


def _part(asked: re.Match, size: int) -> slice:
    first, last = asked.groups()
    if not first:
        return slice(max(size - int(last), 0), size)
    return slice(int(first), min(int(last) + 1, size) if last else size)


def inside(folder: Path, name: str) -> bytes | None:
    """What a file in a folder holds; None where there is none."""
    path = folder / name
    found = path.resolve().is_relative_to(folder.resolve()) and path.is_file()
    return path.read_bytes() if found else None


def serve(server: Server) -> None:
    """Serve until interrupted."""
    print(server.address, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()

"""A server on this machine that answers as the Allen Brain Observatory's do, with faults to order.

    python tests/allen/server.py FOLDER

FOLDER has the layout of the public bucket (`worlds.py` writes one): ophys_experiments.json,
experiment_containers.json, ophys_experiment_data/<id>.nwb, and besides eye_mapping_files.json,
the answer to AllenSDK's query for eye tracking. The same folder is served as the web service
and as the bucket. Nothing is served but to this machine.
"""

import json
import re
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from email.utils import formatdate
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

BUCKET = "/allen-brain-observatory/visual-coding-2p/"
QUERY = "/api/v2/data/query.json"
DOWNLOAD = "/api/v2/well_known_file_download/"

LOST = ("reset", "stall", "cut", "cut without length")
"""Faults of the connection."""
ANSWERED = ("500", "503", "html", "wrong json", "nothing", "empty")
"""Faults of the server, which answers all the same."""
FAULTS = (*LOST, *ANSWERED, "slow")

HTML = b"<!DOCTYPE html><html><body>The service is down for maintenance.</body></html>"
PIECES, PIECE_S = 20, 0.02
"""Into how many pieces, how far apart, a slow answer is cut."""
LONGEST_STALL_S = 30


class Server(ThreadingHTTPServer):
    """Serves `folder`; as a context manager it runs in a thread of its own.

    Attributes
    ----------
    requests : the kind (see `order`) of every request so far, and its method and path
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, folder: Path, port: int = 0):
        super().__init__(("127.0.0.1", port), Handler)
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

    @cached_property
    def tables(self) -> dict[str, list[dict]]:
        """Rows by model; a test may change them."""
        names = {
            "OphysExperiment": "ophys_experiments",
            "ExperimentContainer": "experiment_containers",
            "EyeDlcScreenMapping": "eye_mapping_files",
        }
        return {
            model: json.loads((self.folder / f"{name}.json").read_text())
            for model, name in names.items()
        }

    def order(self, faults: Iterable[str | None], of: str = "file") -> None:
        """The next requests `of` a kind meet these faults, one each; None: no fault.

        Kinds: catalogue (the tables), lookup (where a session's file is), head (its length),
        file.
        """
        self._faults[of] = iter(faults)

    def fault(self, kind: str) -> str | None:
        with self._turn:
            return next(self._faults.get(kind, iter(())), None)

    def handle_error(self, request, client_address):
        """A client that went away is no error of the server's."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_HEAD(self):
        self._serve()

    def do_GET(self):
        self._serve()

    def log_message(self, *_):
        pass

    def _serve(self) -> None:
        kind, body = self._answer()
        self.server.requests.append((kind, f"{self.command} {self.path}"))
        if body is None:
            self._send(b"there is no such thing here\n", status=404)
            return
        fault = self.server.fault(kind)
        if fault is None:
            self._send(body)
        elif fault.isdigit():
            self._send(b"the service is overloaded\n", status=int(fault))
        elif fault == "reset":
            self.close_connection = True
        elif fault == "stall":
            self._send(body, until=len(body) // 2)
            self.server.closing.wait(LONGEST_STALL_S)
        elif fault == "cut":
            self._send(body, until=len(body) // 2)
        elif fault == "cut without length":
            self._send(body, until=len(body) // 2, length=False)
        elif fault == "html":
            self._send(HTML, content="text/html")
        elif fault == "wrong json":
            self._send(b'{"success": true, "msg": [{"id": 1', content="application/json")
        elif fault == "nothing":
            self._send(b"")
        elif fault == "empty":
            bucket = self.path.startswith(BUCKET)
            self._send(b"[]" if bucket else _envelope([]), content="application/json")
        elif fault == "slow":
            self._send(body, pause_s=PIECE_S)
        else:
            raise ValueError(f"there is no fault {fault}")

    def _answer(self) -> tuple[str, bytes | None]:
        """The kind of the request, and the whole body of its answer; None: not found."""
        path = unquote(urlsplit(self.path).path)
        if path == QUERY:
            return self._rows(unquote(urlsplit(self.path).query))
        kind = "head" if self.command == "HEAD" else "file"
        if path.startswith(DOWNLOAD):
            name = path.removeprefix(DOWNLOAD)
            return kind, self._file(f"ophys_experiment_data/{name}.nwb")
        if path.startswith(BUCKET):
            name = path.removeprefix(BUCKET)
            return "catalogue" if name.endswith(".json") else kind, self._file(name)
        return kind, None

    def _file(self, name: str) -> bytes | None:
        path = self.server.folder / name
        inside = path.resolve().is_relative_to(self.server.folder.resolve())
        return path.read_bytes() if inside and path.is_file() else None

    def _rows(self, query: str) -> tuple[str, bytes | None]:
        """What the query language RMA gives for the queries that AllenSDK makes."""
        model = re.search(r"model::(\w+)", query)[1]
        asked = re.search(r"attachable_id\$eq(\d+)", query)
        if asked and "name$eqNWBOphys" in query:
            return "lookup", _envelope(_well_known_files(self.server.folder, int(asked[1])))
        if model == "WellKnownFile" and "name$eqEyeDlcScreenMapping" in query and not asked:
            model = "EyeDlcScreenMapping"
        rows = self.server.tables.get(model)
        return "catalogue", None if rows is None else _envelope(rows)

    def _send(
        self,
        body: bytes,
        *,
        status: int = 200,
        content: str = "application/octet-stream",
        until: int | None = None,
        length: bool = True,
        pause_s: float = 0,
    ) -> None:
        """Answer; `until` cuts the body there and closes the connection."""
        part = slice(None)
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if asked and status == 200:
            part, status = _part(asked, len(body)), 206
        self.send_response(status)
        self.send_header("Content-Type", content)
        self.send_header("Last-Modified", formatdate(0, usegmt=True))
        self.send_header("ETag", f'"{len(body)}"')
        self.send_header("Accept-Ranges", "bytes")
        if status == 206:
            start, stop, _ = part.indices(len(body))
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(body)}")
        if length:
            self.send_header("Content-Length", str(len(body[part])))
        if until is not None or not length:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command == "HEAD":
            return
        whole = body[part]
        if not pause_s:
            self.wfile.write(whole[:until])
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


def _envelope(rows: list[dict]) -> bytes:
    return json.dumps({"success": True, "num_rows": len(rows), "msg": rows}).encode()


def _well_known_files(folder: Path, experiment: int) -> list[dict]:
    if not (folder / f"ophys_experiment_data/{experiment}.nwb").is_file():
        return []
    return [
        {
            "attachable_id": experiment,
            "attachable_type": "OphysExperiment",
            "download_link": f"{DOWNLOAD}{experiment}",
            "id": experiment,
        }
    ]


def main(folder: Path) -> None:
    server = Server(folder)
    print(server.address, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

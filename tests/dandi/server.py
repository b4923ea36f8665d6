"""A server on this machine that answers as DANDI's API and storage do, with faults to order.

    python -m tests.dandi.server FOLDER

FOLDER holds a folder a version, named as <dandiset>/<version>, with its files as they lie in the
dandiset, and of Zarr folders an empty file of their name (`worlds.py` writes one). Kinds of
requests: list (a page of the list of assets), asset (the redirect to the storage), file (the
storage).
"""

import hashlib
import json
import re
import sys
import uuid
from functools import cached_property
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests import faulty_server
from tests.faulty_server import Answer, serve

MOST_ON_A_PAGE = 2
"""So that a small dandiset has several pages."""


class Handler(faulty_server.Handler):
    server: "Server"

    def answer(self) -> Answer:
        parts = urlsplit(self.path)
        match parts.path.strip("/").split("/"):
            case ["api", "dandisets", dandiset, "versions", version, "assets"]:
                return Answer("list", self._page(f"{dandiset}/{version}", parse_qs(parts.query)))
            case ["api", "assets", asset, "download"]:
                where = f"{self.server.address}/blobs/{asset}?X-Amz-Signature=secret"
                found = b"" if asset in self.server.blobs else None
                return Answer("asset", found, status=302, headers={"Location": where})
            case ["blobs", asset] if "X-Amz-Signature=secret" in parts.query:
                self.server.begun.append(int((re.findall(r"\d+", self.headers["Range"] or "0"))[0]))
                path = self.server.blobs.get(asset)
                return Answer("file", path.read_bytes() if path else None)
            case _:
                return Answer("other", None)

    def envelope(self) -> bytes:
        return json.dumps({"count": 0, "next": None, "previous": None, "results": []}).encode()

    def _page(self, version: str, asked: dict[str, list[str]]) -> bytes | None:
        if version not in self.server.versions:
            return None
        rows = self.server.versions[version]
        size = min(int(asked.get("page_size", ["100"])[0]), MOST_ON_A_PAGE)
        number = int(asked.get("page", ["1"])[0])
        first = (number - 1) * size
        following = f"{self.server.address}{self.path.partition('&page=')[0]}&page={number + 1}"
        page = {
            "count": len(rows) if number == 1 else None,
            "next": following if first + size < len(rows) else None,
            "previous": None,
            "results": rows[first : first + size],
        }
        return json.dumps(page).encode()


class Server(faulty_server.Server):
    """Serves versions of dandisets.

    Attributes
    ----------
    begun : the first byte that each request of the storage asked for
    versions : the rows of each version; a test may change them
    """

    handler = Handler

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.begun: list[int] = []

    @property
    def api(self) -> str:
        return f"{self.address}/api"

    @cached_property
    def versions(self) -> dict[str, list[dict]]:
        found = {}
        for version in self.folder.glob("*/*"):
            files = sorted(path for path in version.rglob("*") if path.is_file())
            name = str(version.relative_to(self.folder))
            found[name] = [row(path, str(path.relative_to(version))) for path in files]
        return found

    @cached_property
    def blobs(self) -> dict[str, Path]:
        """Files by the id of their asset."""
        return {
            row["asset_id"]: self.folder / version / row["path"]
            for version, rows in self.versions.items()
            for row in rows
        }


def row(path: Path, name: str) -> dict:
    """An asset as the API lists it with its metadata, as far as anything reads them."""
    content = path.read_bytes()
    etag = hashlib.md5(hashlib.md5(content).digest()).hexdigest()
    is_zarr = name.endswith(".zarr")
    digest = {"dandi:dandi-zarr-checksum": f"{etag}-1--{len(content)}"}
    if not is_zarr:
        sha256 = hashlib.sha256(content).hexdigest()
        digest = {"dandi:dandi-etag": f"{etag}-1", "dandi:sha2-256": sha256}
    asset, blob = (str(uuid.uuid5(uuid.NAMESPACE_URL, f"{of}/{name}")) for of in ("asset", "blob"))
    return {
        "asset_id": asset,
        "blob": None if is_zarr else blob,
        "zarr": blob if is_zarr else None,
        "path": name,
        "size": len(content),
        "created": "2024-08-27T18:09:00Z",
        "modified": "2024-08-27T18:09:00Z",
        "metadata": {
            "path": name,
            "contentSize": len(content),
            "digest": digest,
            "encodingFormat": "application/x-nwb",
        },
    }


if __name__ == "__main__":
    serve(Server(Path(sys.argv[1])))

"""A server on this machine that answers as the Allen Brain Observatory's do, with faults to order.

    python -m tests.allen.server FOLDER

FOLDER has the layout of the public bucket (`worlds.py` writes one): ophys_experiments.json,
experiment_containers.json, ophys_experiment_data/<id>.nwb, and besides eye_mapping_files.json,
the answer to AllenSDK's query for eye tracking. The same folder is served as the web service
and as the bucket. Kinds of requests: catalogue (the tables), lookup (where a session's file is),
head (its length), file.
"""

import json
import re
import sys
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests import faulty_server
from tests.faulty_server import Answer, inside, serve

BUCKET = "/allen-brain-observatory/visual-coding-2p/"
QUERY = "/api/v2/data/query.json"
DOWNLOAD = "/api/v2/well_known_file_download/"


class Handler(faulty_server.Handler):
    server: "Server"

    def answer(self) -> Answer:
        path = unquote(urlsplit(self.path).path)
        if path == QUERY:
            return self._rows(unquote(urlsplit(self.path).query))
        kind = "head" if self.command == "HEAD" else "file"
        if path.startswith(DOWNLOAD):
            name = path.removeprefix(DOWNLOAD)
            return Answer(kind, inside(self.server.folder, f"ophys_experiment_data/{name}.nwb"))
        if path.startswith(BUCKET):
            name = path.removeprefix(BUCKET)
            kind = "catalogue" if name.endswith(".json") else kind
            return Answer(kind, inside(self.server.folder, name))
        return Answer(kind, None)

    def envelope(self) -> bytes:
        return b"[]" if self.path.startswith(BUCKET) else _envelope([])

    def _rows(self, query: str) -> Answer:
        """What the query language RMA gives for the queries that AllenSDK makes."""
        model = re.search(r"model::(\w+)", query)[1]
        asked = re.search(r"attachable_id\$eq(\d+)", query)
        if asked and "name$eqNWBOphys" in query:
            files = _well_known_files(self.server.folder, int(asked[1]))
            return Answer("lookup", _envelope(files))
        if model == "WellKnownFile" and "name$eqEyeDlcScreenMapping" in query and not asked:
            model = "EyeDlcScreenMapping"
        rows = self.server.tables.get(model)
        return Answer("catalogue", None if rows is None else _envelope(rows))


class Server(faulty_server.Server):
    handler = Handler

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


if __name__ == "__main__":
    serve(Server(Path(sys.argv[1])))

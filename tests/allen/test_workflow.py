"""Source allen: AllenSDK itself from selection to store, then all the rest without a network."""

import csv
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import xarray as xr

from tests.allen.client import ROOT

A, OTHER_A, B = "501704220", "506540916", "501559087"
CLAIMS = "results/tables/claims.csv"
NO_NETWORK = ("unshare", "--user", "--map-root-user", "--net")
SETTINGS = (
    *("source=allen", "results=results", "models=[trained]"),
    "decoder={train: {epochs: 1}}",
)


class Workflow:
    """The workflow beside this test, with its results in a folder of their own."""

    def __init__(self, folder: Path, address: str):
        self.folder = folder
        self.results = folder / "results"
        self.settings = (*SETTINGS, f"allen={{base_uri: '{address}', backoff_s: 0.1}}")

    def snakemake(self, *arguments: str, select: str, prefix=()) -> Counter[str]:
        """Run to the end; the number of jobs of each stage that ran."""
        command = [
            *(*prefix, sys.executable, "-m", "snakemake", "--cores", "2"),
            *("--snakefile", ROOT / "Snakefile", "--directory", self.folder),
            *("--configfile", ROOT / "workflow/configs/tiny.yaml"),
            *("--config", *self.settings, f"select={select}", *arguments),
        ]
        before = self.benchmarks()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stdout + done.stderr
        after = self.benchmarks()
        ran = [path for path in after if after[path] != before.get(path)]
        return Counter(path.relative_to(self.results / "benchmarks").parts[0] for path in ran)

    def benchmarks(self) -> dict[Path, int]:
        folder = self.results / "benchmarks"
        return {path: path.stat().st_mtime_ns for path in folder.rglob("*.tsv")}

    def sessions(self) -> list[dict[str, str]]:
        with open(self.results / "sessions.csv", newline="") as file:
            return list(csv.DictReader(file))


def without_network() -> tuple[str, ...]:
    """A prefix that leaves a command no network, where this machine allows it."""
    allowed = subprocess.run([*NO_NETWORK, "true"], capture_output=True).returncode == 0
    return NO_NETWORK if allowed else ()


def test_from_selection_to_tables(server, world, tmp_path):
    workflow = Workflow(tmp_path, server.address)
    ids = f"{{session_ids: ['{A}', '{OTHER_A}', '{B}']}}"
    ran = workflow.snakemake("--", "results/trials.parquet", select=ids)
    assert ran["catalogue.tsv"] == 1
    assert ran["download"] == ran["preprocess"] == 3
    assert [row["session_id"] for row in workflow.sessions()] == sorted([A, OTHER_A, B])
    (row,) = (row for row in workflow.sessions() if row["session_id"] == OTHER_A)
    expected = {
        "container_id": "511511001",
        "mouse": "228786",
        "cre_line": "Rorb-IRES2-Cre",
        "area": "VISpm",
        "depth_um": "275.0",
        "session_type": "three_session_A",
        "sex": "male",
        "age_days": "103.0",
        "source": "allen",
    }
    assert {key: row[key] for key in expected} == expected
    store = xr.open_datatree(workflow.results / f"preprocessed/{OTHER_A}.zarr")
    assert store.attrs["mouse"] == "228786"
    assert store["traces/dff"].shape[0] == 6
    record = json.loads((workflow.results / f"raw/{OTHER_A}.json").read_text())
    assert store.attrs["source_sha256"] == record["sha256"]

    # From here on there is no server, and no network where it can be taken away.
    server.stop()
    prefix = without_network()
    fewer = "{session_types: [three_session_A]}"
    ran = workflow.snakemake("--", CLAIMS, select=fewer, prefix=prefix)
    assert {row["session_id"] for row in workflow.sessions()} == {A, OTHER_A}
    assert not {"catalogue.tsv", "download", "preprocess"} & set(ran)
    assert {"select.tsv", "train", "fit_sae", "selectivity", "ablate", "claims.tsv"} <= set(ran)

    # To check every download again asks no server, and nothing that follows has to run.
    check = ("--forcerun", "download", "--until", "download", "--", CLAIMS)
    assert workflow.snakemake(*check, select=fewer, prefix=prefix) == {"download": 2}
    assert workflow.snakemake("--", CLAIMS, select=fewer, prefix=prefix) == {}

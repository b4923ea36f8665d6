"""Results of a whole run as a crate: its files are as described, and nothing is missing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from rocrate.rocrate import ROCrate

from glasscortex.config import validated
from glasscortex.files import sha256

pytestmark = pytest.mark.xdist_group("workflow")

LICENSE = "https://spdx.org/licenses/CC-BY-4.0"
PROVENANCE = "https://w3id.org/ro/wfrun/provenance/0.5"


def told(project, out: Path) -> subprocess.CompletedProcess:
    options = [f"--license={LICENSE}", "--published=2026-11-30"]
    return subprocess.run(
        [sys.executable, "-m", "glasscortex", "crate", project.results, out, *options],
        env=os.environ | {"PYTHONPATH": str(project.folder / "src")},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def crate(finished, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("deposit") / "crate"
    done = told(finished, out)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def entities(crate) -> dict[str, dict]:
    metadata = json.loads((crate / "ro-crate-metadata.json").read_text())
    return {entity["@id"]: entity for entity in metadata["@graph"]}


def references(value) -> list[str]:
    """All that is referred to in a property or in an entity."""
    if isinstance(value, list):
        return [name for part in value for name in references(part)]
    if isinstance(value, dict):
        own = [value["@id"]] if value.keys() == {"@id"} else []
        return own + [name for part in value.values() for name in references(part)]
    return []


def test_every_file_is_there_with_the_bytes_that_are_told(crate, entities):
    for name in references(entities["./"]["hasPart"]):
        path = crate / unquote(name)
        if name.endswith("/"):
            assert any(path.iterdir())
        else:
            assert sha256(path) == entities[name]["sha256"]
    tables = [f"results/tables/{table}.csv" for table in ("claims", "decoding", "selectivity")]
    assert {"Snakefile", "configuration.json", *tables} <= entities.keys()


def test_whatever_is_referred_to_is_described(entities):
    for entity in entities.values():
        assert set(references(list(entity.values()))) <= entities.keys()


def test_a_table_leads_back_to_the_recordings(finished, entities):
    """Which are not in the crate, but known by their SHA-256."""
    made_by = {
        result: action
        for action in entities.values()
        if action["@type"] == "CreateAction" and action["@id"] != "#run"
        for result in references(action["result"])
    }
    ways, recordings = ["results/tables/claims.csv"], set()
    seen = set(ways)
    while ways:
        action = made_by[ways.pop()]
        assert entities[action["instrument"]["@id"]]["name"] == action["name"]
        if action["name"] == "simulate":
            recordings |= {entities[name].get("sha256") for name in references(action["result"])}
        new = {name for name in references(action["object"]) if name in made_by} - seen
        seen |= new
        ways += new
    assert {sha256(path) for path in (finished.results / "raw").glob("*.nwb")} <= recordings


def test_it_holds_the_configuration_and_the_workflow(finished, crate):
    settings = yaml.safe_load((finished.folder / "config.yaml").read_text())
    assert (crate / "config.yaml").read_text() == (finished.folder / "config.yaml").read_text()
    run = validated(json.loads((crate / "configuration.json").read_text()))
    assert run.simulate.cells == 8 != settings["simulate"]["cells"]  # as tiny.yaml has it


def test_another_program_opens_it(crate):
    opened = ROCrate(crate)
    assert opened.mainEntity["programmingLanguage"]["name"] == "Snakemake"
    assert opened.root_dataset["datePublished"] == "2026-11-30"
    assert PROVENANCE in [profile["@id"] for profile in opened.root_dataset["conformsTo"]]
    (run,) = [
        one for one in opened.get_by_type("CreateAction") if one["instrument"].id == "Snakefile"
    ]
    assert "results/report.html" in [result.id for result in run["result"]]


def test_it_is_made_again_with_the_same_bytes(finished, crate, tmp_path):
    assert told(finished, tmp_path / "again").returncode == 0
    made = (tmp_path / "again/ro-crate-metadata.json").read_bytes()
    assert made == (crate / "ro-crate-metadata.json").read_bytes()

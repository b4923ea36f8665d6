"""What cannot become a crate, and recordings in one; that of a whole run is in tests/workflow."""

import json
from datetime import date

import pytest

from glasscortex.errors import InputError
from glasscortex.files import sha256
from glasscortex.local import recording_sha256
from glasscortex.run.crate import write_crate
from glasscortex.run.provenance import digest_of_code, record_of

LICENSE = "https://spdx.org/licenses/CC-BY-4.0"
DAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("license", "out", "words"),
    [
        (LICENSE, "crate", "has no report of a whole run: run the workflow to its end"),
        (LICENSE, "results", "results is there already: remove it"),
        ("CC-BY-4.0", "crate", "--license CC-BY-4.0: give the address of a licence"),
    ],
)
def test_no_crate(tmp_path, license, out, words):
    (tmp_path / "results").mkdir()
    with pytest.raises(InputError, match=words):
        write_crate(tmp_path / "results", tmp_path / out, license=license, published=DAY)
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_no_crate_of_results_that_are_not_as_they_were_made(tmp_path):
    report = tmp_path / "report.html"
    report.touch()
    record_of(report).write_text("{}")
    with pytest.raises(InputError, match="its record is damaged, and 0 more faults: run the"):
        write_crate(tmp_path, tmp_path / "crate", license=LICENSE, published=DAY)
    assert not (tmp_path / "crate").exists()


def test_a_recording_that_is_a_zarr_has_its_own_name_and_the_sha256_of_all_its_files(tmp_path):
    results, entrances = tmp_path / "results", []
    for name in ("mine", "other"):
        (tmp_path / f"{name}.zarr").mkdir()
        (tmp_path / f"{name}.zarr/0").write_text(name)
        entrances.append(tmp_path / f"{name}.zarr/.zgroup")
        entrances[-1].write_text('{"zarr_format": 2}')
    (results / "browser").mkdir(parents=True)
    report, settings = results / "report.html", {"config": {}}
    report.write_text("found")
    made = {
        "stage": "report",
        "glasscortex": "0",
        "commit": None,
        "code": digest_of_code("report", settings),
        "settings": settings,
        "inputs": {f"../{path.parent.name}/.zgroup": recording_sha256(path) for path in entrances},
        "sha256": sha256(report),
    }
    record_of(report).write_text(json.dumps(made))
    write_crate(results, tmp_path / "crate", license=LICENSE, published=DAY)
    metadata = json.loads((tmp_path / "crate/ro-crate-metadata.json").read_text())
    told = {entity["name"]: entity for entity in metadata["@graph"] if "name" in entity}
    of_folders = {path.parent.name: recording_sha256(path.parent) for path in entrances}
    assert {name: told[name]["sha256"] for name in of_folders} == of_folders
    assert len(set(of_folders.values())) == 2

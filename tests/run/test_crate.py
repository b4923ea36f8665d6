"""What cannot become a crate; one of a whole run is looked at in tests/workflow."""

from datetime import date

import pytest

from glasscortex.errors import InputError
from glasscortex.run.crate import write_crate
from glasscortex.run.provenance import record_of

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

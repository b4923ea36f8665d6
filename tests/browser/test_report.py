"""The report: all that it shows is in it, and no name is markup."""

from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from glasscortex.browser import report as parts
from glasscortex.data.definitions import described
from glasscortex.figures.captions import CAPTIONS
from glasscortex.stages.report import report
from glasscortex.tables import write_table
from glasscortex.tasks import ALLEN

HOSTILE = "<script>alert('1')</script>\"&"


class Reader(HTMLParser):
    """Tags, addresses and text of a page."""

    def __init__(self, page: str):
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("href", "src")]

    def handle_data(self, data):
        self.text += data + "\n"


@pytest.fixture
def page(tmp_path):
    tables = {
        "claims": pd.DataFrame(
            {
                "claim": ["one holds", "one holds", HOSTILE],
                "estimate": [0.25, 0.375, np.nan],
                "ci_low": [0.125, 0.25, np.nan],
                "ci_high": [0.5, 0.625, np.nan],
                "n": [40, 38, 2],
                "of": "mice",
                "rival": ["chance", "chance", None],
                "verdict": ["holds", "fails", "not testable"],
                "reason": ["it is far", "it is near", HOSTILE],
                "seed": [0, 1, np.nan],
                "sae": ["a", "a", None],
            }
        ),
        "quality": pd.DataFrame({"session_id": ["1", "1", "2"], "used": [True, False, True]}),
        "sae": pd.DataFrame(
            {"model": "trained", "seed": 0, "sae": "a", "hook": "h", "architecture": "topk"}
            | {"width": 9, "l0": 1.5, "fvu": 0.2, "split": ["train", "test"]}
        ),
        "selectivity": pd.DataFrame(
            {"model": "trained", "seed": 0, "sae": "a", "unit": [4, 5], "variable": "direction"}
            | {"stimulus": "drifting_gratings", "selected": True, "preferred": "90"}
            | {"explained_selection": [0.1, 0.2], "effect": 0.125, "q": 0.01}
        ),
        "sessions": pd.DataFrame(
            {"session_id": ["1", "2"], "mouse": ["m", "m"], "cre_line": HOSTILE, "area": "VISp"}
        ),
        "variables": described(ALLEN, ["direction"]),
    }
    for name, table in tables.items():
        write_table(table, tmp_path / f"{name}.csv")
    (tmp_path / "quality.svg").write_text("<svg/>")
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks/train.tsv").write_text("s\tmax_rss\tcpu_time\n10.5\t300\t9\n")
    report(
        **{name: tmp_path / f"{name}.csv" for name in tables},
        folder=tmp_path,
        benchmarks=tmp_path / "benchmarks",
        page=tmp_path / "report.html",
        names=["quality"],
        config={"source": "local", "seeds": [0], "nwb": HOSTILE},
    )
    return (tmp_path / "report.html").read_text()


def test_the_report_says_what_the_tables_say(page):
    reader = Reader(page)
    claimed = ("one holds (a)", "chance", "0.25, 0.375", "0.125 to 0.625", "38 to 40 mice")
    verdicts = ("holds 1, fails 1", "it is far; it is near", "not testable", "2 mice")
    assert "Of 3 claims 1 hold, 1 fail, 1 are not testable." in reader.text
    for said in (*claimed, *verdicts, "10.5", CAPTIONS["quality"]):
        assert said in reader.text
    assert reader.addresses[-2:] == [
        "browser/index.html#model=trained&seed=0&sae=a&unit=5",
        "browser/index.html#table=sessions",
    ]


def test_names_are_text_and_nothing_lies_elsewhere(page):
    reader = Reader(page)
    assert reader.text.count(HOSTILE) == 3  # a claim, its reason, a Cre line
    assert "script" not in reader.tags
    assert reader.tags.count("img") == 1
    assert all(a.startswith(("data:image/svg+xml;", "browser/")) for a in reader.addresses)


def test_recordings_are_counted_by_kind_and_together():
    sessions = pd.DataFrame({"session_id": ["1", "2", "3"], "mouse": ["m", "m", "n"]})
    sessions["cre_line"] = ["x", "x", "y"]
    quality = pd.DataFrame({"session_id": ["1", "1", "3"], "used": [True, True, False]})
    text = Reader(parts.recordings(sessions, quality)).text.split("\n")
    rows = [line for line in text if line]
    assert rows == [
        *("Cre line", "mice", "sessions", "cells used"),
        *("x", "1", "2", "2"),
        *("y", "1", "1", "0"),
        *("all", "2", "3", "2"),
    ]


def test_no_selected_unit_is_told():
    none = pd.DataFrame({"model": ["trained"], "selected": [False], "explained_selection": [0.1]})
    none = none.assign(seed=0, sae="a", variable="scene", stimulus="natural_scenes")
    assert "No unit was selected" in parts.units(none, ALLEN.variables)

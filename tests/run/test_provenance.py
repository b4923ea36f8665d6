"""What a result was made from stands beside it, and whatever no longer holds is told."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from glasscortex.cli import command
from glasscortex.config import SelectivityConfig
from glasscortex.data.record import Record
from glasscortex.files import READ, WRITTEN, sha256
from glasscortex.run import provenance
from glasscortex.run.provenance import mismatches, record_of
from glasscortex.stages.arguments import Input, Output, Threads
from glasscortex.stages.concatenate import concatenate
from glasscortex.tables import read_table, write_table


@pytest.fixture(autouse=True)
def _forget():
    forget()


def forget() -> None:
    """What this process has read and written, as a new one would."""
    READ.clear()
    WRITTEN.clear()


def selectivity(
    *, table: Input, out: Output, seed: int, sae: str, config: SelectivityConfig, threads: Threads
) -> None:
    """A stage of the name of one that there is."""
    write_table(read_table(table), out, seed=seed)


def copied(*, nwb: Input, out: Output) -> None:
    """A stage that reads a recording."""
    write_table(pd.DataFrame({"a": [1.0]}), out)


def ran(stage, **arguments) -> None:
    """The stage as its command runs it, in a process of its own."""
    forget()
    command(stage)(**arguments)


@pytest.fixture
def results(tmp_path):
    """Two seeds' tables, made of one, joined."""
    made = tmp_path / "results"
    write_table(pd.DataFrame({"a": [1.0, 2.0]}), made / "source.csv")
    for seed in (0, 1):
        out = made / f"seed{seed}/selectivity.csv"
        config = SelectivityConfig()
        ran(
            selectivity,
            table=made / "source.csv",
            out=out,
            seed=seed,
            sae="topk",
            config=config,
            threads=2,
        )
    parts = [made / f"seed{seed}/selectivity.csv" for seed in (0, 1)]
    ran(concatenate, parts=parts, table=made / "tables/selectivity.csv")
    return made


def test_a_record_names_code_settings_and_inputs(results):
    made = results / "seed1/selectivity.csv"
    about = json.loads(record_of(made).read_text())
    assert about["stage"] == "selectivity"
    assert about["sha256"] == sha256(made)
    assert about["inputs"] == {"../source.csv": sha256(results / "source.csv")}
    assert about["settings"]["seed"] == 1
    assert about["settings"]["config"] == SelectivityConfig().model_dump(mode="json")
    assert "threads" not in about["settings"]


def test_what_is_as_it_was_made_is_told_of_nothing(results, tmp_path):
    assert mismatches(results) == (3, [])
    results.rename(tmp_path / "moved")
    assert mismatches(tmp_path / "moved") == (3, [])


def test_a_changed_table_and_what_was_made_of_it(results):
    part = results / "seed0/selectivity.csv"
    part.write_text(part.read_text().replace("1", "3"))
    _, faults = mismatches(results)
    assert faults == [
        f"{part}: is not as it was written",
        f"{results}/tables/selectivity.csv: its input {part} has changed since",
    ]


def test_a_missing_input(results):
    (results / "source.csv").unlink()
    _, faults = mismatches(results)
    assert len(faults) == 2
    assert all(f"its input {results}/source.csv is missing" in fault for fault in faults)


def test_a_recording_that_is_a_zarr_is_known_by_all_of_its_files(tmp_path):
    (tmp_path / "own.zarr/data").mkdir(parents=True)
    chunk = tmp_path / "own.zarr/data/0"
    chunk.write_bytes(b"abc")
    (tmp_path / "own.zarr/.zgroup").write_text('{"zarr_format": 2}')
    (tmp_path / "own.nwb").symlink_to(tmp_path / "own.zarr/.zgroup")
    out = tmp_path / "copied.csv"
    ran(copied, nwb=tmp_path / "own.nwb", out=out)
    found = json.loads(record_of(out).read_text())["inputs"]
    assert found == {"own.nwb": Record.of(tmp_path / "own.zarr", session_id="", source="").sha256}
    changed = [f"{out}: its input {tmp_path}/own.nwb has changed since"]
    assert changed[0] not in mismatches(tmp_path)[1]
    chunk.write_bytes(b"abd")
    assert changed[0] in mismatches(tmp_path)[1]


def test_other_code(results, monkeypatch):
    monkeypatch.setattr(provenance, "digest_of_code", lambda stage, settings: "other")
    _, faults = mismatches(results)
    assert len(faults) == 3
    assert "was made by other code of the stage concatenate" in faults[-1]


def test_settings_that_were_mixed(results):
    out = results / "seed1/selectivity.csv"
    ran(
        selectivity,
        table=results / "source.csv",
        out=out,
        seed=1,
        sae="topk",
        config=SelectivityConfig(permutations=60),
        threads=1,
    )
    _, faults = mismatches(results)
    assert faults == [f"{out}: config differs from that of {results}/seed0/selectivity.csv"]


@pytest.mark.parametrize("text", ["", "[]", "{}"])
def test_a_damaged_record(results, text):
    table = results / "tables/selectivity.csv"
    record_of(table).write_text(text)
    assert mismatches(results)[1] == [f"{table}: its record is damaged"]


def test_a_table_without_a_record(results):
    table = results / "tables/found.csv"
    table.write_text("a\n1\n")
    assert mismatches(results)[1] == [f"{table}: nothing is known of how it was made"]


def test_the_command_line(results):
    verify = [sys.executable, "-m", "glasscortex", "verify"]
    done = subprocess.run([*verify, results], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "checked 3 files: all are as they were made\n")
    (results / "source.csv").unlink()
    done = subprocess.run([*verify, results], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout.endswith("checked 3 files: 2 faults\n")
    done = subprocess.run([*verify, results / "none"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_no_commit_where_git_knows_none(monkeypatch, tmp_path):
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path)
    assert provenance.commit() is None
    subprocess.run(["git", "init", "-q"], cwd=tmp_path)
    author = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", *author, "commit", "-qm", "a", "--allow-empty"], cwd=tmp_path)
    assert provenance.commit() is None  # somebody else's repository
    (tmp_path / "__init__.py").touch()
    subprocess.run(["git", "add", "."], cwd=tmp_path)
    subprocess.run(["git", *author, "commit", "-qm", "b"], cwd=tmp_path)
    assert len(provenance.commit()) == 40
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))
    assert provenance.commit() is None

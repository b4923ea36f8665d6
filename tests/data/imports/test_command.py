"""`glasscortex import` on the command line."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from glasscortex.cli import app
from tests.data.imports import written


@pytest.mark.parametrize("program", ["suite2p", "caiman"])
def test_the_file_is_named_by_its_session_and_told_of(tmp_path, monkeypatch, program):
    monkeypatch.chdir(tmp_path)
    tables = written.beside(tmp_path)
    source = written.caiman(tmp_path / "found.hdf5")
    if program == "suite2p":
        source = written.suite2p(tmp_path / "suite2p")
    options = ("--stimuli", str(tables), "--behaviour", "running.csv")
    done = CliRunner().invoke(app, ["import", program, str(source), *options])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "tank_1.nwb").exists()
    assert "cells      4" in done.output
    assert 'animal: {table: "pictures", column: "animal", kind: categorical}' in done.output
    assert ("dff: stored" in done.output) == (program == "caiman")


WITHOUT_PYNWB = """
import sys
sys.modules["pynwb"] = None
from glasscortex.cli import main
sys.argv[1:] = ["import", "caiman", "found.hdf5", "--stimuli", "stimuli.csv"]
main()
"""


def test_without_pynwb_the_remedy_is_told(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PYNWB], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: writing NWB needs pynwb: pip install 'glasscortex[nwb]'")
    assert done.stderr.count("\n") == 1

import json
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "glasscortex"]


def glasscortex(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True)


@pytest.mark.parametrize("settings", ['{"margin": -1}', '{"margn": 0.1}', "{"])
def test_faulty_settings_give_one_line(settings, tmp_path):
    paths = ("decoder", "folder", "trials", "windows", "table")
    options = [word for name in paths for word in (f"--{name}", str(tmp_path / name))]
    done = glasscortex(
        *("splice", *options, "--model", "trained", "--seed", "0", "--sae", "topk"),
        *("--config", settings),
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: --config of SpliceConfig: ")
    assert done.stderr.count("\n") == 1


def test_bad_input_gives_one_line(tmp_path):
    source = tmp_path / "text.nwb"
    source.write_text("not an NWB file")
    made = ("--nwb", str(tmp_path / "raw.nwb"), "--record", str(tmp_path / "raw.json"))
    done = glasscortex("link", "--source", str(source), *made)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert str(source) in done.stderr
    assert done.stderr.count("\n") == 1


def test_command_line_loads_no_heavy_package():
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import json, sys, glasscortex.cli; print(json.dumps([*sys.modules]))",
        ],
        capture_output=True,
        text=True,
    )
    heavy = {"torch", "pandas", "numpy", "scipy", "zarr", "xarray", "sklearn", "matplotlib"}
    assert not heavy & set(json.loads(loaded.stdout))

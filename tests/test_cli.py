import errno
import json
import subprocess
import sys
from unittest.mock import Mock

import pytest

from glasscortex import cli

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


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device: free some"),
        (OSError("Can't write\n, errno = 28, 'No space left on device'"), "device: free some"),
        (PermissionError(errno.EACCES, "Permission denied", "raw"), "denied: 'raw': change its"),
        (OSError(errno.EROFS, "Read-only file system", "raw"), "'raw': change its permissions"),
        (MemoryError(), "error: memory is full: lower the sizes"),
        (MemoryError("Unable to allocate 7 TiB"), "Unable to allocate 7 TiB: lower the sizes"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory\nat"), "memory: lower the sizes"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), ": lower the sizes"),
    ],
)
def test_a_machine_that_is_full_or_forbids_gives_one_line(monkeypatch, capsys, error, line):
    monkeypatch.setattr(cli, "app", Mock(side_effect=error))
    monkeypatch.setattr(cli.os, "_exit", Mock(side_effect=SystemExit))
    with pytest.raises(SystemExit):
        cli.main()
    cli.os._exit.assert_called_once_with(1)
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert line in said
    assert said.count("\n") == 1


FULL_DISK = """
import sys
from glasscortex import cli

class Lost:
    def __del__(self):
        raise OSError(28, "No space left on device\\nat length")

def simulate() -> None:
    Lost()
    print("written as if nothing had happened")

cli.app.command("lose")(cli.command(simulate))
sys.argv[1:] = ["lose"]
cli.main()
"""


def test_what_a_library_cannot_raise_ends_at_once():
    """HDF5 loses what it could not write as an object is let go of, and goes on."""
    done = subprocess.run([sys.executable, "-c", FULL_DISK], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: No space left on device: free some space")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("error", [RuntimeError("shapes"), FileNotFoundError(2, "none", "x")])
def test_faults_of_our_own_keep_their_traceback(monkeypatch, error):
    monkeypatch.setattr(cli, "app", Mock(side_effect=error))
    with pytest.raises(type(error)):
        cli.main()


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

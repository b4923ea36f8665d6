"""The workflow on NWB files of the user's."""

import json
import os

import h5py
import pytest

from glasscortex.local import recordings_in
from glasscortex.run.provenance import mismatches
from tests.data.nwb2.written import turned
from tests.data.nwb2.zarr_written import as_zarr
from tests.workflow.project import TINY

pytestmark = pytest.mark.xdist_group("workflow")


@pytest.fixture
def local(copy):
    """(project, arguments of its run on the simulated files as if they were the user's).

    One of them is turned into NWB 2 in HDF5, one into NWB 2 in Zarr.
    """
    nwb = copy.folder / "nwb"
    (copy.results / "raw").rename(nwb)
    *_, second, third = sorted(nwb.glob("*.nwb"))
    for path in (second, third):
        turned(path.rename(path.with_suffix(".1")), path)
    as_zarr(third.rename(third.with_suffix(".2")), third.with_suffix(".nwb.zarr"))
    arguments = (*TINY, "--config", "source=local", "nwb=nwb", "results=local", "--")
    return copy, (*arguments, "local/trials.parquet")


def test_changed_session_reruns_that_session(local):
    project, arguments = local
    sessions = len(recordings_in(project.folder / "nwb"))
    done = project.run(*arguments)
    assert done["select"] == 1
    assert done["link"] == sessions
    first, *_ = sorted((project.folder / "nwb").glob("*.nwb"))
    with h5py.File(first, "a") as file:
        group = file["processing/brain_observatory_pipeline/Fluorescence/imaging_plane_1"]
        group["data"][0, :100] += 1
    before = benchmarks(project)
    project.run(*arguments)
    after = benchmarks(project)
    again = {path for path in after if after[path] != before[path]}
    assert again == {
        "select.tsv",
        "combine.tsv",
        *(f"{stage}/{first.stem}.tsv" for stage in ("link", "preprocess", "trials")),
    }
    assert "Nothing to be done" in project.snakemake("--cores", "1", *arguments).stderr
    os.utime(first, (1e9, 1e9))  # as if an older file had taken its place
    assert {"select", "link"} <= set(project.run(*arguments))
    (folder,) = (project.folder / "nwb").glob("*.zarr")
    speed = folder / "processing/behavior/BehavioralTimeSeries/running_speed/data/.zattrs"
    speed.write_text(json.dumps(json.loads(speed.read_text()) | {"conversion": 0.5}))
    assert {"link": 1, "preprocess": 1, "trials": 1}.items() <= project.run(*arguments).items()
    put_in_place(first)
    put_in_place(speed.with_name("0"))
    assert "Nothing to be done" in project.snakemake("--cores", "1", *arguments).stderr
    told = mismatches(project.folder / "local")[1]
    for changed in (first.name, folder.with_suffix("").name):
        assert any(f"{changed} has changed since" in line for line in told)


def put_in_place(path) -> None:
    """Another recording, or part of one, of the same name, size and time."""
    content, status = bytearray(path.read_bytes()), path.stat()
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def benchmarks(project) -> dict[str, int]:
    folder = project.folder / "local/benchmarks"
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*.tsv")}


def test_bad_file_gives_one_line(fresh, tmp_path):
    (tmp_path / "broken.nwb").write_text("not an NWB file")
    done = fresh.snakemake(
        *("--cores", "1", *TINY, "--config", "source=local", f"nwb={tmp_path}", "results=bad")
    )
    assert done.returncode != 0
    output = done.stdout + done.stderr
    assert [line for line in output.splitlines() if line.startswith("error: ")]
    assert "broken.nwb" in output
    assert "Traceback" not in output

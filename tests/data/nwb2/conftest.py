"""Recordings of NWB 2: one that pynwb wrote, and copies of it that are edited."""

import shutil

import h5py
import pytest

from tests.data.conftest import write_nwb
from tests.data.nwb2.written import turned
from tests.data.nwb2.zarr_written import as_zarr


@pytest.fixture(scope="session")
def both(tmp_path_factory):
    """The tiny recording in NWB 1.0 and in NWB 2."""
    folder = tmp_path_factory.mktemp("nwb2")
    one = write_nwb(folder / "100.nwb")
    (folder / "2").mkdir()
    return one, turned(one, folder / "2" / "100.nwb")


@pytest.fixture
def nwb2(both, tmp_path):
    """A copy of the recording in NWB 2; `edit` is called with the open file."""

    def write(edit=None, name="100.nwb"):
        path = tmp_path / name
        shutil.copyfile(both[1], path)
        if edit:
            with h5py.File(path, "a") as file:
                edit(file)
        return path

    return write


@pytest.fixture
def zarr2(nwb2, tmp_path):
    """The same as a Zarr folder; `edit` is called with its path."""

    def write(edit=None, name="100.nwb.zarr"):
        folder = as_zarr(nwb2(name="source.nwb"), tmp_path / name)
        if edit:
            edit(folder)
        return folder

    return write

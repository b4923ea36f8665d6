"""Recordings of the user's as they lie on disk."""

import os

import pytest

from glasscortex.data.record import Record
from glasscortex.local import entrance, files_of, recordings_in, version_of, zarr_of


@pytest.fixture
def folder(tmp_path):
    """Two files, one of them in an archive's folder of a mouse, and a Zarr."""
    for name in ("b.nwb", "sub-1/a.nwb", "c.nwb.zarr/.zgroup", "c.nwb.zarr/x/0", "d.zarr", "e.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_recordings_are_files_and_zarr_folders(folder):
    found = [str(path.relative_to(folder)) for path in recordings_in(folder)]
    assert found == ["b.nwb", "c.nwb.zarr", "sub-1/a.nwb"]


def test_a_zarr_is_known_by_a_link_to_its_entrance(folder):
    link = folder / "raw.nwb"
    link.symlink_to(entrance(folder / "c.nwb.zarr"))
    assert zarr_of(link) == folder / "c.nwb.zarr"
    assert zarr_of(folder / "b.nwb") is None
    assert entrance(folder / "b.nwb") == folder / "b.nwb"
    assert list(files_of(link)) == [".zgroup", "x/0"]


def test_a_record_describes_all_files_of_a_zarr(folder):
    path = folder / "c.nwb.zarr"
    record = Record.of(path, session_id="c", source="here")
    assert record.bytes == len("c.nwb.zarr/.zgroup") + len("c.nwb.zarr/x/0")
    assert record.describes(entrance(path))
    (path / "x/0").write_text("C.nwb.zarr/x/0")
    assert not record.describes(path)
    (path / "x/0").rename(path / "x/1")
    assert not record.describes(path)
    assert not record.describes(folder / "none.nwb")


def test_the_version_of_a_zarr_changes_with_any_of_its_files(folder):
    path = folder / "c.nwb.zarr"
    before = version_of(path)
    os.utime(path / "x/0", (1e9, 2e9))
    assert version_of(path) != before

"""What a dandiset holds, who and where was recorded, and whatever the archive answers instead."""

import dataclasses
import hashlib
import itertools
import json

import pytest

from glasscortex.data.dandi import assets
from glasscortex.data.dandi.assets import etag_of
from glasscortex.data.nwb import read_metadata
from glasscortex.errors import InputError
from tests.dandi.worlds import DANDISET, VERSION
from tests.faulty_server import FAULTS, OF_FILES

pytestmark = pytest.mark.xdist_group("dandi")

LIST = f"/api/dandisets/{DANDISET}/versions/{VERSION}/assets/"


@pytest.fixture
def listing(server):
    """The rows that the server lists; a test changes them."""
    return server.versions[f"{DANDISET}/{VERSION}"]


def fails(source, **settings) -> str:
    with pytest.raises(InputError) as error:
        source.listed(**settings)
    message = str(error.value)
    assert "\n" not in message
    assert list(source.folder.iterdir()) == []
    return message


def test_a_row_tells_what_the_file_tells_and_the_archive_knows(source, rows):
    assert len(rows) == 2
    for row in rows:
        genuine = source.genuine(row)
        for name, value in dataclasses.asdict(read_metadata(genuine)).items():
            assert row[name] == str(value)
        assert int(row["bytes"]) == genuine.stat().st_size
        assert row["sha256"] == hashlib.sha256(genuine.read_bytes()).hexdigest()
        assert row["etag"] == etag_of(genuine)


def test_only_the_heads_of_the_files_that_match_are_read(source, server, rows):
    assert source.listed() == rows
    matching = {row["asset_id"] for row in rows}
    others = set(server.blobs) - matching
    assert others
    asked = " ".join(path for _, path in server.requests)
    assert all(asset in asked for asset in matching)
    assert not any(asset in asked for asset in others)


def test_what_is_no_recording_is_left_out_and_told(source, rows, caplog):
    assert source.listed(glob="*.nwb") == rows
    assert "2 of 4 files are no recordings" in caplog.text
    assert "_ophys.nwb holds no RoiResponseSeries" in caplog.text


def test_no_recording_at_all(source):
    error = fails(source, glob="*Stim?_ophys.nwb")
    assert "holds no RoiResponseSeries" in error
    assert "correct dandi.glob" in error


def test_nothing_matches(source):
    error = fails(source, glob="sub-9*")
    assert "none of the 4 assets" in error
    assert "such as sub-" in error
    assert "correct dandi.glob" in error


def test_zarr_is_refused_with_a_way_to_go(source, listing):
    listing[0].update(zarr=listing[0]["blob"], blob=None, path="sub-1/a.nwb.zarr")
    error = fails(source, glob="*")
    assert "sub-1/a.nwb.zarr" in error
    assert "`dandi download`" in error
    assert "source=local" in error


def test_an_unknown_version_is_asked_for_once(source, server):
    error = fails(source, version="0.1.2")
    assert "404" in error
    assert "check the keys of dandi" in error
    assert len(server.requests) == 1


def test_a_file_without_a_checksum_is_refused(source, listing):
    for row in listing:
        row["metadata"]["digest"] = {}
    assert "has no checksum" in fails(source)


def test_a_row_that_is_missing_is_seen(source, listing, monkeypatch):
    handler = source.server.RequestHandlerClass
    monkeypatch.setattr(handler, "_page", _without_the_last(handler._page))
    assert "promised 4 and gave 3" in fails(source)


def test_a_list_without_end_ends(source, monkeypatch):
    handler = source.server.RequestHandlerClass
    whole = handler._page
    monkeypatch.setattr(handler, "_page", lambda self, version, asked: whole(self, version, {}))
    assert "promised 4 and gave 6, 2 of them different" in fails(source)


def _without_the_last(page):
    def shorter(self, version, asked):
        content = page(self, version, asked)
        if b'"next": null' in content:
            content = json.loads(content)
            content["results"].pop()
            content = json.dumps(content).encode()
        return content

    return shorter


@pytest.mark.parametrize("path", ["../a.nwb", "/etc/a.nwb", "a/../../b.nwb", "a\n.nwb", ""])
def test_a_path_that_leads_out_of_the_dandiset_is_refused(source, listing, path):
    listing[0]["path"] = path
    error = fails(source, attempts=1)
    assert "no list of assets (results.0.path" in error


NOT_OF_LISTS = {"empty", "no parts", "wrong part", "wrong bytes"}


@pytest.mark.parametrize("kind", ["list", "asset", "file"])
def test_the_list_arrives_through_all_faults(source, server, rows, kind):
    faults = [f for f in (*FAULTS, *OF_FILES) if kind != "list" or f not in NOT_OF_LISTS]
    server.order(faults, of=kind)
    assert source.listed(attempts=len(faults) + 1) == rows
    assert server.fault(kind) is None


def test_an_empty_list_is_no_list(source, server):
    server.order(["empty"], of="list")
    assert "none of the 0 assets" in fails(source)


@pytest.mark.parametrize(
    ("kind", "fault"),
    [("list", "500"), ("list", "html"), ("list", "cut"), ("list", "stall"), ("file", "cut")],
)
def test_a_fault_that_stays_ends_in_one_line(source, server, kind, fault):
    server.order(itertools.repeat(fault), of=kind)
    error = fails(source)
    assert "(3 tries)" in error
    assert f"{server.address}/api/" in error
    assert "run the same command again" in error
    assert "dandi.base_uri" in error


def test_the_dandi_etag_is_that_of_the_parts(tmp_path, monkeypatch):
    """S3's rule: the MD5 of the MD5 of the parts, and their number."""
    monkeypatch.setattr(assets, "ETAG_PART_BYTES", 4)
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    parts = b"".join(hashlib.md5(part).digest() for part in (b"0123", b"4567", b"89"))
    assert etag_of(path) == f"{hashlib.md5(parts).hexdigest()}-3"
    monkeypatch.setattr(assets, "ETAG_MOST_PARTS", 2)
    parts = b"".join(hashlib.md5(part).digest() for part in (b"01234", b"56789"))
    assert etag_of(path) == f"{hashlib.md5(parts).hexdigest()}-2"

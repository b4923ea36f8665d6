import json
import shutil
import tracemalloc

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given
from hypothesis import strategies as st

from glasscortex.data import store as store_module
from glasscortex.data.store import StoredSession, verify, write_manifest, write_session
from glasscortex.errors import InputError

CELLS, FRAMES = 3, 5000
IDS = np.arange(CELLS) + 10
DFF = np.random.default_rng(0).normal(size=(CELLS, FRAMES)).astype(np.float32)


def blocks(size=2, **traces):
    """The cells, `size` at a time."""
    for first in range(0, CELLS, size):
        block = slice(first, first + size)
        parts = {name: values[block] for name, values in traces.items()}
        yield {"cell_specimen_id": IDS[block], **parts}


def content(frames=FRAMES):
    return {
        "attributes": {"session_id": "1", "container_id": "9", "frame_rate_hz": 30.0},
        "blocks": blocks(dff=DFF),
        "time": np.arange(frames) / 30,
        "behaviour": {"running_speed": np.full(frames, np.nan, np.float32)},
        "stimuli": {
            "natural_scenes": {
                "start": np.array([1, 9]),
                "end": np.array([8, 16]),
                "index": np.array([-1, 3]),
            }
        },
    }


@pytest.fixture
def stored(tmp_path):
    path, manifest = tmp_path / "1.zarr", tmp_path / "1.manifest.json"
    write_session(path, **content())
    write_manifest(path, manifest, session_id="1")
    return path, manifest


@pytest.fixture(scope="module")
def stored_once(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "1.zarr"
    write_session(path, **content())
    return StoredSession(path)


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_what_is_written_is_read(stored):
    session, expected = StoredSession(stored[0]), content()
    assert session.dff().dtype == np.float32
    np.testing.assert_array_equal(session.dff(), DFF)
    np.testing.assert_array_equal(session.time, expected["time"])
    np.testing.assert_array_equal(
        session.behaviour()["running_speed"], expected["behaviour"]["running_speed"]
    )
    scenes = session.stimuli()["natural_scenes"]
    assert {name: values.tolist() for name, values in scenes.items()} == {
        "start": [1, 9],
        "end": [8, 16],
        "index": [-1, 3],
    }
    assert (session.session_id, session.frame_rate_hz) == ("1", 30.0)
    assert session.cells == ["9/10", "9/11", "9/12"]


def test_a_store_without_behaviour_and_stimuli(tmp_path):
    write_session(tmp_path / "a.zarr", **{**content(), "behaviour": {}, "stimuli": {}})
    session = StoredSession(tmp_path / "a.zarr")
    assert session.behaviour() == session.stimuli() == {}


def test_xarray_reads_the_layout(stored):
    tree = xr.open_datatree(stored[0], engine="zarr")
    np.testing.assert_array_equal(tree["traces"]["dff"], DFF)
    assert tree["traces"]["dff"].dims == ("cell", "time")
    assert tree["stimulus/natural_scenes"]["index"].dims == ("presentation",)
    assert tree.attrs["session_id"] == "1"


@given(st.integers(-10, FRAMES + 10), st.integers(0, FRAMES))
def test_a_window_is_that_part_of_the_whole(stored_once, start, length):
    stop = start + length
    np.testing.assert_array_equal(stored_once.dff(start, stop), DFF[:, start:stop])


def test_a_chunk_holds_all_cells_frame_by_frame(stored):
    dff = zarr.open_group(stored[0], mode="r")["traces/dff"]
    frames = store_module.CHUNK_FRAMES
    assert dff.chunks == (CELLS, frames)
    bytes_ = (stored[0] / "traces/dff/c/0/1").read_bytes()
    assert bytes_ == DFF[:, frames : 2 * frames].T.tobytes()


def test_a_silent_chunk_is_written_too(tmp_path):
    silent = {**content(), "blocks": blocks(dff=np.zeros_like(DFF))}
    write_session(tmp_path / "a.zarr", **silent)
    assert not StoredSession(tmp_path / "a.zarr").dff().any()


def test_events_stand_beside_the_traces(tmp_path):
    with_events = {**content(), "blocks": blocks(dff=DFF, events=DFF > 1)}
    write_session(tmp_path / "a.zarr", **with_events)
    session = StoredSession(tmp_path / "a.zarr")
    np.testing.assert_array_equal(session.dff(), DFF)
    np.testing.assert_array_equal(session.events(2000, 2100), DFF[:, 2000:2100] > 1)
    tree = xr.open_datatree(tmp_path / "a.zarr", engine="zarr")
    assert tree["traces"]["events"].dims == ("cell", "time")


def test_a_store_without_events_says_so(stored):
    with pytest.raises(InputError, match=r"holds no events: set preprocess\.events"):
        StoredSession(stored[0]).events()


def test_another_layout_is_refused(stored, monkeypatch):
    monkeypatch.setattr(store_module, "FRAME_BY_FRAME", ())
    with pytest.raises(InputError, match="not in this version's layout: delete the store"):
        StoredSession(stored[0]).dff(0, 10)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_same_content_gives_the_same_bytes_in_blocks_of_any_size(tmp_path, stored, size):
    path, manifest = tmp_path / "a.zarr", tmp_path / "a.json"
    write_session(path, **{**content(), "blocks": blocks(size, dff=DFF)})
    write_manifest(path, manifest, session_id="1")
    assert files(path) == files(stored[0])
    assert manifest.read_bytes() == stored[1].read_bytes()


def test_an_empty_block_adds_no_cell(tmp_path, stored):
    empty = {"cell_specimen_id": IDS[:0], "dff": DFF[:0]}
    with_empty = [empty, *blocks(dff=DFF), empty]
    write_session(tmp_path / "a.zarr", **{**content(), "blocks": with_empty})
    assert files(tmp_path / "a.zarr") == files(stored[0])


def test_memory_holds_no_session(tmp_path):
    frames = 60_000
    many = (
        {"cell_specimen_id": np.array([i]), "dff": np.ones((1, frames), np.float32)}
        for i in range(100)
    )
    tracemalloc.start()
    try:
        write_session(tmp_path / "a.zarr", **{**content(frames), "blocks": many})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100 * frames * 4 / 4


def test_a_writer_that_fails_leaves_no_scratch_file(tmp_path):
    def failing():
        yield from blocks(dff=DFF)
        raise InputError("no cell")

    with pytest.raises(InputError):
        write_session(tmp_path / "a.zarr", **{**content(), "blocks": failing()})
    assert list(tmp_path.iterdir()) == []


def test_the_manifest_names_every_file(stored):
    path, manifest = stored
    written = json.loads(manifest.read_text())
    assert written["session_id"] == "1"
    assert set(written["files"]) == {name.as_posix() for name in files(path)}


def test_a_whole_store_is_verified(stored):
    assert verify(*stored) == {"session_id": "1"}


def test_a_workflow_managers_hidden_files_are_no_part_of_it(stored):
    (stored[0] / ".snakemake_timestamp").touch()
    assert verify(*stored) == {"session_id": "1"}


def broken(stored, *words):
    path, manifest = stored
    with pytest.raises(InputError) as error:
        verify(path, manifest)
    message = str(error.value)
    assert "\n" not in message
    for word in (str(path), f"delete {path}", *words):
        assert word in message


def test_a_damaged_chunk(stored):
    chunk = stored[0] / "traces/dff/c/0/1"
    data = bytearray(chunk.read_bytes())
    data[100] ^= 1
    chunk.write_bytes(data)
    broken(stored, "traces/dff/c/0/1", "damaged")


def test_a_lost_chunk(stored):
    (stored[0] / "traces/dff/c/0/0").unlink()
    broken(stored, "traces/dff/c/0/0", "missing")


def test_a_foreign_chunk(stored):
    shutil.copy(stored[0] / "traces/dff/c/0/0", stored[0] / "traces/dff/c/0/7")
    broken(stored, "traces/dff/c/0/7", "not in its manifest")


def test_a_lost_store(stored):
    shutil.rmtree(stored[0])
    broken(stored, "missing")


@pytest.mark.parametrize("text", ["", "{}", "not json", "[]"])
def test_a_damaged_manifest(stored, text):
    stored[1].write_text(text)
    broken(stored, str(stored[1]), "damaged")


def test_a_lost_manifest(stored):
    stored[1].unlink()
    broken(stored, str(stored[1]), "missing")

import json
import shutil

import numpy as np
import pytest
import xarray as xr
import zarr

from glasscortex.data import store as store_module
from glasscortex.data.store import StoredSession, verify, write_manifest, write_session
from glasscortex.errors import InputError


def content(cells=3, frames=5000):
    rng = np.random.default_rng(0)
    return {
        "attributes": {"session_id": "1", "container_id": "9", "frame_rate_hz": 30.0},
        "dff": rng.normal(size=(cells, frames)).astype(np.float32),
        "cell_specimen_ids": np.arange(cells) + 10,
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


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_what_is_written_is_read(stored):
    session, expected = StoredSession(stored[0]), content()
    np.testing.assert_array_equal(session.dff(), expected["dff"])
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
    np.testing.assert_array_equal(tree["traces"]["dff"], content()["dff"])
    assert tree["traces"]["dff"].dims == ("cell", "time")
    assert tree["stimulus/natural_scenes"]["index"].dims == ("presentation",)
    assert tree.attrs["session_id"] == "1"


def test_a_chunk_holds_all_cells(stored):
    dff = zarr.open_group(stored[0], mode="r")["traces/dff"]
    assert dff.chunks == (3, store_module.CHUNK_FRAMES)


def test_the_same_content_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_session(tmp_path / f"{name}.zarr", **content())
        write_manifest(tmp_path / f"{name}.zarr", tmp_path / f"{name}.json", session_id="1")
    assert files(tmp_path / "a.zarr") == files(tmp_path / "b.zarr")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


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

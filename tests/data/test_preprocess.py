import logging

import h5py
import numpy as np
import pytest

from glasscortex.config import PreprocessConfig
from glasscortex.data import nwb as nwb_files
from glasscortex.data import preprocess as preprocess_module
from glasscortex.data.dff import windowed_median
from glasscortex.data.preprocess import preprocess
from glasscortex.data.store import StoredSession, verify
from glasscortex.errors import InputError
from glasscortex.files import sha256


def run(path, folder, method="stored"):
    store, manifest = folder / "out" / "s.zarr", folder / "out" / "s.manifest.json"
    preprocess(nwb=path, store=store, manifest=manifest, config=PreprocessConfig(dff=method))
    return store, manifest


def setting(key, rows, value):
    def edit(file):
        file[key][rows] = value

    return edit


def stored_dff(path):
    with h5py.File(path) as file:
        return file[f"{nwb_files.STORED_DFF}/data"][:]


def test_stored_dff_is_kept_as_it_is(nwb, tmp_path):
    path = nwb()
    store, manifest = run(path, tmp_path)
    assert verify(store, manifest) == {"session_id": "100"}
    session = StoredSession(store)
    np.testing.assert_array_equal(session.dff(), stored_dff(path))
    assert session.attributes["source_sha256"] == sha256(path)
    assert session.attributes["cre_line"] == "Cux2-CreERT2"
    assert session.cells[0] == "7/500"
    assert sorted(session.behaviour()) == ["pupil", "running_speed"]


def test_windowed_median_of_the_corrected_fluorescence(nwb, tmp_path):
    path = nwb()
    store, _ = run(path, tmp_path, "windowed_median")
    fluorescence = nwb_files.read(path).corrected_fluorescence(slice(None))
    expected = windowed_median(fluorescence, 30.0)
    np.testing.assert_array_equal(StoredSession(store).dff(), expected)


def test_blocks_of_cells_do_not_change_the_result(nwb, tmp_path, monkeypatch):
    path = nwb(edit=setting(f"{nwb_files.FLUORESCENCE}/data", 3, np.nan))
    whole = StoredSession(run(path, tmp_path / "a", "windowed_median")[0])
    monkeypatch.setattr(preprocess_module, "BLOCK_CELLS", 2)
    blocks = StoredSession(run(path, tmp_path / "b", "windowed_median")[0])
    np.testing.assert_array_equal(whole.dff(), blocks.dff())
    assert whole.cells == blocks.cells


def test_an_unknown_depth_is_stored_as_none(nwb, tmp_path):
    def edit(file):
        del file["general/optophysiology"]

    store, _ = run(nwb(edit=edit), tmp_path)
    assert StoredSession(store).attributes["depth_um"] is None


@pytest.mark.parametrize(
    ("method", "group"),
    [("stored", nwb_files.STORED_DFF), ("windowed_median", nwb_files.FLUORESCENCE)],
)
def test_cells_with_nan_are_left_out_and_counted(nwb, tmp_path, caplog, method, group):
    path = nwb(edit=setting(f"{group}/data", (1, slice(5, 9)), np.nan))
    with caplog.at_level(logging.WARNING):
        store, _ = run(path, tmp_path, method)
    session = StoredSession(store)
    assert session.cells == ["7/500", "7/502", "7/503", "7/504"]
    assert np.isfinite(session.dff()).all()
    assert "session 100: 1 of 5 cells left out" in caplog.text


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_no_finite_cell(nwb, tmp_path, value):
    path = nwb(edit=setting(f"{nwb_files.STORED_DFF}/data", slice(None), value))
    with pytest.raises(InputError, match=r"100\.nwb: the traces of every cell .*remove the file"):
        run(path, tmp_path)
    assert not (tmp_path / "out").exists()


def test_the_same_file_gives_the_same_bytes(nwb, tmp_path):
    path = nwb()
    manifests = [run(path, tmp_path / name)[1].read_bytes() for name in ("a", "b")]
    assert manifests[0] == manifests[1]


def test_a_failure_leaves_the_earlier_store(nwb, tmp_path):
    store, manifest = run(nwb(), tmp_path)
    before = manifest.read_bytes()
    missing = nwb("2.nwb", edit=lambda file: file.__delitem__(nwb_files.STORED_DFF))
    with pytest.raises(InputError):
        run(missing, tmp_path)
    assert manifest.read_bytes() == before
    verify(store, manifest)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["s.manifest.json", "s.zarr"]

import csv
import dataclasses
import logging

import h5py
import numpy as np
import pytest

from glasscortex.config import PreprocessConfig
from glasscortex.data import preprocess as preprocess_module
from glasscortex.data.dff.methods import windowed_median
from glasscortex.data.dff.neuropil import contamination_ratios
from glasscortex.data.nwb import read, read_metadata
from glasscortex.data.nwb1 import layout
from glasscortex.data.record import Record
from glasscortex.data.store import StoredSession, verify
from glasscortex.errors import InputError
from glasscortex.files import sha256
from glasscortex.stages.preprocess import preprocess


def run(path, folder, dff="stored", session=None, **settings):
    """Store and manifest of a recording; its record is made here, as every source does."""
    session = session or read_metadata(path)
    record = path.with_suffix(".json")
    if not record.exists():
        Record.of(path, session_id=session.session_id, source="test").write(record)
    store, manifest = folder / "out" / "s.zarr", folder / "out" / "s.manifest.json"
    preprocess(
        nwb=path,
        record=record,
        session={k: str(v) for k, v in dataclasses.asdict(session).items()},
        store=store,
        quality=folder / "out" / "s.csv",
        manifest=manifest,
        config=PreprocessConfig(dff=dff, **settings),
    )
    return store, manifest


def quality(folder):
    with open(folder / "out" / "s.csv", newline="") as file:
        return list(csv.DictReader(file))


def fluorescence(path):
    recording = read(path)
    return recording.fluorescence(slice(None)), recording.neuropil(slice(None))


def noisy_neuropil(file):
    """A neuropil that fluctuates, and cells that hold some of it."""
    around = np.random.default_rng(1).normal(50, 4, (5, 3000)).astype(np.float32)
    file[f"{layout.NEUROPIL}/data"][:] = around
    file[f"{layout.FLUORESCENCE}/data"][:] += np.arange(5)[:, None] * np.float32(0.3) * around


def setting(key, rows, value):
    def edit(file):
        file[key][rows] = value

    return edit


def stored_dff(path):
    with h5py.File(path) as file:
        return file[f"{layout.STORED_DFF}/data"][:]


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


def test_the_store_says_who_and_where_as_its_row_of_sessions_does(nwb, tmp_path):
    path = nwb()
    session = dataclasses.replace(read_metadata(path), area="VISl", age_days=101.0)
    attributes = StoredSession(run(path, tmp_path, session=session)[0]).attributes
    assert attributes["area"] == "VISl"
    assert attributes["age_days"] == 101


def test_a_file_that_is_not_the_recorded_one_is_refused(nwb, tmp_path):
    path = nwb()
    run(path, tmp_path)
    with h5py.File(path, "r+") as file:
        file[f"{layout.STORED_DFF}/data"][0, 0] += 1
    with pytest.raises(InputError, match=r"session 100: .*100\.nwb is not the file that"):
        run(path, tmp_path)


def test_windowed_median_of_the_corrected_fluorescence(nwb, tmp_path):
    path = nwb()
    store, _ = run(path, tmp_path, "windowed_median")
    corrected = read(path).corrected_fluorescence(slice(None))
    np.testing.assert_array_equal(StoredSession(store).dff(), windowed_median(corrected, 30.0).dff)


@pytest.mark.parametrize("neuropil", ["fitted", "none", 0.7])
def test_the_neuropil_is_subtracted_as_asked(nwb, tmp_path, neuropil):
    path = nwb(edit=noisy_neuropil)
    store, _ = run(path, tmp_path, "windowed_median", neuropil=neuropil)
    measured, around = fluorescence(path)
    if neuropil == "fitted":
        r = contamination_ratios(measured, around)
        assert np.ptp(r) > 0.5
    else:
        r = np.full(5, {"none": 0}.get(neuropil, neuropil))
    expected = windowed_median(measured - r.astype(np.float32)[:, None] * around, 30.0)
    np.testing.assert_array_equal(StoredSession(store).dff(), expected.dff)
    np.testing.assert_allclose([float(row["r"]) for row in quality(tmp_path)], r, rtol=1e-5)


@pytest.mark.parametrize("neuropil", ["fitted", 0.7])
def test_a_file_without_neuropil_cannot_be_corrected(nwb, tmp_path, neuropil):
    path = nwb(edit=lambda file: file.__delitem__(layout.NEUROPIL))
    with pytest.raises(
        InputError, match=r"100\.nwb holds no .*neuropil.* set preprocess\.neuropil"
    ):
        run(path, tmp_path, "windowed_median", neuropil=neuropil)


@pytest.mark.parametrize("dff", ["windowed_mode", "rolling_percentile"])
def test_every_method_leaves_a_store(nwb, tmp_path, dff):
    store, _ = run(nwb(), tmp_path, dff, percentile=20, percentile_window_s=10)
    session = StoredSession(store)
    assert np.isfinite(session.dff()).all()
    assert session.dff().std() > 0.01
    assert session.attributes["dff"] == dff


def test_the_percentile_and_its_window_are_used(nwb, tmp_path):
    settings = [{"percentile": 8}, {"percentile": 50}, {"percentile_window_s": 5.0}]
    stores = [
        run(nwb(), tmp_path / str(i), "rolling_percentile", **kwargs)[0]
        for i, kwargs in enumerate(settings)
    ]
    means = [StoredSession(store).dff().mean() for store in stores]
    assert means[0] > means[1] + 0.02
    assert means[0] != means[2]


def test_events_stand_beside_the_traces(nwb, tmp_path):
    pytest.importorskip("oasis")
    path = nwb(edit=setting(f"{layout.FLUORESCENCE}/data", 3, np.nan))
    session = StoredSession(run(path, tmp_path, "windowed_median", events=True)[0])
    events = session.events()
    assert events.shape == session.dff().shape == (4, 3000)
    assert (events >= 0).all()
    assert (events.sum(axis=1) > 0).all()


def test_threads_are_no_part_of_the_result(nwb, tmp_path):
    path = nwb(edit=noisy_neuropil)
    manifests = [
        run(path, tmp_path / str(n), "windowed_median", neuropil="fitted", threads=n)[1]
        for n in (1, 3)
    ]
    assert manifests[0].read_bytes() == manifests[1].read_bytes()


def test_blocks_of_cells_do_not_change_the_result(nwb, tmp_path, monkeypatch):
    path = nwb(edit=setting(f"{layout.FLUORESCENCE}/data", 3, np.nan))
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
    [("stored", layout.STORED_DFF), ("windowed_median", layout.FLUORESCENCE)],
)
def test_cells_that_cannot_be_used_are_left_out_counted_and_explained(
    nwb, tmp_path, caplog, method, group
):
    def edit(file):
        file[f"{group}/data"][1, 5:305] = np.nan
        file[f"{group}/data"][3] = 60

    with caplog.at_level(logging.WARNING):
        store, _ = run(nwb(edit=edit), tmp_path, method)
    session = StoredSession(store)
    assert session.cells == ["7/500", "7/502", "7/504"]
    assert np.isfinite(session.dff()).all()
    assert "session 100: 2 of 5 cells left out (1 flat, 1 not finite)" in caplog.text
    rows = quality(tmp_path)
    assert [row["cell_specimen_id"] for row in rows] == ["500", "501", "502", "503", "504"]
    assert [row["reason"] for row in rows] == ["", "not finite", "", "flat", ""]
    assert [row["used"] for row in rows] == ["True", "False", "True", "False", "True"]
    assert [row["nan_fraction"] for row in rows] == ["0", "0.1", "0", "0", "0"]


def test_a_cell_whose_mode_is_zero_or_below_is_left_out(nwb, tmp_path):
    path = nwb(edit=lambda file: lower(file, 2, 100))
    store, _ = run(path, tmp_path, "windowed_mode")
    assert StoredSession(store).cells == ["7/500", "7/501", "7/503", "7/504"]
    assert quality(tmp_path)[2]["reason"] == "baseline"


def test_a_low_baseline_is_told(nwb, tmp_path):
    path = nwb(edit=lambda file: lower(file, 2, 100))
    store, _ = run(path, tmp_path, "windowed_median")
    assert len(StoredSession(store).cells) == 5
    low = [float(row["low_baseline_fraction"]) for row in quality(tmp_path)]
    assert low[2] > 0.9
    assert max(low[:2] + low[3:]) < 0.1


def lower(file, cell, counts):
    file[f"{layout.FLUORESCENCE}/data"][cell] -= counts


def test_what_a_stored_trace_does_not_tell_is_empty(nwb, tmp_path):
    run(nwb(), tmp_path)
    row = quality(tmp_path)[0]
    assert float(row["noise"]) == pytest.approx(0.05, rel=0.1)
    for name in ("baseline_drift", "low_baseline_fraction", "r", "r_at_bound"):
        assert row[name] == ""


@pytest.mark.parametrize("lost", [layout.NEUROPIL, f"{layout.NEUROPIL}/r"])
def test_without_neuropil_no_r_is_told_and_a_warning_says_why(nwb, tmp_path, caplog, lost):
    path = nwb(edit=lambda file: file.__delitem__(lost))
    run(path, tmp_path, "windowed_median")
    assert {row["r"] for row in quality(tmp_path)} == {""}
    assert "session 100: the file holds no neuropil with its r" in caplog.text


@pytest.mark.parametrize(("dff", "neuropil"), [("windowed_median", "none"), ("stored", "stored")])
def test_where_no_correction_is_asked_for_none_is_missed(nwb, tmp_path, caplog, dff, neuropil):
    path = nwb(edit=lambda file: file.__delitem__(layout.NEUROPIL))
    run(path, tmp_path, dff, neuropil=neuropil)
    assert "neuropil" not in caplog.text


@pytest.mark.parametrize(
    ("value", "why"), [(np.nan, "5 not finite"), (np.inf, "5 not finite"), (1, "5 flat")]
)
def test_no_cell_that_can_be_used(nwb, tmp_path, value, why):
    path = nwb(edit=setting(f"{layout.STORED_DFF}/data", slice(None), value))
    message = rf"100\.nwb: no cell has a trace that can be used \({why}\): remove the file"
    with pytest.raises(InputError, match=message):
        run(path, tmp_path)
    assert not any((tmp_path / "out").glob("*"))


def test_the_same_file_gives_the_same_bytes(nwb, tmp_path):
    path = nwb()
    manifests = [run(path, tmp_path / name)[1].read_bytes() for name in ("a", "b")]
    assert manifests[0] == manifests[1]


def test_a_failure_leaves_the_earlier_store(nwb, tmp_path):
    store, manifest = run(nwb(), tmp_path)
    before = manifest.read_bytes()
    missing = nwb("2.nwb", edit=lambda file: file.__delitem__(layout.STORED_DFF))
    with pytest.raises(InputError):
        run(missing, tmp_path)
    assert manifest.read_bytes() == before
    verify(store, manifest)
    names = sorted(p.name for p in (tmp_path / "out").iterdir() if not p.name.startswith("."))
    assert names == ["s.csv", "s.manifest.json", "s.zarr"]

import pickle

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasscortex.data import windows as windows_module
from glasscortex.data.windows import (
    ArrayWindows,
    SessionWindows,
    WindowsFolder,
    averaging_matrix,
    frames_of,
    write_windows,
)

CELLS = ["7/1", "7/2", "7/30"]
sizes = st.integers(1, 70)


@given(sizes, sizes)
def test_averaging_gives_every_frame_and_sample_its_share(frames, samples):
    weights = averaging_matrix(frames, samples)
    assert weights.shape == (frames, samples)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=0), 1, rtol=1e-5)
    np.testing.assert_allclose(weights.sum(axis=1), samples / frames, rtol=1e-5)


@given(sizes, sizes, st.floats(-1e3, 1e3))
def test_averaging_keeps_a_constant(frames, samples, value):
    averaged = np.full(frames, value) @ averaging_matrix(frames, samples)
    np.testing.assert_allclose(averaged, value, rtol=1e-5, atol=1e-9)


def test_averaging_whole_frames():
    np.testing.assert_allclose(np.arange(6.0) @ averaging_matrix(6, 2), [1, 4])


def test_averaging_shares_a_frame_by_time():
    np.testing.assert_allclose(averaging_matrix(3, 2), np.array([[2, 0], [1, 1], [0, 2]]) / 3)


@pytest.mark.parametrize(
    ("seconds", "rate", "frames"), [(2.0, 30.15, 60), (0.5, 16.0, 8), (0.01, 10.0, 1)]
)
def test_frames_of_a_window(seconds, rate, frames):
    assert frames_of(seconds, rate) == frames


def table(stimulus, starts, length, split):
    start = np.asarray(starts)
    return pd.DataFrame(
        {
            "stimulus": stimulus,
            "window_start": start,
            "window_stop": start + length,
            "split": split,
        }
    )


@pytest.fixture
def recording():
    rng = np.random.default_rng(0)
    dff = rng.normal([[1], [5], [0]], [[1], [3], [0]], (3, 400)).astype(np.float32)
    trials = pd.concat(
        [
            table("drifting_gratings", [0, 40, 80], 30, ["train", "train", "test"]),
            table("natural_scenes", np.arange(150, 390, 20), 6, ["train"] * 6 + ["gap"] * 6),
        ],
        ignore_index=True,
    )
    return dff, trials


def write(path, dff, trials):
    write_windows(
        path,
        session_id="100",
        cells=CELLS,
        dff=lambda start, stop: dff[:, start:stop],
        trials=trials,
        samples={"drifting_gratings": 10, "natural_scenes": 2, "static_gratings": 5},
        sample_rate_hz=10.0,
    )
    return SessionWindows(path)


def test_windows_are_the_averaged_standardised_and_compressed_traces(tmp_path, recording):
    dff, trials = recording
    reader = write(tmp_path / "a.h5", dff, trials)
    assert reader.session_id == "100"
    assert reader.cells == CELLS
    assert reader.sample_rate_hz == 10.0
    assert list(reader.shapes) == ["drifting_gratings", "natural_scenes"]
    assert reader.shapes["natural_scenes"] == (12, 3, 2)
    gratings = np.stack([dff[:, s : s + 30].reshape(3, 10, 3).mean(2) for s in (0, 40, 80)])
    scenes = np.stack([dff[:, s : s + 6].reshape(3, 2, 3).mean(2) for s in range(150, 390, 20)])
    train = np.concatenate(
        [x.transpose(1, 0, 2).reshape(3, -1) for x in (gratings[:2], scenes[:6])], axis=1
    )
    mean, sd = train.mean(1), train.std(1)
    sd[2] = 1  # the third cell is silent
    for stimulus, values in (("drifting_gratings", gratings), ("natural_scenes", scenes)):
        expected = np.arcsinh((values - mean[:, None]) / sd[:, None])
        read = reader.read(stimulus, np.arange(len(values)))
        assert read.dtype == np.float32
        np.testing.assert_allclose(read, expected, rtol=1e-4, atol=1e-5)


def test_only_the_train_split_sets_the_scale(tmp_path, recording):
    dff, trials = recording
    before = write(tmp_path / "a.h5", dff, trials)
    other = dff.copy()
    for row in trials[trials["split"] != "train"].itertuples():
        other[:, row.window_start : row.window_stop] += 100
    after = write(tmp_path / "b.h5", other, trials)
    for stimulus, rows in trials.groupby("stimulus"):
        train = np.flatnonzero(rows["split"] == "train")
        np.testing.assert_array_equal(before.read(stimulus, train), after.read(stimulus, train))
        rest = np.flatnonzero(rows["split"] != "train")
        assert (
            np.sinh(after.read(stimulus, rest)) > np.sinh(before.read(stimulus, rest)) + 10
        ).all()


def test_rows_are_read_in_the_order_asked_for(tmp_path, recording):
    reader = write(tmp_path / "a.h5", *recording)
    with h5py.File(tmp_path / "a.h5") as file:
        stored = file["natural_scenes"][:]
    rows = np.array([7, 0, 7, 11])
    np.testing.assert_array_equal(reader.read("natural_scenes", rows), stored[rows])


def test_what_is_read_is_no_view_of_the_file(tmp_path, recording):
    reader = write(tmp_path / "a.h5", *recording)
    values = reader.read("natural_scenes", np.arange(3))
    assert not isinstance(values, np.memmap)
    assert values.flags.owndata
    values[:] = 0
    assert reader.read("natural_scenes", np.arange(3)).any()


@pytest.mark.parametrize("size", ["BLOCK_ROWS", "BLOCK_CELLS"])
def test_the_size_of_a_block_does_not_change_the_bytes(tmp_path, recording, monkeypatch, size):
    write(tmp_path / "a.h5", *recording)
    monkeypatch.setattr(windows_module, size, 2)
    write(tmp_path / "b.h5", *recording)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_a_folder_is_a_mapping_of_its_sessions_opened_when_asked_for(tmp_path, recording):
    dff, trials = recording
    for name in ("b", "a"):
        write(tmp_path / f"{name}.h5", dff, trials)
    (tmp_path / "broken.h5").write_text("no HDF5")
    folder = WindowsFolder(tmp_path)
    assert list(folder) == ["a", "b", "broken"]
    assert "c" not in folder
    assert folder["a"] is folder["a"]
    again = pickle.loads(pickle.dumps(folder))
    assert again["a"].cells == CELLS


def test_windows_in_memory_are_read_as_those_of_a_file(tmp_path, recording):
    file = write(tmp_path / "a.h5", *recording)
    rows = {name: np.arange(shape[0]) for name, shape in file.shapes.items()}
    arrays = {name: file.read(name, r) for name, r in rows.items()}
    memory = ArrayWindows(file.session_id, file.cells, arrays, file.sample_rate_hz)
    assert (memory.session_id, memory.cells, memory.sample_rate_hz, memory.shapes) == (
        file.session_id,
        file.cells,
        file.sample_rate_hz,
        file.shapes,
    )
    for name, r in rows.items():
        picked = r[::-1]
        np.testing.assert_array_equal(memory.read(name, picked), file.read(name, picked))
        assert memory.read(name, picked).dtype == np.float32

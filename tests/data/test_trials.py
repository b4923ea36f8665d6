import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasscortex.config import PreprocessConfig, TrialsConfig
from glasscortex.data.nwb import read_metadata
from glasscortex.data.preprocess import preprocess
from glasscortex.data.record import Record
from glasscortex.data.store import StoredSession, write_manifest, write_session
from glasscortex.data.trials import combine, extract, tabulate
from glasscortex.data.windows import SessionWindows
from glasscortex.errors import InputError

RATE = 30.0


class Session:
    """What `tabulate` reads of a stored session."""

    session_id = "1"
    frame_rate_hz = RATE

    def __init__(self, stimuli, frames=20_000, behaviour=None):
        self.time = 5 + np.arange(frames) / RATE
        self._stimuli, self._behaviour = stimuli, behaviour or {}

    def stimuli(self):
        return self._stimuli

    def behaviour(self):
        return self._behaviour


def shown(start, length, **columns):
    start = np.asarray(start)
    return {"start": start, "end": start + length, **columns}


def gratings(start, direction, **columns):
    direction = np.asarray(direction, float)
    return shown(
        start,
        60,
        orientation=direction,
        temporal_frequency=np.full(len(direction), 4.0),
        blank_sweep=np.isnan(direction).astype(float),
        **columns,
    )


def table_of(config=None, **stimuli):
    return tabulate(Session(stimuli), config or TrialsConfig())


def test_gratings():
    table = table_of(drifting_gratings=gratings([90, 180, 270, 360], [0, 225, np.nan, 180]))
    assert table["direction"].tolist()[:2] == [0, 225]
    assert table["orientation"].tolist()[:2] == [0, 45]
    assert table["orientation"][3] == 0
    assert table["temporal_frequency"][0] == 4
    labels = ["direction", "orientation", "temporal_frequency", "scene", "movie_frame", "pupil"]
    assert table.loc[2, labels].isna().all()
    assert table["presentation"].tolist() == [0, 1, 2, 3]
    assert table["start_s"][0] == pytest.approx(5 + 90 / RATE)
    assert table["end_s"][0] == pytest.approx(5 + 150 / RATE)
    assert table["window_start"].tolist() == [90, 180, 270, 360]
    assert (table["window_stop"] - table["window_start"] == 60).all()


def test_a_blank_that_is_marked_has_no_label_whatever_its_row_says():
    columns = gratings([0, 90, 180], [0, 45, 90])
    columns["blank_sweep"][1] = 1
    table = table_of(drifting_gratings=columns)
    assert table.loc[1, ["direction", "orientation", "temporal_frequency"]].isna().all()
    assert table["direction"].notna().sum() == 2


def test_columns_that_a_file_lacks_are_unknown_labels():
    table = table_of(drifting_gratings=shown([0, 90], 60, orientation=np.array([0.0, 90.0])))
    assert table["direction"].tolist() == [0, 90]
    assert table["temporal_frequency"].isna().all()


def test_static_gratings_and_scenes():
    static = shown(
        [0, 30],
        7,
        orientation=np.array([150.0, np.nan]),
        spatial_frequency=np.array([0.02, np.nan]),
        phase=np.array([0.75, np.nan]),
    )
    table = table_of(
        static_gratings=static, natural_scenes=shown([900, 930], 7, index=np.array([-1, 117]))
    )
    assert table["stimulus"].tolist() == ["static_gratings"] * 2 + ["natural_scenes"] * 2
    first = table.iloc[0]
    assert (first["orientation"], first["phase"]) == (150, 0.75)
    assert first["spatial_frequency"] == np.float32(0.02)
    assert table.loc[1, ["orientation", "spatial_frequency", "phase"]].isna().all()
    assert np.isnan(table["scene"][2])
    assert table["scene"][3] == 117
    assert (table["window_stop"] - table["window_start"] == 15).all()


def test_movies_are_bins_of_repeats():
    frame = np.tile(np.arange(90), 4)
    table = table_of(natural_movie_one=shown(100 + np.arange(360), 1, index=frame))
    assert table["movie_frame"].tolist() == [0, 1, 2] * 4
    assert table["window_start"].tolist() == list(range(100, 460, 30))
    np.testing.assert_allclose(table["end_s"] - table["start_s"], 1)
    assert table["split"].tolist() == ["train"] * 6 + ["validation"] * 3 + ["test"] * 3


def test_half_a_second_a_bin():
    config = TrialsConfig(movie_bin_s=0.5, window_s={"natural_movie_one": 0.5})
    frame = np.tile(np.arange(90), 3)
    table = table_of(config, natural_movie_one=shown(np.arange(270), 1, index=frame))
    assert table["movie_frame"].tolist() == [0, 1, 2, 3, 4, 5] * 3


def test_movie_blocks_are_cut_one_by_one():
    frame = np.tile(np.arange(60), 6)
    start = np.concatenate([np.arange(180), 5000 + np.arange(180)])
    table = table_of(natural_movie_three=shown(start, 1, index=frame))
    assert table["block"].tolist() == [0] * 6 + [1] * 6
    names = ["train"] * 2 + ["validation"] * 2 + ["test"] * 2
    assert table["split"].tolist() == names * 2


def test_spontaneous_activity_is_cut_into_windows():
    table = table_of(spontaneous=shown(np.array([100, 900]), np.array([150, 59])))
    assert table["window_start"].tolist() == [100, 160]
    assert table["stimulus"].tolist() == ["spontaneous"] * 2


def test_stimuli_without_a_window_are_left_out():
    table = table_of(
        drifting_gratings=gratings([0, 90], [0, 45]),
        locally_sparse_noise=shown([400], 7, index=np.array([1])),
    )
    assert set(table["stimulus"]) == {"drifting_gratings"}


def test_a_window_beyond_the_recording_is_left_out_and_counted(caplog):
    session = Session({"drifting_gratings": gratings([0, 90, 180], [0, 45, 90])}, frames=239)
    with caplog.at_level(logging.INFO):
        table = tabulate(session, TrialsConfig())
    assert table["presentation"].tolist() == [0, 1]
    assert "session 1: 1 of 3 presentations of drifting_gratings left out" in caplog.text


def test_behaviour_is_the_mean_of_what_was_measured():
    speed = np.full(20_000, np.nan, np.float32)
    speed[90:120] = 2
    speed[120:135] = 8
    session = Session(
        {"drifting_gratings": gratings([90, 180], [0, 45])}, behaviour={"running_speed": speed}
    )
    table = tabulate(session, TrialsConfig())
    assert table["running_speed"][0] == pytest.approx(4)
    assert np.isnan(table["running_speed"][1])
    assert table["pupil"].isna().all()


def test_no_stimulus_to_use():
    with pytest.raises(InputError, match=r"^session 1 shows none of .*trials\.window_s: .*select"):
        table_of(locally_sparse_noise=shown([400], 7, index=np.array([1])))


@st.composite
def sessions(draw):
    """Gratings and scenes in alternating blocks, at times closer than their windows."""
    stimuli, frame = {"drifting_gratings": [], "natural_scenes": []}, 0
    for block in range(draw(st.integers(1, 5))):
        name = sorted(stimuli)[block % 2]
        for step in draw(st.lists(st.integers(3, 80), min_size=1, max_size=12)):
            stimuli[name].append(frame)
            frame += step
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    columns = {}
    if stimuli["drifting_gratings"]:
        start = stimuli["drifting_gratings"]
        columns["drifting_gratings"] = gratings(start, rng.integers(0, 8, len(start)) * 45)
    start = stimuli["natural_scenes"]
    if start:
        index = rng.integers(-1, 5, len(start))
        columns["natural_scenes"] = shown(start, 7, index=index)
    return Session(columns, frames=frame + 200)


@given(sessions())
@settings(max_examples=50)
def test_splits_never_share_frames_and_nothing_is_lost(session):
    table = tabulate(session, TrialsConfig())
    owner = {}
    for row in table[table["split"] != "gap"].itertuples():
        for frame in range(row.window_start, row.window_stop):
            assert owner.setdefault(frame, row.split) == row.split
    for stimulus, rows in table.groupby("stimulus"):
        assert rows["presentation"].tolist() == list(range(len(rows)))
        expected = session.stimuli()[stimulus]["start"]
        np.testing.assert_array_equal(rows["window_start"], expected)


def one_session(nwb, folder, **settings):
    path, record = nwb(), folder / "100.nwb.json"
    Record.of(path, session_id="100", source="test").write(record)
    preprocess(
        nwb=path,
        record=record,
        session=read_metadata(path),
        store=folder / "100.zarr",
        quality=folder / "100.csv",
        manifest=folder / "100.json",
        config=PreprocessConfig(dff="stored", **settings),
    )
    return {"store": folder / "100.zarr", "manifest": folder / "100.json"}


def outputs(folder):
    return {"trials": folder / "100.parquet", "windows": folder / "100.h5"}


def test_from_the_store_to_trials_and_windows(nwb, tmp_path):
    inputs = one_session(nwb, tmp_path)
    extract(**inputs, **outputs(tmp_path), config=TrialsConfig())
    trials = pd.read_parquet(tmp_path / "100.parquet")
    assert trials.groupby("stimulus").size().to_dict() == {
        "drifting_gratings": 24,
        "natural_movie_one": 9,
        "spontaneous": 3,
    }
    assert set(trials["session_id"]) == {"100"}
    reader = SessionWindows(tmp_path / "100.h5")
    assert reader.shapes == {
        "drifting_gratings": (24, 5, 20),
        "natural_movie_one": (9, 5, 10),
        "spontaneous": (3, 5, 20),
    }
    assert reader.cells == StoredSession(inputs["store"]).cells
    dtypes = trials.dtypes.astype(str)
    assert dtypes[["presentation", "block", "window_stop", "scene"]].tolist() == [
        "int32",
        "int16",
        "int64",
        "float32",
    ]


def test_windows_can_be_cut_from_events(nwb, tmp_path):
    pytest.importorskip("oasis")
    inputs = one_session(nwb, tmp_path, events=True)
    values = []
    for signal in ("dff", "events"):
        extract(**inputs, **outputs(tmp_path / signal), config=TrialsConfig(signal=signal))
        windows = SessionWindows(tmp_path / signal / "100.h5")
        values.append(windows.read("drifting_gratings", np.arange(20)))
    quiet = [(value == np.median(value, axis=(0, 2))[:, None]).mean() for value in values]
    assert quiet[0] < 0.01
    assert quiet[1] > 0.2  # most frames have no event


def test_events_that_were_not_inferred(nwb, tmp_path):
    inputs = one_session(nwb, tmp_path)
    with pytest.raises(InputError, match=r"holds no events: set preprocess\.events"):
        extract(**inputs, **outputs(tmp_path), config=TrialsConfig(signal="events"))
    assert not (tmp_path / "100.h5").exists()


def test_the_same_store_gives_the_same_bytes(nwb, tmp_path):
    inputs = one_session(nwb, tmp_path)
    for name in ("a", "b"):
        extract(**inputs, **outputs(tmp_path / name), config=TrialsConfig())
    for name in ("100.parquet", "100.h5"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_damaged_store_is_found(nwb, tmp_path):
    inputs = one_session(nwb, tmp_path)
    (inputs["store"] / "traces/dff/c/0/0").write_bytes(b"")
    with pytest.raises(InputError, match="traces/dff/c/0/0 is damaged"):
        extract(**inputs, **outputs(tmp_path), config=TrialsConfig())
    assert not (tmp_path / "100.parquet").exists()


def test_a_class_that_a_split_lacks_is_warned_of(tmp_path, caplog):
    frames = 3000
    write_session(
        tmp_path / "1.zarr",
        attributes={"session_id": "1", "container_id": "2", "frame_rate_hz": RATE},
        blocks=[{"cell_specimen_id": np.arange(2), "dff": np.zeros((2, frames), np.float32)}],
        time=np.arange(frames) / RATE,
        behaviour={},
        stimuli={
            "drifting_gratings": gratings(np.arange(20) * 90, [0, 45] * 5 + [0] * 5 + [90] * 5)
        },
    )
    write_manifest(tmp_path / "1.zarr", tmp_path / "1.json")
    with caplog.at_level(logging.WARNING):
        extract(
            store=tmp_path / "1.zarr",
            manifest=tmp_path / "1.json",
            trials=tmp_path / "1.parquet",
            windows=tmp_path / "1.h5",
            config=TrialsConfig(),
        )
    lines = [record.getMessage() for record in caplog.records]
    assert "session 1: task direction has no train presentation of 90" in lines
    assert "session 1: task direction has no test presentation of 45" in lines
    assert not any("temporal_frequency" in line for line in lines)  # one value is no class


@pytest.fixture
def part(nwb, tmp_path):
    extract(**one_session(nwb, tmp_path), **outputs(tmp_path), config=TrialsConfig())
    return tmp_path / "100.parquet"


def test_parts_are_put_one_after_the_other(part, tmp_path):
    table = pd.read_parquet(part)
    other = tmp_path / "2.parquet"
    table.assign(session_id="2").to_parquet(other, index=False)
    combine(parts=[other, part], out=tmp_path / "trials.parquet", tasks="all")
    combined = pd.read_parquet(tmp_path / "trials.parquet")
    assert combined["session_id"].tolist() == ["2"] * len(table) + ["100"] * len(table)
    assert combined.index.tolist() == list(range(2 * len(table)))
    pd.testing.assert_frame_equal(combined.iloc[len(table) :].reset_index(drop=True), table)


def test_named_tasks_that_the_sessions_allow(part, tmp_path):
    combine(
        parts=[part],
        out=tmp_path / "trials.parquet",
        tasks=("direction", "movie_one", "running_speed", "pupil"),
    )
    assert (tmp_path / "trials.parquet").exists()


@pytest.mark.parametrize("task", ["scene", "temporal_frequency", "movie_three"])
def test_a_named_task_that_no_session_allows(part, tmp_path, task):
    with pytest.raises(InputError, match=rf"^tasks: no session has two .*{task} .*remove it"):
        combine(parts=[part], out=tmp_path / "trials.parquet", tasks=("direction", task))
    assert not (tmp_path / "trials.parquet").exists()

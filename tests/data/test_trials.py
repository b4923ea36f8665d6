import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasscortex.config import TrialsConfig
from glasscortex.data.store import StoredSession, write_session
from glasscortex.data.trials import tabulate
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
    return tabulate(Session(stimuli), config or TrialsConfig())[0]


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
        table = tabulate(session, TrialsConfig())[0]
    assert table["presentation"].tolist() == [0, 1]
    assert "session 1: 1 of 3 presentations of drifting_gratings left out" in caplog.text
    assert caplog.records[0].levelname == "INFO"


def test_a_stimulus_of_which_no_window_fits_is_warned_of(caplog):
    late = {"natural_scenes": shown([200], 7, index=np.array([1]))}
    session = Session({"drifting_gratings": gratings([0, 90], [0, 45])} | late, frames=300)
    tabulate(session, TrialsConfig(window_s={"drifting_gratings": 2, "natural_scenes": 60}))[0]
    left = [r for r in caplog.records if "1 of 1 presentations of natural_scenes" in r.message]
    assert [record.levelname for record in left] == ["WARNING"]


def test_behaviour_is_the_mean_of_what_was_measured():
    speed = np.full(20_000, np.nan, np.float32)
    speed[90:120] = 2
    speed[120:135] = 8
    session = Session(
        {"drifting_gratings": gratings([90, 180], [0, 45])}, behaviour={"running_speed": speed}
    )
    table = tabulate(session, TrialsConfig())[0]
    assert table["running_speed"][0] == pytest.approx(4)
    assert np.isnan(table["running_speed"][1])
    assert table["pupil"].isna().all()


def test_no_stimulus_to_use():
    with pytest.raises(InputError, match=r"^session 1: none of trials\.window_s .*: .*select"):
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
    table = tabulate(session, TrialsConfig())[0]
    owner = {}
    for row in table[table["split"] != "gap"].itertuples():
        for frame in range(row.window_start, row.window_stop):
            assert owner.setdefault(frame, row.split) == row.split
    for stimulus, rows in table.groupby("stimulus"):
        assert rows["presentation"].tolist() == list(range(len(rows)))
        expected = session.stimuli()[stimulus]["start"]
        np.testing.assert_array_equal(rows["window_start"], expected)


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
    with caplog.at_level(logging.WARNING):
        tabulate(StoredSession(tmp_path / "1.zarr"), TrialsConfig())[0]
    lines = [record.getMessage() for record in caplog.records]
    assert "session 1: task direction has no train presentation of 90" in lines
    assert "session 1: task direction has no test presentation of 45" in lines
    assert not any("temporal_frequency" in line for line in lines)  # one value is no class

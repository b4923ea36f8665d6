import dataclasses

import numpy as np
import pandas as pd
import pytest

from glasscortex.config import PreprocessConfig, TrialsConfig
from glasscortex.data.nwb import read_metadata
from glasscortex.data.record import Record
from glasscortex.data.store import StoredSession
from glasscortex.data.windows import SessionWindows
from glasscortex.errors import InputError
from glasscortex.stages.combine import combine
from glasscortex.stages.preprocess import preprocess
from glasscortex.stages.trials import trials as extract
from glasscortex.tables import write_table


def one_session(nwb, folder, **settings):
    path, record = nwb(), folder / "100.nwb.json"
    Record.of(path, session_id="100", source="test").write(record)
    preprocess(
        nwb=path,
        record=record,
        session={k: str(v) for k, v in dataclasses.asdict(read_metadata(path)).items()},
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


@pytest.fixture
def part(nwb, tmp_path):
    extract(**one_session(nwb, tmp_path), **outputs(tmp_path), config=TrialsConfig())
    return tmp_path / "100.parquet"


def combined(part, held_out: dict[str, bool], **settings) -> None:
    """The presentations of these sessions, joined in the folder of a part."""
    folder = part.parent
    sessions = pd.DataFrame(held_out.items(), columns=["session_id", "held_out"])
    write_table(sessions, folder / "sessions.csv")
    combine(
        sessions=folder / "sessions.csv",
        parts=folder,
        trials=folder / "trials.parquet",
        variables=folder / "v.csv",
        **settings,
    )


def test_parts_are_put_one_after_the_other(part, tmp_path):
    table = pd.read_parquet(part)
    table.assign(session_id="2").to_parquet(tmp_path / "2.parquet", index=False)
    combined(part, {"2": False, "not there": True, "100": False}, tasks="all")
    joined = pd.read_parquet(tmp_path / "trials.parquet")
    assert joined["session_id"].tolist() == ["2"] * len(table) + ["100"] * len(table)
    assert joined.index.tolist() == list(range(2 * len(table)))
    pd.testing.assert_frame_equal(joined.iloc[len(table) :].reset_index(drop=True), table)


def test_named_tasks_that_the_sessions_allow(part, tmp_path):
    combined(part, {"100": False}, tasks=("direction", "movie_one", "running_speed", "pupil"))
    assert (tmp_path / "trials.parquet").exists()


@pytest.mark.parametrize("task", ["scene", "temporal_frequency", "movie_three"])
def test_a_named_task_that_no_session_allows(part, tmp_path, task):
    with pytest.raises(InputError, match=rf"^tasks: no session has two .*{task} .*remove it"):
        combined(part, {"100": False}, tasks=("direction", task))
    assert not (tmp_path / "trials.parquet").exists()


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_damaged_windows_and_trials_are_found(part, tmp_path):
    for path in (part, tmp_path / "100.h5"):
        flip(path)
    with pytest.raises(InputError, match=r"100\.h5 is damaged or was changed"):
        SessionWindows(tmp_path / "100.h5")
    with pytest.raises(InputError, match=r"100\.parquet is damaged or was changed"):
        combined(part, {"100": False}, tasks="all")
    assert not (tmp_path / "trials.parquet").exists()

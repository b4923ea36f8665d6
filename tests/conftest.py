"""A small world: two sessions of gratings and one of a movie, with cells tuned by hand."""

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from glasscortex.config import ModelConfig
from glasscortex.data.batches import Batches
from glasscortex.data.labels import with_labels
from glasscortex.data.vocabulary import Vocabulary
from glasscortex.data.windows import SessionWindows, WindowsFolder
from glasscortex.decoder.model import Decoder

# No test times anything, and a clean clone gives the same result.
settings.register_profile("same everywhere", deadline=None, derandomize=True)
settings.load_profile("same everywhere")

CELLS, RATE = 12, 10.0
LABELS = (
    "direction",
    "orientation",
    "temporal_frequency",
    "spatial_frequency",
    "phase",
    "scene",
    "movie_frame",
    "running_speed",
    "pupil",
)


def gratings(session: str, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """160 presentations of 8 directions; cell i prefers direction i mod 8."""
    n = 160
    direction = rng.permutation(np.arange(n) % 8) * 45.0
    values = rng.normal(size=(n, CELLS, 20))
    preferred = np.arange(CELLS) % 8 * 45.0
    values += 1.5 * np.cos(np.radians(direction[:, None] - preferred))[:, :, None]
    table = presentations(session, "drifting_gratings", n, 2.0)
    running = values.mean(axis=(1, 2)) + rng.normal(scale=0.1, size=n)
    return table.assign(
        direction=direction, orientation=direction % 180, running_speed=running
    ), values.astype(np.float32)


def movie(session: str, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Eight repeats of ten bins of one second, each bin with a pattern of its own."""
    frame = np.tile(np.arange(10.0), 8)
    patterns = rng.normal(size=(10, CELLS))
    values = patterns[frame.astype(int)][:, :, None] + rng.normal(size=(80, CELLS, 10))
    table = presentations(session, "natural_movie_one", 80, 1.0)
    return table.assign(movie_frame=frame), values.astype(np.float32)


def presentations(session: str, stimulus: str, n: int, seconds: float) -> pd.DataFrame:
    start = np.arange(n) * (seconds + 1)
    split = np.select(
        [np.arange(n) < 0.6 * n, np.arange(n) < 0.75 * n], ["train", "validation"], "test"
    )
    table = pd.DataFrame(dict.fromkeys(LABELS, np.nan), index=range(n), dtype="float32")
    return table.assign(
        session_id=session,
        stimulus=stimulus,
        presentation=np.arange(n, dtype=np.int32),
        block=np.int16(0),
        start_s=start,
        end_s=start + seconds,
        split=split,
    )


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """(trials, parquet path, windows folder, cells by session)."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(1)
    shown = {"a": [gratings], "b": [gratings, movie]}
    tables, cells = [], {}
    for session, stimuli in shown.items():
        cells[session] = tuple(f"{session}/{i}" for i in range(CELLS))
        with h5py.File(folder / f"{session}.h5", "w") as file:
            file.attrs.update(
                session_id=session,
                cells=np.array(cells[session], dtype="S"),
                sample_rate_hz=RATE,
            )
            for make in stimuli:
                table, values = make(session, rng)
                tables.append(table)
                file[table["stimulus"].iloc[0]] = values
    trials = pd.concat(tables, ignore_index=True).astype(dict.fromkeys(LABELS, "float32"))
    trials = with_labels(trials)
    trials.to_parquet(folder / "trials.parquet")
    return trials, folder / "trials.parquet", folder, cells


@pytest.fixture(scope="session")
def samples() -> dict[str, int]:
    """Samples of a window, by stimulus."""
    return {"drifting_gratings": 20, "natural_movie_one": 10}


@pytest.fixture(scope="session")
def vocabulary(world, samples) -> Vocabulary:
    trials, _, _, cells = world
    return Vocabulary.of(trials, cells, samples, "all")


@pytest.fixture
def batches(world, vocabulary) -> Batches:
    trials, _, windows, _ = world
    return Batches(WindowsFolder(windows), trials, vocabulary, size=32)


@pytest.fixture
def decoder(vocabulary) -> Decoder:
    import torch

    torch.manual_seed(0)
    return Decoder(ModelConfig(dim=16, depth=2, heads=2), vocabulary, RATE).eval()


@pytest.fixture
def batch(batches, world):
    trials = world[0]
    return next(batches.ordered((trials["stimulus"] == "drifting_gratings").to_numpy()))


@pytest.fixture
def reader(world) -> SessionWindows:
    return SessionWindows(world[2] / "a.h5")

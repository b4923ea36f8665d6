"""What is shown when: blocks, rows, order and timing of each session type.

The structure is that of the Allen Visual Coding sessions (Allen Brain Observatory, white paper
"Visual stimuli"): order and minutes of the blocks, conditions, repeats and blanks. A shorter
session keeps the structure and shows fewer repeats.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

BLOCKS = {
    "three_session_A": (
        ("drifting_gratings", 10),
        ("natural_movie_three", 10),
        ("natural_movie_one", 5),
        ("drifting_gratings", 10),
        ("spontaneous", 5),
        ("natural_movie_three", 10),
        ("drifting_gratings", 10),
    ),
    "three_session_B": (
        ("static_gratings", 8),
        ("natural_scenes", 8),
        ("spontaneous", 5),
        ("natural_scenes", 8),
        ("static_gratings", 8),
        ("natural_movie_one", 5),
        ("natural_scenes", 9),
        ("static_gratings", 9),
    ),
    "three_session_C": (
        ("locally_sparse_noise", 12),
        ("spontaneous", 5),
        ("natural_movie_one", 5),
        ("locally_sparse_noise", 12),
        ("natural_movie_two", 5),
        ("spontaneous", 5),
        ("locally_sparse_noise", 13),
    ),
    "three_session_C2": (
        ("locally_sparse_noise_4deg", 8),
        ("locally_sparse_noise_8deg", 7),
        ("spontaneous", 5),
        ("natural_movie_one", 5),
        ("locally_sparse_noise_4deg", 8),
        ("locally_sparse_noise_8deg", 7),
        ("natural_movie_two", 5),
        ("spontaneous", 5),
        ("locally_sparse_noise_8deg", 7),
        ("locally_sparse_noise_4deg", 8),
    ),
}
"""Blocks of each session type in order, with their minutes in a session of full length."""

GREY_S = 20.0
"""Grey before, between and after blocks. Choice: a full A session then has 115,500 frames, as
real ones (114,000-115,700). It shrinks with the session, down to `SHORTEST_GREY_S`."""
SHORTEST_GREY_S = 10.0
SHORTEST_SPONTANEOUS_S = 10.0


@dataclass(frozen=True)
class Stimulus:
    """What a full session shows of one stimulus.

    Attributes
    ----------
    columns : tuple of str
        Names of the columns of `conditions`; ("index",) for images and frames.
    conditions : numpy.ndarray
        (conditions, columns)
    repeats : int
        Showings of every condition.
    blanks : int
        Showings of the grey screen among them.
    period_s, shown_s : float
        Seconds from onset to onset, and of the stimulus itself.
    shuffled : bool
        Whether the order is a random permutation of all rows.
    """

    columns: tuple[str, ...]
    conditions: np.ndarray
    repeats: int
    blanks: int
    period_s: float
    shown_s: float
    shuffled: bool


def _grating(repeats, blanks, period_s, shown_s, **values) -> Stimulus:
    conditions = np.array(list(product(*values.values())), float)
    return Stimulus(tuple(values), conditions, repeats, blanks, period_s, shown_s, True)


def _images(count, repeats, blanks, period_s, shuffled) -> Stimulus:
    index = np.arange(count)[:, None]
    return Stimulus(("index",), index, repeats, blanks, period_s, period_s, shuffled)


STIMULI = {
    "drifting_gratings": _grating(
        repeats=15,
        blanks=30,
        period_s=3.0,
        shown_s=2.0,
        temporal_frequency=(1, 2, 4, 8, 15),
        orientation=range(0, 360, 45),
    ),
    "static_gratings": _grating(
        repeats=48,
        blanks=240,
        period_s=0.25,
        shown_s=0.25,
        orientation=range(0, 180, 30),
        spatial_frequency=(0.02, 0.04, 0.08, 0.16, 0.32),
        phase=(0, 0.25, 0.5, 0.75),
    ),
    "natural_scenes": _images(118, repeats=50, blanks=50, period_s=0.25, shuffled=True),
    "natural_movie_one": _images(900, repeats=10, blanks=0, period_s=1 / 30, shuffled=False),
    "natural_movie_two": _images(900, repeats=10, blanks=0, period_s=1 / 30, shuffled=False),
    "natural_movie_three": _images(3600, repeats=10, blanks=0, period_s=1 / 30, shuffled=False),
    "locally_sparse_noise": _images(8880, repeats=1, blanks=0, period_s=0.25, shuffled=False),
    "locally_sparse_noise_4deg": _images(5760, repeats=1, blanks=0, period_s=0.25, shuffled=False),
    "locally_sparse_noise_8deg": _images(5040, repeats=1, blanks=0, period_s=0.25, shuffled=False),
}
"""630, 6,000 and 5,950 rows of drifting gratings, static gratings and scenes: one blank after 20,
24 and 118 presentations on average. The white paper says that the order is random; that it is a
permutation over the whole session is a choice."""


@dataclass(frozen=True)
class Presentations:
    """All presentations of one stimulus, in order of time.

    Attributes
    ----------
    start, stop : numpy.ndarray
        (presentations,) imaging frames, half-open.
    columns : dict of str to numpy.ndarray
        Name -> (presentations,); "index" of the image or frame shown, -1 on blanks, or the
        features of the gratings, NaN on blanks; empty for spontaneous activity.
    """

    start: np.ndarray
    stop: np.ndarray
    columns: dict[str, np.ndarray]

    @property
    def blank(self) -> np.ndarray:
        """(presentations,) True where the screen stayed grey."""
        if not self.columns:
            return np.ones(len(self.start), bool)
        first = next(iter(self.columns.values()))
        return np.isnan(first) | (first < 0)


@dataclass(frozen=True)
class Timeline:
    """A session's number of imaging frames, and its presentations by stimulus."""

    frames: int
    presentations: dict[str, Presentations]


def timeline(
    session_type: str,
    length: float,
    frame_rate_hz: float,
    rng: np.random.Generator,
    without: tuple[str, ...] = (),
) -> Timeline:
    """Draw the order of the presentations and place them in time.

    Parameters
    ----------
    length : float
        Fraction of a real session's repeats, above 0 and at most 1.
    without : tuple of str
        Stimuli whose blocks are left out.
    """
    blocks = tuple(block for block in BLOCKS[session_type] if block[0] not in without)
    grey_s = max(GREY_S * length, SHORTEST_GREY_S)
    names = list(dict.fromkeys(name for name, _ in blocks))
    rows = {name: _rows(STIMULI[name], length, rng) for name in names if name != "spontaneous"}
    counts = {name: _counts(name, blocks, len(rows[name])) for name in rows}
    times: dict[str, list[np.ndarray]] = {name: [] for name in names}
    clock = grey_s
    for name, minutes in blocks:
        if name == "spontaneous":
            duration = max(60.0 * minutes * length, SHORTEST_SPONTANEOUS_S)
            onset, shown = np.array([clock]), duration
        else:
            stimulus = STIMULI[name]
            count = counts[name].pop(0)
            duration = count * stimulus.period_s
            onset, shown = clock + stimulus.period_s * np.arange(count), stimulus.shown_s
        times[name].append(np.stack([onset, onset + shown]))
        clock += duration + grey_s
    presentations = {}
    for name in names:
        frames = np.concatenate(times[name], axis=1) * frame_rate_hz
        start, stop = np.floor(np.round(frames, 6) + 0.5).astype(np.int64)
        columns = dict(zip(STIMULI[name].columns, rows[name].T)) if name in rows else {}
        presentations[name] = Presentations(start, np.maximum(stop, start + 1), columns)
    return Timeline(int(np.ceil(clock * frame_rate_hz)), presentations)


def _rows(stimulus: Stimulus, length: float, rng: np.random.Generator) -> np.ndarray:
    """(rows, columns) in the order shown."""
    conditions, repeats = stimulus.conditions, _scaled(stimulus.repeats, length)
    if stimulus.repeats == 1:
        conditions = conditions[: _scaled(len(conditions), length)]
    shown = np.tile(conditions, (repeats, 1))
    blank = np.nan if shown.dtype.kind == "f" else -1
    blanks = round(stimulus.blanks * repeats / stimulus.repeats)
    rows = np.concatenate([shown, np.full((blanks, shown.shape[1]), blank, shown.dtype)])
    return rng.permutation(rows) if stimulus.shuffled else rows


def _scaled(full: int, length: float) -> int:
    return max(1, round(full * length))


def _counts(name: str, blocks: tuple, rows: int) -> list[int]:
    """Rows of each block, in proportion to its minutes; movies are cut at whole repeats."""
    minutes = np.cumsum([m for other, m in blocks if other == name])
    unit = len(STIMULI[name].conditions) if name.startswith("natural_movie") else 1
    edges = unit * np.ceil(np.round(rows // unit * minutes / minutes[-1], 6)).astype(int)
    return list(np.diff(edges, prepend=0))

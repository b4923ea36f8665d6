"""The pictures: procedural scenes, movies and sparse noise, the same for every mouse.

Scenes are "dead leaves": opaque ellipses of all sizes that occlude each other, whose statistics
(edges, a 1/f spectrum, piecewise smooth surfaces) are those of natural images (Lee, Mumford and
Huang 2001, "Occlusion models for natural images"). A movie is a sequence of shots, each a camera
that wanders over one such world. All sizes and speeds are choices.
"""

from functools import cache
from zlib import crc32

import numpy as np

from glasscortex.data.synthetic.design import STIMULI

SCENE_SHAPE = (46, 58)
"""Real scenes are 918 x 1174 pixels; stored here at a twentieth."""
MOVIE_SHAPE = (38, 76)
"""Real movies are 304 x 608 pixels; stored here at an eighth."""
NOISE_SHAPE = {
    "locally_sparse_noise": (16, 28),
    "locally_sparse_noise_4deg": (16, 28),
    "locally_sparse_noise_8deg": (8, 14),
}

LEAVES = 400
SMALLEST_LEAF, LARGEST_LEAF = 2.0, 30.0
"""Radii in pixels, with density proportional to radius^-3 (scale invariance)."""
TEXTURE = 12.0
"""Standard deviation of the fine texture, in grey levels."""
SHOT_FRAMES = {"natural_movie_one": 900, "natural_movie_two": 225, "natural_movie_three": 240}
"""Frames between cuts: movies one and two of the Allen set are one clip each and movie three is a
longer one; cuts of movies two and three are a choice."""
WANDER = 30.0
"""How far, in pixels, the camera moves away from the middle of its world."""
SPARSE_FRACTION = 0.02
"""Fraction of the squares of a sparse-noise frame that are white or black."""


@cache
def templates(stimulus: str) -> np.ndarray:
    """(images, height, width) uint8: the image stack of a stimulus.

    Drawn from the stimulus's name alone, so that every mouse of every simulation sees the same.
    """
    rng = np.random.default_rng(crc32(stimulus.encode()))
    count = len(STIMULI[stimulus].conditions)
    if stimulus in NOISE_SHAPE:
        return _sparse_noise(count, NOISE_SHAPE[stimulus], rng)
    if stimulus == "natural_scenes":
        return np.stack([_grey_levels(_leaves(SCENE_SHAPE, rng)) for _ in range(count)])
    shot = SHOT_FRAMES[stimulus]
    return np.concatenate([_shot(min(shot, count - i), rng) for i in range(0, count, shot)])


def _leaves(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(height, width) float grey levels of a world of occluding ellipses."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    world = np.full(shape, 110.0)
    leaves = LEAVES * shape[0] * shape[1] // (SCENE_SHAPE[0] * SCENE_SHAPE[1])
    quantile = rng.random(leaves)
    radius = 1 / np.sqrt(quantile / LARGEST_LEAF**2 + (1 - quantile) / SMALLEST_LEAF**2)
    for r in radius:
        cy, cx = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        angle, aspect = rng.uniform(0, np.pi), rng.uniform(0.3, 1)
        level, slope = rng.normal(110, 50), rng.normal(0, 1.5)
        top, bottom = max(0, int(cy - r)), int(cy + r) + 1
        left, right = max(0, int(cx - r)), int(cx + r) + 1
        window = np.s_[top:bottom, left:right]
        dy, dx = y[window] - cy, x[window] - cx
        along = np.cos(angle) * dx + np.sin(angle) * dy
        across = np.cos(angle) * dy - np.sin(angle) * dx
        inside = along**2 + (across / aspect) ** 2 < r**2
        world[window][inside] = (level + slope * along)[inside]
    return world + TEXTURE * rng.standard_normal(shape)


def _grey_levels(image: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _shot(frames: int, rng: np.random.Generator) -> np.ndarray:
    """(frames, height, width) uint8: a camera that wanders smoothly over one world."""
    margin = int(WANDER) + 2
    height, width = MOVIE_SHAPE
    world = _leaves((height + 2 * margin, width + 2 * margin), rng)
    seconds = np.arange(frames) / 30
    path = np.zeros((frames, 2))
    for period_s in (30.0, 11.0, 4.0):
        phase = rng.uniform(0, 2 * np.pi, 2)
        path += period_s * np.sin(2 * np.pi * seconds[:, None] / period_s + phase)
    path = margin + path * WANDER / 45
    corner = np.floor(path).astype(int)
    shot = np.empty((frames, height, width), np.uint8)
    for i, ((top, left), (fy, fx)) in enumerate(zip(corner, path - corner)):
        view = world[top : top + height + 1, left : left + width + 1]
        rows = (1 - fy) * view[:-1] + fy * view[1:]
        shot[i] = _grey_levels((1 - fx) * rows[:, :-1] + fx * rows[:, 1:])
    return shot


def _sparse_noise(count: int, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(count, height, width) uint8: black (0) and white (255) squares on grey (127)."""
    chance = rng.random((count, *shape), dtype=np.float32)
    noise = np.full(chance.shape, 127, np.uint8)
    noise[chance < SPARSE_FRACTION / 2] = 0
    noise[chance > 1 - SPARSE_FRACTION / 2] = 255
    return noise

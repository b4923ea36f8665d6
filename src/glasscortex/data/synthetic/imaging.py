"""The plane under the microscope, which no trace depends on: where cells lie, how it moves."""

from dataclasses import dataclass

import numpy as np

FIELD_PIXELS = 512
CELL_RADIUS_PIXELS = 8
"""A soma of about 12 µm."""
MOTION_SD_PIXELS = 0.8


@dataclass(frozen=True)
class Imaging:
    """The plane and its motion.

    Attributes
    ----------
    background : numpy.ndarray
        uint8 (height, width), the maximum projection without the cells.
    places : numpy.ndarray
        (cells, 2), vertical and horizontal centre of each cell in pixels.
    motion : numpy.ndarray
        (frames, 2), shift of every frame in pixels.
    """

    background: np.ndarray
    places: np.ndarray
    motion: np.ndarray


def image(cells: int, frames: int, rng: np.random.Generator) -> Imaging:
    """Draw a plane and its motion.

    Parameters
    ----------
    cells : int
        How many cells lie in it.
    frames : int
        Imaging frames.
    rng : numpy.random.Generator
        Random numbers.

    Returns
    -------
    Imaging
        The plane.
    """
    background = rng.integers(20, 40, (FIELD_PIXELS, FIELD_PIXELS)).astype(np.uint8)
    edge = 2 * CELL_RADIUS_PIXELS
    places = rng.uniform(edge, FIELD_PIXELS - edge, (cells, 2))
    motion = np.rint(MOTION_SD_PIXELS * rng.standard_normal((frames, 2)))
    return Imaging(background, places, motion)


def masks(places: np.ndarray) -> np.ndarray:
    """The pixels of each cell.

    Parameters
    ----------
    places : numpy.ndarray
        (cells, 2), centres in pixels.

    Returns
    -------
    numpy.ndarray
        bool (cells, height, width).
    """
    y, x = np.ogrid[:FIELD_PIXELS, :FIELD_PIXELS]
    dy, dx = (y - places[:, :1, None], x - places[:, 1:, None])
    return dy**2 + dx**2 < CELL_RADIUS_PIXELS**2

"""How pictures drive cells: a random Gabor filter for each, with the cell's own tuning."""

from functools import cached_property

import numpy as np

from glasscortex.data.synthetic.images import templates

PLANE = (38, 76)
"""Height and width, in pixels, at which pictures are filtered."""
DEGREES_PER_PIXEL = 1.6
"""The monitor spans about 120 degrees (Allen white paper)."""
CYCLES_IN_ENVELOPE = 0.4
"""Standard deviation of the envelope in periods of the carrier (Ringach 2002: .2-.6)."""
FINEST_CPD = 0.25
"""Pixels carry no finer grating: cells that prefer one get a filter at this frequency."""
IMAGES_AT_ONCE = 512
OUTPUT_STEP = 2.0**-10
"""Outputs are rounded to it, so that the number of BLAS threads leaves no trace in a file."""


class FilterBank:
    """The filters of a mouse's cells: linear in simple cells, phase-blind energy in complex ones.

    Parameters
    ----------
    cells : dict of str to numpy.ndarray
        Parameter -> (cells,), from `cells.draw`.
    """

    def __init__(self, cells: dict[str, np.ndarray]):
        self._simplicity = cells["simplicity"]
        self._weights = _gabors(cells).reshape(-1, PLANE[0] * PLANE[1]).T

    @cached_property
    def _mean_and_sd(self) -> tuple[np.ndarray, np.ndarray]:
        """Over natural scenes: a second's work, which a session of gratings does without."""
        scenes = self._linear_and_energy(templates("natural_scenes"))
        return scenes.mean(1, keepdims=True), scenes.std(1, keepdims=True)

    def output(self, images: np.ndarray) -> np.ndarray:
        """(cells, images): each filter's output, in standard deviations over natural scenes.

        Parameters
        ----------
        images : numpy.ndarray
            (images, height, width), stretched over the whole screen.
        """
        mean, sd = self._mean_and_sd
        linear, energy = (self._linear_and_energy(images) - mean) / sd
        output = self._simplicity * linear + (1 - self._simplicity) * energy
        return OUTPUT_STEP * np.rint(output.T / OUTPUT_STEP)

    def _linear_and_energy(self, images: np.ndarray) -> np.ndarray:
        """(2, images, cells)."""
        rows = np.arange(PLANE[0]) * images.shape[1] // PLANE[0]
        columns = np.arange(PLANE[1]) * images.shape[2] // PLANE[1]
        parts = []
        for i in range(0, len(images), IMAGES_AT_ONCE):
            plane = images[i : i + IMAGES_AT_ONCE, rows[:, None], columns].astype(float)
            even, odd = np.hsplit(plane.reshape(len(plane), -1) @ self._weights, 2)
            parts.append(np.stack([even, np.hypot(even, odd)]))
        return np.concatenate(parts, axis=1)


def _gabors(cells: dict[str, np.ndarray]) -> np.ndarray:
    """(2, cells, height, width): each cell's filter and its quadrature, zero mean, unit norm."""
    y, x = np.mgrid[: PLANE[0], : PLANE[1]] * DEGREES_PER_PIXEL
    column = {name: values[:, None, None] for name, values in cells.items()}
    dy = y - column["receptive_field_y"] * PLANE[0] * DEGREES_PER_PIXEL
    dx = x - column["receptive_field_x"] * PLANE[1] * DEGREES_PER_PIXEL
    angle = np.deg2rad(column["preferred_direction_deg"])
    cpd = np.minimum(column["spatial_frequency_cpd"], FINEST_CPD)
    envelope = np.exp(-0.5 * (dy**2 + dx**2) * (cpd / CYCLES_IN_ENVELOPE) ** 2)
    cycles = (np.cos(angle) * dx + np.sin(angle) * dy) * cpd + column["preferred_phase"]
    pair = envelope * np.stack([np.cos(2 * np.pi * cycles), np.sin(2 * np.pi * cycles)])
    pair -= envelope * (pair.sum((2, 3)) / envelope.sum((1, 2)))[..., None, None]
    return pair / np.linalg.norm(pair, axis=(2, 3), keepdims=True)

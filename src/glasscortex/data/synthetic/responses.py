"""From what is shown and how the mouse behaves to the firing rate of every cell."""

from dataclasses import dataclass

import numpy as np

from glasscortex.data.synthetic.behaviour import Behaviour
from glasscortex.data.synthetic.design import Presentations, Timeline
from glasscortex.data.synthetic.filters import FilterBank
from glasscortex.data.synthetic.images import templates
from glasscortex.data.synthetic.leaky import fluctuation

LATENCY_S = 0.06
"""From screen to spikes in mouse V1 (Niell & Stryker 2008: 50-70 ms)."""
DRIFTING_CPD = 0.04
"""Spatial frequency of all drifting gratings (white paper)."""
DRIVE_THRESHOLD = 1.0
"""Filter output, in standard deviations over scenes, below which a cell does not respond. Choice:
a cell then responds to about a sixth of the scenes."""
LARGEST_DRIVE = 4.0
"""Saturation of the image drive. Choice."""
SHARED_S, PRIVATE_S = 5.0, 1.5
"""Time constants of the shared and the private fluctuations of gain. Choice."""


@dataclass(frozen=True)
class Rates:
    """What drives the spikes.

    Attributes
    ----------
    rate : numpy.ndarray
        (cells, frames) spikes per second.
    by_presentation : dict of str to numpy.ndarray
        Stimulus -> (presentations, cells) mean rate in response to a presentation.
    gain : dict of str to numpy.ndarray
        Stimulus -> (presentations,) log gain of running, pupil and the shared fluctuation,
        averaged over cells and the presentation.
    """

    rate: np.ndarray
    by_presentation: dict[str, np.ndarray]
    gain: dict[str, np.ndarray]


def rates(
    cells: dict[str, np.ndarray],
    timeline: Timeline,
    behaviour: Behaviour,
    frame_rate_hz: float,
    rng: np.random.Generator,
) -> Rates:
    """Firing rates of all cells, frame by frame.

    rate = (baseline (1 - suppression · grating shown) + evoked) · exp(log gain), where log gain
    adds running, pupil, a fluctuation that the population shares and one of the cell's own.

    Parameters
    ----------
    cells : dict of str to numpy.ndarray
        Parameter -> (cells,), from `cells.draw`.
    """
    latency = latency_frames(frame_rate_hz)
    rate = drive(cells, FilterBank(cells), timeline, frame_rate_hz)
    loading, shared = shared_gain(cells, behaviour, frame_rate_hz, rng)
    private = fluctuation(rate.shape, PRIVATE_S * frame_rate_hz, rng)
    log_gain = np.einsum("sc,sf->cf", loading, shared) + cells["private_gain"][:, None] * private
    rate *= np.exp(log_gain)
    gain = np.einsum("s,sf->f", loading.mean(1), shared)
    presentations = timeline.presentations.items()
    return Rates(
        rate,
        {name: _mean_over(rate, shown, latency).T for name, shown in presentations},
        {name: _mean_over(gain[None], shown, latency)[0] for name, shown in presentations},
    )


def latency_frames(frame_rate_hz: float) -> int:
    """Imaging frames between what is shown and the response to it."""
    return round(LATENCY_S * frame_rate_hz)


def drive(
    cells: dict[str, np.ndarray], bank: FilterBank, timeline: Timeline, frame_rate_hz: float
) -> np.ndarray:
    """(cells, frames) float32 spikes per second, before gain: baseline and what is evoked."""
    rate = np.repeat(cells["baseline_hz"][:, None], timeline.frames, axis=1).astype(np.float32)
    for name, shown in timeline.presentations.items():
        if name != "spontaneous":
            frame = _frames_of(shown)[2] + latency_frames(frame_rate_hz)
            rate[:, frame] += evoked(cells, bank, name, shown, frame_rate_hz)
    return rate


def evoked(
    cells: dict[str, np.ndarray],
    bank: FilterBank,
    stimulus: str,
    shown: Presentations,
    frame_rate_hz: float,
) -> np.ndarray:
    """(cells, frames) what each presentation, frame by frame, adds to the baseline, in Hz.

    Suppression by gratings makes it negative.
    """
    row, elapsed, _ = _frames_of(shown)
    if not stimulus.endswith("gratings"):
        pictures = image_drive(cells, bank.output(templates(stimulus)))
        return np.where(shown.blank[row], 0, pictures[:, shown.columns["index"][row]])
    rate = gratings_drive(cells, shown.columns)[:, row]
    rate *= _drift(cells, shown.columns, row, elapsed / frame_rate_hz, frame_rate_hz)
    rate -= np.outer(cells["grating_suppression"] * cells["baseline_hz"], ~shown.blank[row])
    return rate


def shared_gain(
    cells: dict[str, np.ndarray],
    behaviour: Behaviour,
    frame_rate_hz: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """What moves all cells' log gain: its loadings (3, cells) and its course (3, frames).

    In order: running, pupil, and a fluctuation that the population shares.
    """
    frames = len(behaviour.running)
    fluctuating = fluctuation(frames, SHARED_S * frame_rate_hz, rng)
    loading = np.stack([cells[f"{name}_gain"] for name in ("running", "pupil", "shared")])
    return loading, np.stack([behaviour.running, behaviour.pupil, fluctuating])


def direction_tuning(cells: dict[str, np.ndarray], direction_deg: np.ndarray) -> np.ndarray:
    """(cells, presentations), 1 at the preferred direction.

    A von Mises function of twice the angle, times a factor that makes
    (preferred - opposite) / (preferred + opposite) the cell's direction index.
    """
    angle = np.deg2rad(direction_deg - cells["preferred_direction_deg"][:, None])
    index = cells["direction_index"][:, None]
    return _orientation(cells, angle) * (1 + index * np.cos(angle)) / (1 + index)


def orientation_tuning(cells: dict[str, np.ndarray], orientation_deg: np.ndarray) -> np.ndarray:
    """(cells, presentations), 1 at the preferred orientation: preferred direction mod 180."""
    angle = np.deg2rad(orientation_deg - cells["preferred_direction_deg"][:, None])
    return _orientation(cells, angle)


def _orientation(cells, angle):
    return np.exp(cells["orientation_kappa"][:, None] * (np.cos(2 * angle) - 1))


def _octave_tuning(preferred, width, frequency):
    """(cells, presentations): log-Gaussian, 1 at the preferred frequency."""
    octaves = np.log2(frequency / preferred[:, None])
    return np.exp(-0.5 * (octaves / width[:, None]) ** 2)


def gratings_drive(cells: dict[str, np.ndarray], columns: dict[str, np.ndarray]) -> np.ndarray:
    """(cells, presentations) evoked spikes per second, 0 on blanks.

    Parameters
    ----------
    columns : dict of str to numpy.ndarray
        Of `Presentations`; temporal_frequency if they drift, phase if they stand still.
    """
    spatial = columns.get("spatial_frequency", np.array([DRIFTING_CPD]))
    drive = _octave_tuning(cells["spatial_frequency_cpd"], cells["spatial_octaves"], spatial)
    drive = drive * cells["grating_hz"][:, None]
    if "temporal_frequency" in columns:
        drive = drive * direction_tuning(cells, columns["orientation"])
        drive *= _octave_tuning(
            cells["temporal_frequency_hz"], cells["temporal_octaves"], columns["temporal_frequency"]
        )
    else:
        drive = drive * orientation_tuning(cells, columns["orientation"])
        cycles = columns["phase"] - cells["preferred_phase"][:, None]
        drive *= 1 + cells["simplicity"][:, None] * np.cos(2 * np.pi * cycles)
    return np.nan_to_num(drive)


def _drift(cells, columns, row, seconds, frame_rate_hz):
    """(cells, frames) or 1: response to each cycle of a drifting grating, of mean 1.

    Simple cells follow the cycles; the mean over an imaging frame attenuates fast ones.
    """
    if "temporal_frequency" not in columns:
        return 1.0
    frequency = np.nan_to_num(columns["temporal_frequency"])[row]
    depth = np.sinc(frequency / frame_rate_hz)
    cycles = frequency * seconds + cells["preferred_phase"][:, None]
    return 1 + cells["simplicity"][:, None] * depth * np.cos(2 * np.pi * cycles)


def image_drive(cells: dict[str, np.ndarray], output: np.ndarray) -> np.ndarray:
    """(cells, images) evoked spikes per second: rectified and saturated.

    Parameters
    ----------
    output : numpy.ndarray
        (cells, images), from `FilterBank.output`.
    """
    return cells["image_hz"][:, None] * np.clip(output - DRIVE_THRESHOLD, 0, LARGEST_DRIVE)


def _frames_of(shown: Presentations) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, frames since its onset, and frame: of every imaging frame on which it is shown."""
    lengths = shown.stop - shown.start
    row = np.repeat(np.arange(len(lengths)), lengths)
    elapsed = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return row, elapsed, shown.start[row] + elapsed


def _mean_over(trace: np.ndarray, shown: Presentations, latency: int) -> np.ndarray:
    """(rows, presentations): mean of (rows, frames) over each presentation, after the latency."""
    edges = np.stack([shown.start, shown.stop], axis=1).ravel() + latency
    return np.add.reduceat(trace, edges, axis=1)[:, ::2] / (shown.stop - shown.start)

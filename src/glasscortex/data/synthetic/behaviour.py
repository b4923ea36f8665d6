"""What the mouse does: bouts of running, and a pupil that follows them."""

from dataclasses import dataclass

import numpy as np

from glasscortex.data.synthetic.leaky import fluctuation, smoothed

RUNNING_FRACTION = (4.0, 6.0)
"""Beta distribution over mice of the share of time spent running: mean .4. Choice: mice on a disc
run between hardly ever and nearly always (de Vries et al. 2020)."""
BOUT_S = 12.0
"""Mean duration of a bout of running. Choice."""
SPEED_CM_S, SPEED_SD = 18.0, 0.4
"""Median speed of a bout, and spread of its logarithm. Choice: the mean over sessions is then near
the 6.8 cm/s of the Allen data."""
SPEED_SMOOTHING_S = 0.6
"""How fast a bout starts and ends. Choice."""
SPEED_NOISE_CM_S = 0.3
"""Error of the encoder, also at rest. Choice."""
HALF_AROUSED_CM_S = 10.0
"""Speed at which running has half of its largest effect on gain. Choice: the effect saturates
(Niell & Stryker 2010), but must carry some of the speed to be decoded."""
PUPIL_SMOOTHING_S, PUPIL_OWN_S = 2.0, 15.0
"""Time constants of the pupil's answer to running (seconds: Reimer et al. 2014) and of its own
fluctuation (choice)."""
PUPIL_RUNNING = 1.2
"""Dilation by fast running, in standard deviations of the pupil's own fluctuation. Choice."""
PUPIL_AREA_PIXELS, PUPIL_SD_PIXELS = 3000.0, 700.0
"""Mean area of the pupil, and standard deviation of its own fluctuation. Choice."""
GAZE_SD_CM, GAZE_S = (1.0, 2.0), 1.0
"""Spread of gaze on the monitor, vertical and horizontal, and its time constant. Choice."""
MONITOR_CM = 15.0
"""Distance of the monitor (Allen white paper)."""
BLINKS_PER_S, BLINK_S = 1 / 60, 0.2
"""Eye tracking is NaN during blinks, as in real files. Rate and duration are choices."""


@dataclass(frozen=True)
class Behaviour:
    """Traces over imaging frames.

    Attributes
    ----------
    speed : numpy.ndarray
        (frames,) cm/s.
    running : numpy.ndarray
        (frames,) from 0 (still) to 1, what modulates gain.
    pupil : numpy.ndarray
        (frames,) about its mean, in standard deviations of its own fluctuation.
    gaze : numpy.ndarray
        (frames, 2) vertical and horizontal place on the monitor, cm.
    blink : numpy.ndarray
        (frames,) True where the eye is shut and nothing is measured of it.
    """

    speed: np.ndarray
    running: np.ndarray
    pupil: np.ndarray
    gaze: np.ndarray
    blink: np.ndarray


def running_trait(rng: np.random.Generator) -> float:
    """Fraction of the time that a mouse runs."""
    return rng.beta(*RUNNING_FRACTION)


def behave(
    running_fraction: float, frames: int, frame_rate_hz: float, rng: np.random.Generator
) -> Behaviour:
    """Draw the behaviour of one session.

    Parameters
    ----------
    running_fraction : float
        Of the time, a trait of the mouse.
    """
    bouts = _bouts(running_fraction, frames, frame_rate_hz, rng)
    speed = smoothed(bouts, SPEED_SMOOTHING_S * frame_rate_hz)
    running = speed / (speed + HALF_AROUSED_CM_S)
    own = fluctuation(frames, PUPIL_OWN_S * frame_rate_hz, rng)
    pupil = own + PUPIL_RUNNING * smoothed(running, PUPIL_SMOOTHING_S * frame_rate_hz)
    gaze = np.stack([sd * fluctuation(frames, GAZE_S * frame_rate_hz, rng) for sd in GAZE_SD_CM], 1)
    blink = np.zeros(frames, bool)
    length = max(1, round(BLINK_S * frame_rate_hz))
    for start in np.flatnonzero(rng.random(frames) < BLINKS_PER_S / frame_rate_hz):
        blink[start : start + length] = True
    measured = speed + SPEED_NOISE_CM_S * rng.standard_normal(frames)
    return Behaviour(measured, running, pupil - pupil.mean(), gaze, blink)


def _bouts(
    running_fraction: float, frames: int, frame_rate_hz: float, rng: np.random.Generator
) -> np.ndarray:
    """(frames,) speed that steps between rest and bouts of constant speed."""
    speed = np.zeros(frames)
    pause_s = BOUT_S * (1 - running_fraction) / running_fraction
    frame = round(rng.exponential(pause_s) * frame_rate_hz)
    while frame < frames:
        stop = frame + 1 + round(rng.exponential(BOUT_S) * frame_rate_hz)
        speed[frame:stop] = SPEED_CM_S * np.exp(SPEED_SD * rng.standard_normal())
        frame = stop + round(rng.exponential(pause_s) * frame_rate_hz)
    return speed

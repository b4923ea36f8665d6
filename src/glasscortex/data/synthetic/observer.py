"""The ideal observer: how well the best decoder of a simulated session could do, at most.

It is told more than any decoder: the spikes of a stretch that ends with the window, the tuning of
every cell, what all other presentations showed, what behaviour and the shared fluctuation do to
the gain, and each cell's own fluctuation before the stretch and within, there but for its level.
Calcium follows spikes: the window is a function of those spikes, of earlier ones, and of noise;
given what the observer is told, the last two say nothing of label or level. So no decoder of
windows is more accurate than the observer, who takes the class of the largest posterior
probability (data processing inequality; Cover & Thomas 2006, "Elements of Information Theory",
2.8). It is a bound and not what can be reached: a decoder sees noisy calcium, and has to learn
tuning and guess the gain.

Two things are left out. The order is a permutation, so that who counts all other presentations
knows which class is due; here classes are alike likely. And the baseline of ΔF/F is a median over
minutes, through which spikes after the window touch it. Movies have no limit: their order is
fixed, so that what all other windows show tells the label.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import softmax

from glasscortex.config import SimulateConfig
from glasscortex.data.labels import variables_shown
from glasscortex.data.synthetic.behaviour import behave
from glasscortex.data.synthetic.design import STIMULI, Presentations, Timeline, timeline
from glasscortex.data.synthetic.filters import FilterBank
from glasscortex.data.synthetic.leaky import fluctuation
from glasscortex.data.synthetic.likelihood import Stretches, log_likelihood, split_level
from glasscortex.data.synthetic.responses import (
    PRIVATE_S,
    drive,
    evoked,
    latency_frames,
    shared_gain,
)
from glasscortex.data.windows import frames_of
from glasscortex.tasks import ALLEN
from glasscortex.words import MOVIES

PRESENTATIONS = 1000
"""Simulated presentations of a stimulus that a session's limit is the mean of."""

BEFORE_S = 3.0
"""From the begin of a stretch to the response. Any value gives a bound; longer stretches lower it
(static orientation of one session: .716 with .1 s, .701 with 1.5 s, .698 with 3 s, each ± .005)."""

AT_ONCE = 200
"""Presentations in memory."""

COLUMNS = ["task", "limit", "error", "chance", "n"]


@dataclass(frozen=True)
class Session:
    """A session of a simulated mouse, before presentations are singled out.

    Attributes
    ----------
    cells : dict of str to numpy.ndarray
        Parameter -> (cells,), from `cells.draw`.
    bank : FilterBank
        Of these cells.
    timeline : Timeline
        What is shown when.
    drive, log_gain : numpy.ndarray
        (cells, frames) spikes per second before gain, and the gain but for the cells' own.
    frame_rate_hz : float
        Of imaging.
    """

    cells: dict[str, np.ndarray]
    bank: FilterBank
    timeline: Timeline
    drive: np.ndarray
    log_gain: np.ndarray
    frame_rate_hz: float

    @classmethod
    def drawn(
        cls,
        session_type: str,
        cells: dict[str, np.ndarray],
        running_fraction: float,
        config: SimulateConfig,
        rng: np.random.Generator,
    ) -> "Session":
        """A new session as the configuration has them, but without movies."""
        rate_hz, bank = config.frame_rate_hz, FilterBank(cells)
        shown = timeline(session_type, config.length, rate_hz, rng, (*config.without, *MOVIES))
        behaviour = behave(running_fraction, shown.frames, rate_hz, rng)
        loading, course = shared_gain(cells, behaviour, rate_hz, rng)
        log_gain = np.einsum("sc,sf->cf", loading, course)
        return cls(cells, bank, shown, drive(cells, bank, shown, rate_hz), log_gain, rate_hz)

    def response(self, stimulus: str, frames: int) -> np.ndarray:
        """(conditions, cells, frames): spikes expected of each condition, before gain."""
        design = STIMULI[stimulus]
        onset = frames * np.arange(len(design.conditions))
        columns = dict(zip(design.columns, design.conditions.T, strict=True))
        each = Presentations(onset, onset + frames, columns)
        added = evoked(self.cells, self.bank, stimulus, each, self.frame_rate_hz)
        rate = self.cells["baseline_hz"][:, None] + added
        return rate.reshape(len(rate), -1, frames).swapaxes(0, 1) / self.frame_rate_hz


def limits(
    session: Session, window_s: Mapping[str, float], rng: np.random.Generator
) -> pd.DataFrame:
    """The accuracy that no decoder of windows passes, for every classification task but movies.

    It is the mean over presentations, drawn anew, of the observer's largest posterior probability.

    Parameters
    ----------
    session : Session
        Of one mouse.
    window_s : mapping of str to float
        Length of the windows by stimulus, from the onset; others are left out.
    rng : numpy.random.Generator
        Of all that is drawn.

    Returns
    -------
    pandas.DataFrame
        task, limit, error (the standard error that the draws leave), chance, n (of draws).
    """
    rows = []
    for stimulus in session.timeline.presentations:
        tasks = [task for task in ALLEN.tasks.values() if task.stimulus == stimulus]
        if not tasks or stimulus not in window_s:
            continue
        posterior, _ = observed(session, stimulus, window_s[stimulus], rng)
        design = STIMULI[stimulus]
        conditions = pd.DataFrame(design.conditions, columns=design.columns)
        variables = variables_shown(stimulus, conditions)
        for task in tasks:
            classes, own = np.unique(variables[task.variable.name], return_inverse=True)
            largest = (posterior @ np.eye(len(classes))[own]).max(axis=1)
            error = largest.std(ddof=1) / np.sqrt(len(largest))
            rows.append((task.name, largest.mean(), error, 1 / len(classes), len(largest)))
    return pd.DataFrame(rows, columns=COLUMNS)


def observed(
    session: Session, stimulus: str, window_s: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw presentations, and ask the observer.

    Parameters
    ----------
    session : Session
        Of one mouse.
    stimulus : str
        One of gratings or scenes.
    window_s : float
        The observer sees the spikes that lie before the end of such a window from the onset.
    rng : numpy.random.Generator
        Of all that is drawn.

    Returns
    -------
    posterior : numpy.ndarray
        (presentations, conditions) probabilities of what was shown.
    shown : numpy.ndarray
        (presentations,) the condition that was.
    """
    latency = latency_frames(session.frame_rate_hz)
    frames = max(1, frames_of(window_s, session.frame_rate_hz) - latency)
    presentations = session.timeline.presentations[stimulus]
    onset = presentations.start + latency
    drawn = rng.choice(np.flatnonzero(onset + frames <= session.timeline.frames), PRESENTATIONS)
    lengths = (presentations.stop - presentations.start)[drawn]
    posterior, shown = [], []
    for length in np.unique(lengths):  # as frames are counted, some have one more
        response = session.response(stimulus, length)[..., :frames]
        onsets = onset[drawn[lengths == length]]
        for first in range(0, len(onsets), AT_ONCE):
            some = onsets[first : first + AT_ONCE, None]
            conditions = rng.integers(len(response), size=len(some))
            stretches = _stretches(session, some + np.arange(frames), response, conditions, rng)
            posterior.append(softmax(log_likelihood(stretches), axis=1))
            shown.append(conditions)
    return np.concatenate(posterior), np.concatenate(shown)


def _stretches(
    session: Session,
    seen: np.ndarray,
    response: np.ndarray,
    shown: np.ndarray,
    rng: np.random.Generator,
) -> Stretches:
    """Draw spikes of the conditions `shown`, in stretches that end with the frames `seen`."""
    before, time_constant = (
        round(BEFORE_S * session.frame_rate_hz),
        PRIVATE_S * session.frame_rate_hz,
    )
    at = np.concatenate([seen[:, :1] - np.arange(before, 0, -1), seen], axis=1)
    own = slice(before, before + response.shape[-1])
    log_gain, drive = (x[:, at].swapaxes(0, 1) for x in (session.log_gain, session.drive))
    around = drive / session.frame_rate_hz
    around[..., own] = 0
    expected = around.copy()
    expected[..., own] = response[shown]
    private = fluctuation((*around.shape[:2], 1 + at.shape[1]), time_constant, rng)
    loading, level = split_level(private, own, time_constant)
    sd = session.cells["private_gain"][:, None]
    spikes = rng.poisson(expected * np.exp(log_gain + sd * private[..., 1:]))
    known = log_gain + sd * (private[..., 1:] - level[..., None] * loading)
    return Stretches(spikes, known, sd * loading, around, response, own)

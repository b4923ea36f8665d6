"""Presentations with planted properties."""

import numpy as np
import pandas as pd

from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.recognition import Session
from glasscortex.analysis.traits import Sums


def presentations(
    sessions: int, per_session: int, responses: np.ndarray, **labels
) -> Presentations:
    """One mouse a session, one block, labels by column; responses (n, units)."""
    session = np.repeat([f"s{i}" for i in range(sessions)], per_session)
    trials = pd.DataFrame({"session_id": session, "mouse": np.char.replace(session, "s", "m")})
    trials["stimulus"], trials["block"] = "drifting_gratings", 0
    return Presentations(trials.assign(**labels), responses.astype(np.float32))


def false_positives(p: np.ndarray, nominal: float = 0.05) -> tuple[float, float]:
    """Rate of p ≤ nominal, and three standard errors of it under the null."""
    return float((p <= nominal).mean()), 3 * np.sqrt(nominal * (1 - nominal) / len(p))


def autoregressive(rng, tau: float, shape: tuple[int, ...], drift: float = 0.0) -> np.ndarray:
    """AR(1) along the second axis with time constant tau, plus a random linear drift."""
    n = shape[1]
    x = rng.normal(size=shape)
    decay = np.exp(-1 / tau)
    for i in range(1, n):
        x[:, i] = decay * x[:, i - 1] + np.sqrt(1 - decay**2) * x[:, i]
    slope = drift * rng.normal(size=(shape[0], 1, *shape[2:]))
    return x + slope * np.linspace(-1, 1, n).reshape(1, n, *[1] * (len(shape) - 2))


STEPS = 4
DIRECTIONS = np.arange(0.0, 360, 45)


def mice_of_lines(
    rng,
    sizes: tuple[int, ...],
    kind: str | None = None,
    effect: float = 1.0,
    units: int = 8,
    running: float = 0.0,
) -> tuple[dict[str, Session], pd.DataFrame]:
    """Sessions of mice whose units respond to gratings, and differ from mouse to mouse.

    Lines differ in the `kind` (rate, tuning or kinetics; None: in nothing) of each unit by so many
    deviations of their mice, and the first of them runs so many deviations more (`running`), which
    all units follow. Half of the variance of rates is common to all units.
    """
    count = 48
    direction = np.tile(DIRECTIONS, count // len(DIRECTIONS))
    preferred = rng.uniform(0, 2 * np.pi, units)
    tuned = np.exp(2 * (np.cos(np.radians(direction)[:, None] - preferred) - 1))
    of_line = {name: np.zeros((len(sizes), units)) for name in ("rate", "tuning", "kinetics")}
    if kind is not None:
        of_line[kind] = effect * rng.normal(size=(len(sizes), units))
    found, rows = {}, []
    for mouse, line in enumerate(np.repeat(np.arange(len(sizes)), sizes)):
        own = {
            name: 0.3 * (values[line] + rng.normal(size=units)) for name, values in of_line.items()
        }
        speed = rng.gamma(0.5, 10 * np.exp(0.4 * (rng.normal() + running * (line == 0))), count)
        rate = np.exp(own["rate"] + 0.3 * rng.normal()) + 0.05 * speed[:, None]
        late = np.linspace(-1, 1, STEPS)[:, None] * np.tanh(own["kinetics"])
        activity = (rate + tuned * np.exp(own["tuning"]))[:, None] * (1 + late)
        activity = (activity + rng.normal(size=activity.shape)).astype(np.float32)
        sums = Sums({"direction": DIRECTIONS})
        sums.add(activity, pd.DataFrame({"direction": direction, "running_speed": speed}))
        found[f"s{mouse}"] = Session.of(sums)
        rows.append({"session_id": f"s{mouse}", "mouse": f"m{mouse}", "cre_line": f"line{line}"})
    return found, pd.DataFrame(rows)

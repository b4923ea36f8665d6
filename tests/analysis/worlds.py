"""Presentations with planted properties."""

import numpy as np
import pandas as pd

from glasscortex.analysis.presentations import Presentations


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

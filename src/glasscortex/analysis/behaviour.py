"""Selectivity for running and pupil, tested over sessions."""

import numpy as np
from jaxtyping import Float

from glasscortex.analysis import effects, nulls
from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.results import TestResult

FEWEST = 10
"""Fewest presentations of one stimulus in one session that are correlated."""

_Series = dict[tuple[str, str], tuple[Float[np.ndarray, "n units"], Float[np.ndarray, " n"]]]
"""By session and stimulus, standardised ranks of the responses and of the trace."""


def of_behaviour(
    presentations: Presentations, variable: str, draws: int, rng: np.random.Generator
) -> TestResult | None:
    """Test against the behaviour of other mice.

    The effect is the absolute mean over sessions of Spearman's correlation within a session,
    itself the mean over stimuli weighted by presentations: neither differences between sessions
    nor between stimuli count. Under the null mice that were shown the same change places: every
    session gets the trace of a session in which the same stimuli were shown, cut to the shorter of
    the two. What traces share by the course of the session, or in one mouse, is thus in the null
    too. A mouse to which no other is alike is left out.

    Parameters
    ----------
    presentations : Presentations
        Those on which the variable was measured, in order of time within sessions and stimuli.
    variable : str
        Column of the trace.
    draws : int
        Exchanges between mice; fewer if there are fewer.
    rng : numpy.random.Generator

    Returns
    -------
    TestResult or None
        None if no two mice were shown the same stimuli in as many sessions.
    """
    series = _series(presentations, variable)
    sessions = sorted({session for session, _ in series})
    owner = dict(
        zip(presentations.trials["session_id"], presentations.trials["mouse"], strict=True)
    )
    stimuli = {s: tuple(sorted(st for other, st in series if other == s)) for s in sessions}
    mice = np.unique([owner[s] for s in sessions], return_inverse=True)[1]
    kinds = np.unique([" ".join(stimuli[s]) for s in sessions], return_inverse=True)[1]
    kept = nulls.exchangeable(mice, kinds) if len(sessions) else np.zeros(0, bool)
    if not kept.any():
        return None
    sessions = [s for s, keep in zip(sessions, kept, strict=True) if keep]
    mice, kinds = np.unique(mice[kept], return_inverse=True)[1], kinds[kept]
    correlations = np.zeros((len(sessions), len(sessions), presentations.responses.shape[1]))
    for i, session in enumerate(sessions):
        partners = np.flatnonzero(kinds == kinds[i])
        names = [sessions[j] for j in partners]
        correlations[i, partners] = _correlations(series, session, names, stimuli[session])
    each = np.arange(len(sessions))
    own = correlations[each, each]
    exchanged = nulls.exchanges(mice, kinds, draws, rng)
    null = np.stack([np.abs(correlations[each, other].mean(axis=0)) for other in exchanged])
    counts = np.bincount(mice)
    without = [np.abs(own[mice != mouse].mean(axis=0)) for mouse in range(len(counts))]
    return TestResult(
        index="spearman",
        replicate="session",
        n=len(sessions),
        effect=np.abs(own.mean(axis=0)),
        null=null,
        p_min=1 / (len(null) + 1),
        without=np.stack(without),
        noise_without=np.sqrt(len(sessions) / (len(sessions) - counts)),
        preferred=np.where(own.mean(axis=0) >= 0, "increasing", "decreasing"),
    )


def _series(presentations: Presentations, variable: str) -> _Series:
    series = {}
    for key, rows in presentations.trials.groupby(
        ["session_id", "stimulus"], sort=True
    ).indices.items():
        trace = presentations.trials[variable].to_numpy()[rows]
        if len(rows) >= FEWEST and trace.std() > 0:
            ranks = effects.standardised_ranks(presentations.responses[rows])
            series[key] = ranks, effects.standardised_ranks(trace)
    return series


def _correlations(
    series: _Series, session: str, partners: list[str], stimuli: tuple[str, ...]
) -> Float[np.ndarray, "partners units"]:
    """Correlation of a session's responses with the trace of each partner."""
    total: np.ndarray | float = 0.0
    weights = np.zeros((len(partners), 1))
    for stimulus in stimuli:
        ranks, _ = series[session, stimulus]
        traces = [series[partner, stimulus][1] for partner in partners]
        lengths = np.array([min(len(ranks), len(trace)) for trace in traces])
        correlations = np.empty((len(partners), ranks.shape[1]))
        for n in np.unique(lengths):
            some = np.flatnonzero(lengths == n)
            cut = np.stack([effects.standardised(traces[j][:n]) for j in some])
            correlations[some] = cut @ effects.standardised(ranks[:n])
        total = total + lengths[:, None] * correlations
        weights += lengths[:, None]
    return total / weights

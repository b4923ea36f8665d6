"""Selectivity for what the animal does, such as running, pupil and choices, over sessions."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64

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
    stimuli: dict[str, tuple[str, ...]] = {}
    for session, stimulus in sorted(series):
        stimuli[session] = (*stimuli.get(session, ()), stimulus)
    exchange = _exchange(presentations, stimuli, draws, rng)
    if exchange is None:
        return None
    sessions, mice, exchanged = exchange
    n_units = presentations.responses.shape[1]
    own, null = np.zeros((len(sessions), n_units)), np.zeros((len(exchanged), n_units))
    for i, session in enumerate(sessions):
        partners, place = np.unique(np.append(exchanged[:, i], i), return_inverse=True)
        names = [sessions[j] for j in partners]
        correlations = _correlations(series, session, names, stimuli[session])
        own[i] = correlations[place[-1]]
        null += correlations[place[:-1]]
    null = np.abs(null / len(sessions))
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


def of_choices(
    presentations: Presentations, variable: str, draws: int, rng: np.random.Generator
) -> TestResult | None:
    """Test classes that the animal sets, such as its choices, against those of other mice.

    The effect is η² of the class, of responses centred within the session. What an animal chooses
    depends on what it chose before, on its bias and on how awake it is, and all of these run
    through the session as its activity does: so choices are not permuted within it. Under the null
    mice change places, as in `of_behaviour`: every session gets the choices of another one, in
    their order, cut to the shorter of the two.

    Parameters
    ----------
    presentations : Presentations
        Those of one stimulus that have the label, in order of time within sessions.
    variable : str
        Column of the label.
    draws : int
        Exchanges between mice; fewer if there are fewer.
    rng : numpy.random.Generator

    Returns
    -------
    TestResult or None
        None if no two mice have sessions in which the label varies.

    References
    ----------
    Harris 2020, "Nonsense correlations in neuroscience" (bioRxiv 2020.11.29.402719).
    """
    trials = presentations.trials
    labels, classes = np.unique(trials[variable], return_inverse=True)
    rows = trials.groupby("session_id", sort=True).indices
    varied = [s for s, own in rows.items() if len(own) >= FEWEST and np.ptp(classes[own]) > 0]
    exchange = _exchange(presentations, dict.fromkeys(varied, ("",)), draws, rng)
    if exchange is None:
        return None
    sessions, mice, exchanged = exchange
    ways = np.vstack([np.arange(len(sessions)), exchanged])
    shape = len(labels), presentations.responses.shape[1]
    sums, counts = np.zeros((len(ways), *shape)), np.zeros((len(ways), len(labels)))
    total, own = np.zeros((len(ways), shape[1])), []
    for i, session in enumerate(sessions):
        responses = presentations.responses[rows[session]].astype(np.float64)
        for j in np.unique(ways[:, i]):
            codes = classes[rows[sessions[j]]][: len(responses)]
            x = responses[: len(codes)] - responses[: len(codes)].mean(axis=0)
            summed = effects.membership(codes, len(labels)) @ x
            drawn = ways[:, i] == j
            sums[drawn] += summed
            counts[drawn] += np.bincount(codes, minlength=len(labels))
            total[drawn] += (x**2).sum(axis=0)
            if i == j:
                own.append((x, codes))
    x, codes = (np.concatenate(parts) for parts in zip(*own, strict=True))
    of_row = np.repeat(mice, [len(part) for _, part in own])
    explained = np.stack([_explained(*draw) for draw in zip(sums, counts, total, strict=True)])
    n_of_mouse = np.bincount(of_row)
    return TestResult(
        index="eta2",
        replicate="session",
        n=len(sessions),
        effect=explained[0],
        null=explained[1:],
        p_min=1 / len(explained),
        without=effects.eta_squared_without(x, codes, of_row),
        noise_without=len(of_row) / (len(of_row) - n_of_mouse),
        preferred=labels[(sums[0] / counts[0][:, None]).argmax(axis=0)],
        observations=x,
        labels=labels[codes],
    )


def _explained(
    sums: Float[np.ndarray, "classes units"],
    counts: Float[np.ndarray, " classes"],
    total: Float[np.ndarray, " units"],
) -> Float[np.ndarray, " units"]:
    """η² over the classes that a draw has."""
    shown = counts > 0
    return effects.share(sums[shown], counts[shown], total)


class _Exchange(NamedTuple):
    """Sessions whose behaviour can be exchanged, and how."""

    sessions: list[str]
    mice: Int64[np.ndarray, " sessions"]
    ways: Int64[np.ndarray, "ways sessions"]
    """The session whose behaviour each gets."""


def _exchange(
    presentations: Presentations,
    stimuli: dict[str, tuple[str, ...]],
    draws: int,
    rng: np.random.Generator,
) -> _Exchange | None:
    """Ways to exchange behaviour between mice that were shown the same, by session; None: none."""
    trials = presentations.trials
    owner = dict(zip(trials["session_id"], trials["mouse"], strict=True))
    sessions = sorted(stimuli)
    mice = np.unique([owner[s] for s in sessions], return_inverse=True)[1]
    kinds = np.unique([" ".join(stimuli[s]) for s in sessions], return_inverse=True)[1]
    kept = nulls.exchangeable(mice, kinds) if len(sessions) else np.zeros(0, bool)
    if not kept.any():
        return None
    sessions = [s for s, keep in zip(sessions, kept, strict=True) if keep]
    mice = np.unique(mice[kept], return_inverse=True)[1]
    return _Exchange(sessions, mice, nulls.exchanges(mice, kinds[kept], draws, rng))


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

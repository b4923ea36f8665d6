"""Selectivity for variables of the stimulus, tested over presentations."""

from itertools import islice

import numpy as np

from glasscortex.analysis import effects, nulls
from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.results import TestResult

PIECE = 5
"""Bins of a piece of a movie's repeat, whose responses change sign together under the null."""

SHORTEST_REPEAT = 0.5
"""A repeat of a movie with fewer bins than this part of the longest one is left out."""


def of_presentations(
    presentations: Presentations, variable: str, draws: int, rng: np.random.Generator
) -> TestResult | None:
    """Test gratings and scenes, whose order was random: labels permuted within session and block.

    Responses are centred within session and block, so that neither differences between sessions
    nor drift count as selectivity.

    Parameters
    ----------
    presentations : Presentations
        Those that have the label.
    variable : str
        Column of the label.
    draws : int
        Permutations.
    rng : numpy.random.Generator

    Returns
    -------
    TestResult or None
        None if there are fewer than two labels.
    """
    labels, classes = np.unique(presentations.trials[variable], return_inverse=True)
    if len(labels) < 2:
        return None
    blocks = presentations.numbered("session_id", "block")
    responses = effects.centred(presentations.responses, blocks)
    mice = presentations.numbered("mouse")
    null = nulls.permuted_eta_squared(responses, classes, blocks, draws, rng)
    return TestResult(
        index="eta2",
        replicate="presentation",
        n=len(classes),
        effect=effects.eta_squared(responses, classes),
        null=null,
        p_min=1 / (len(null) + 1),
        without=effects.eta_squared_without(responses, classes, mice),
        noise_without=_growth(mice),
        preferred=labels[effects.group_means(responses, classes).argmax(axis=0)],
        observations=responses,
        labels=labels[classes],
    )


def of_values(
    presentations: Presentations, variable: str, draws: int, rng: np.random.Generator
) -> TestResult | None:
    """Test values whose order was random: permuted within session and block.

    The effect is the absolute mean over blocks of Spearman's correlation within session and block,
    weighted by presentations.

    Parameters
    ----------
    presentations : Presentations
        Those that have a value.
    variable : str
        Column of the values.
    draws : int
        Permutations.
    rng : numpy.random.Generator

    Returns
    -------
    TestResult or None
        None if no block has two values.
    """
    blocks, mice = presentations.numbered("session_id", "block"), presentations.numbered("mouse")
    values = presentations.trials[variable].to_numpy(np.float64)
    ranks = np.zeros(presentations.responses.shape)
    traces = np.zeros(len(values))
    for rows in effects.rows_of_groups(blocks):
        traces[rows] = effects.standardised_ranks(values[rows])
        ranks[rows] = effects.standardised_ranks(presentations.responses[rows]) * len(rows)
    if not traces.any():
        return None
    counts = np.bincount(mice)
    of_mouse = effects.membership(mice) @ (ranks * traces[:, None])
    null = np.empty((draws, presentations.responses.shape[1]))
    at_once = max(1, nulls.CHUNK // len(traces))
    orders = nulls.permutations(blocks, draws, rng)
    for first in range(0, draws, at_once):
        drawn = np.stack([traces[order] for order in islice(orders, at_once)])
        null[first : first + at_once] = np.abs(drawn @ ranks) / len(traces)
    effect = of_mouse.sum(axis=0)
    left = len(traces) - counts
    with np.errstate(invalid="ignore", divide="ignore"):
        without = np.abs(effect - of_mouse) / left[:, None]
        growth = np.sqrt(len(traces) / left)
    return TestResult(
        index="spearman",
        replicate="presentation",
        n=len(traces),
        effect=np.abs(effect) / len(traces),
        null=null,
        p_min=1 / (len(null) + 1),
        without=without,
        noise_without=growth,
        preferred=np.where(effect >= 0, "increasing", "decreasing"),
    )


def of_movie(
    presentations: Presentations, draws: int, rng: np.random.Generator
) -> TestResult | None:
    """Test a movie, whose frames always follow each other: pieces of repeats change sign.

    The effect is η² of the frame, of responses less the line through their repeat and less the
    mean of their piece of it, about `PIECE` bins long: slow changes do not count. Under the null
    every piece of every repeat has either sign, which leaves its course in time as it is and only
    breaks what repeats have in common.

    Parameters
    ----------
    presentations : Presentations
        Bins of one movie, in order of time within sessions.
    draws : int
        Of signs.
    rng : numpy.random.Generator

    Returns
    -------
    TestResult or None
        None if there are fewer than two repeats, or frames.
    """
    presentations, repeats = _repeats(presentations)
    labels, classes = np.unique(presentations.trials["movie_frame"], return_inverse=True)
    if repeats.max(initial=0) == 0 or len(labels) < 2:
        return None
    number = max(1, len(labels) // PIECE)
    piece = classes * number // len(labels)
    groups = np.unique(repeats * number + piece, return_inverse=True)[1]
    level = effects.centred(presentations.responses, repeats)
    responses = effects.centred(_detrended(level, repeats), groups)
    mice = presentations.numbered("mouse")
    # Of the signs of a piece in all its repeats, half are the others turned round.
    different = 2.0 ** (groups.max() + 1 - number)
    return TestResult(
        index="eta2",
        replicate="presentation",
        n=len(classes),
        effect=effects.eta_squared(responses, classes),
        null=nulls.signed_eta_squared(responses, classes, groups, draws, rng),
        p_min=max(1 / (draws + 1), 1 / different),
        without=effects.eta_squared_without(responses, classes, mice),
        noise_without=_growth(mice),
        preferred=labels[effects.group_means(level, classes).argmax(axis=0)],
        observations=level,
        labels=labels[classes],
    )


def _detrended(responses: np.ndarray, repeats: np.ndarray) -> np.ndarray:
    """Responses, centred within repeats, less the line that fits each repeat best."""
    lengths = np.bincount(repeats)
    place = np.arange(len(repeats)) - (np.cumsum(lengths) - lengths)[repeats]
    time = (place - (lengths[repeats] - 1) / 2)[:, None].astype(responses.dtype)
    sums = effects.membership(repeats) @ np.hstack([responses * time, time**2])
    slopes = sums[:, :-1] / np.maximum(sums[:, -1:], 1)
    return responses - slopes[repeats] * time


def _repeats(presentations: Presentations) -> tuple[Presentations, np.ndarray]:
    """The repeats of a movie that are nearly whole, and the number of each bin's repeat."""
    trials = presentations.trials
    same = (trials[["session_id", "block"]] == trials[["session_id", "block"]].shift()).all(axis=1)
    starts = ~same | (trials["movie_frame"].diff() <= 0)
    repeats = starts.cumsum()
    lengths = repeats.map(repeats.value_counts())
    kept = (lengths >= SHORTEST_REPEAT * lengths.max()).to_numpy()
    return presentations.where(kept), np.unique(repeats[kept], return_inverse=True)[1]


def _growth(mice: np.ndarray) -> np.ndarray:
    """η² of noise is inversely proportional to the number of observations."""
    counts = np.bincount(mice)
    with np.errstate(divide="ignore"):
        return counts.sum() / (counts.sum() - counts)

"""Selectivity for variables of the stimulus, tested over presentations."""

import numpy as np

from glasscortex.analysis import effects, nulls
from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.results import TestResult

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


def of_movie(
    presentations: Presentations, draws: int, rng: np.random.Generator
) -> TestResult | None:
    """Test a movie, whose frames always follow each other: responses shifted in time.

    The effect is η² of the frame in the central half of every repeat; under the null the
    responses of every repeat are shifted by an amount of its own, up to a quarter of the repeat
    and without wrapping round, which leaves slow drifts as they are and only breaks what repeats
    have in common.

    Parameters
    ----------
    presentations : Presentations
        Bins of one movie, in order of time within sessions.
    draws : int
        Random shifts; fewer if there are fewer.
    rng : numpy.random.Generator

    Returns
    -------
    TestResult or None
        None if there are fewer than two repeats, or repeats of fewer than four bins.
    """
    presentations, repeats = _repeats(presentations)
    lengths = np.bincount(repeats)
    reach = lengths.min() // 4 if len(lengths) > 1 else 0
    if reach == 0:
        return None
    labels, classes = np.unique(presentations.trials["movie_frame"], return_inverse=True)
    responses = effects.centred(presentations.responses, repeats)
    shifts = np.unique(rng.integers(-reach, reach + 1, size=(draws, len(lengths))), axis=0)
    none = np.zeros((1, len(lengths)), np.int64)
    null = nulls.shifted_eta_squared(responses, classes, repeats, reach, shifts)
    place = np.arange(len(repeats)) - (np.cumsum(lengths) - lengths)[repeats]
    central = (place >= reach) & (place < lengths[repeats] - reach)
    mice = presentations.numbered("mouse")
    return TestResult(
        index="eta2",
        replicate="presentation",
        n=int(central.sum()),
        effect=nulls.shifted_eta_squared(responses, classes, repeats, reach, none)[0],
        null=null,
        p_min=1 / (len(null) + 1),
        without=effects.eta_squared_without(
            effects.centred(responses[central], repeats[central]),
            np.unique(classes[central], return_inverse=True)[1],
            mice[central],
        ),
        noise_without=_growth(mice[central]),
        preferred=labels[effects.group_means(responses, classes).argmax(axis=0)],
        observations=responses,
        labels=labels[classes],
    )


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

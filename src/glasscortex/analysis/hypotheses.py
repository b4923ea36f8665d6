"""Which variable is tested on which presentations, and how."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from glasscortex.analysis.background import of_background
from glasscortex.analysis.behaviour import of_behaviour, of_choices
from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.results import TestResult
from glasscortex.analysis.stimulus import of_movie, of_presentations, of_values
from glasscortex.config import SelectivityConfig
from glasscortex.tasks import Variable
from glasscortex.words import MOVIES

BACKGROUND_STIMULI = (
    "drifting_gratings",
    "static_gratings",
    "natural_scenes",
    *MOVIES,
    "spontaneous",
)
"""Stimuli on which mice are compared, the first first among those that most mice were shown."""

NOISE = ("locally_sparse_noise", "locally_sparse_noise_4deg", "locally_sparse_noise_8deg")
"""Stimuli on which they are not."""

EVERY_STIMULUS = "all"
"""Stands in the column `stimulus` of variables that are tested on every presentation."""

Measure = Callable[[Presentations, np.random.Generator], TestResult | None]


@dataclass(frozen=True)
class Hypothesis:
    """A variable, the presentations it is tested on, and how.

    Attributes
    ----------
    variable : str
    stimulus : str
        Whose presentations count, or `EVERY_STIMULUS`.
    measure : callable
        The test, given these presentations and a source of random numbers; None if there are too
        few labels or replicates.
    """

    variable: str
    stimulus: str
    measure: Measure

    def presentations(self, split: Presentations) -> Presentations:
        """The presentations of a split that the variable is tested on."""
        return split.of(self.variable, None if self.stimulus == EVERY_STIMULUS else self.stimulus)


def hypotheses(
    splits: Collection[Presentations], sessions: pd.DataFrame, config: SelectivityConfig
) -> Iterator[Hypothesis]:
    """Every variable that all splits can tell something about.

    Orientation on drifting gratings is tested beside direction, of which it is a part: a unit
    selective for a direction has an η² for orientation too. OSI and DSI tell them apart.

    Parameters
    ----------
    splits : collection of Presentations
        Validation and test.
    sessions : pandas.DataFrame
        With session_id and those of the variables of sessions and mice that are known.
    config : SelectivityConfig
    """
    *_, test = splits
    known = test.definitions
    for stimulus in test.trials["stimulus"].unique():
        for name in known.at("stimulus"):
            if all(split.knows(name, stimulus) for split in splits):
                measure: Measure = partial(_stimulus, known.variables[name], config.permutations)
                yield Hypothesis(name, stimulus, measure)
    for task in known.tasks.values():
        if task.variable.level == "behaviour":
            name = task.variable.name
            if all(split.knows(name, task.stimulus) for split in splits):
                measure = partial(_behaviour, task.variable, config.permutations)
                yield Hypothesis(name, task.stimulus or EVERY_STIMULUS, measure)
    stimulus = shared_stimulus([split.trials for split in splits])
    of_session = sessions.set_index("session_id")
    for name in known.at("mouse", "session"):
        if name in of_session:
            is_ranked, draws = known.variables[name].is_ranked, config.mouse_permutations
            measure = partial(_background, of_session[name], draws, is_ranked)
            yield Hypothesis(name, stimulus, measure)


def _stimulus(
    variable: Variable, draws: int, presentations: Presentations, rng: np.random.Generator
) -> TestResult | None:
    if variable.name == "movie_frame":
        return of_movie(presentations, draws, rng)
    of_kind = of_values if variable.is_ranked else of_presentations
    return of_kind(presentations, variable.name, draws, rng)


def _behaviour(
    variable: Variable, draws: int, presentations: Presentations, rng: np.random.Generator
) -> TestResult | None:
    of_kind = of_behaviour if variable.is_ranked else of_choices
    return of_kind(presentations, variable.name, draws, rng)


def _background(
    labels: pd.Series,
    draws: int,
    is_ranked: bool,
    presentations: Presentations,
    rng: np.random.Generator,
) -> TestResult | None:
    return of_background(presentations, labels, draws, rng, is_ranked)


def shared_stimulus(splits: Collection[pd.DataFrame]) -> str:
    """The stimulus that most mice were shown in every split.

    Mice are compared on it alone, so that what they were shown is no difference between them. The
    order of those that as many were shown is that of `BACKGROUND_STIMULI`, and then the alphabet's.

    Parameters
    ----------
    splits : collection of pandas.DataFrame
        Their trials, with the column mouse.
    """

    def mice(stimulus: str) -> int:
        return min(
            trials.loc[trials["stimulus"] == stimulus, "mouse"].nunique() for trials in splits
        )

    *_, test = splits
    others = sorted(set(test["stimulus"]) - {*BACKGROUND_STIMULI, *NOISE})
    return max((*BACKGROUND_STIMULI, *others), key=mice)

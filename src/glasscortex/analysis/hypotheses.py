"""Which variable is tested on which presentations, and how."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from glasscortex.analysis.background import of_background
from glasscortex.analysis.behaviour import of_behaviour
from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.results import TestResult
from glasscortex.analysis.stimulus import of_movie, of_presentations
from glasscortex.config import SelectivityConfig
from glasscortex.tasks import VARIABLES, variables
from glasscortex.words import MOVIES

BACKGROUND_STIMULI = (
    "drifting_gratings",
    "static_gratings",
    "natural_scenes",
    *MOVIES,
    "spontaneous",
)
"""Stimuli on which mice are compared, the first first among those that most mice were shown."""

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
    for stimulus in test.trials["stimulus"].unique():
        for variable in variables("stimulus"):
            if all(split.knows(variable, stimulus) for split in splits):
                measure: Measure = partial(_stimulus, variable, config.permutations)
                yield Hypothesis(variable, stimulus, measure)
    for variable in variables("behaviour"):
        if all(split.knows(variable) for split in splits):
            measure = partial(_behaviour, variable, config.permutations)
            yield Hypothesis(variable, EVERY_STIMULUS, measure)
    stimulus = shared_stimulus([split.trials for split in splits])
    of_session = sessions.set_index("session_id")
    for variable in variables("mouse", "session"):
        if variable in of_session:
            measure = partial(_background, of_session[variable], config.mouse_permutations)
            yield Hypothesis(variable, stimulus, measure)


def _stimulus(
    variable: str, draws: int, presentations: Presentations, rng: np.random.Generator
) -> TestResult | None:
    if variable == "movie_frame":
        return of_movie(presentations, draws, rng)
    return of_presentations(presentations, variable, draws, rng)


def _behaviour(
    variable: str, draws: int, presentations: Presentations, rng: np.random.Generator
) -> TestResult | None:
    return of_behaviour(presentations, variable, draws, rng)


def _background(
    labels: pd.Series, draws: int, presentations: Presentations, rng: np.random.Generator
) -> TestResult | None:
    ordered = VARIABLES[str(labels.name)].kind == "ordered"
    return of_background(presentations, labels, draws, rng, ordered)


def shared_stimulus(splits: Collection[pd.DataFrame]) -> str:
    """The stimulus that most mice were shown in every split; see `BACKGROUND_STIMULI`.

    Mice are compared on it alone, so that what they were shown is no difference between them.

    Parameters
    ----------
    splits : collection of pandas.DataFrame
        Their trials, with the column mouse.
    """

    def mice(stimulus: str) -> int:
        return min(
            trials.loc[trials["stimulus"] == stimulus, "mouse"].nunique() for trials in splits
        )

    return max(BACKGROUND_STIMULI, key=mice)

"""The words of the project: sessions, stimuli, models and baselines.

Names and contents of the sessions follow the Allen Brain Observatory, Visual Coding.
"""

from dataclasses import dataclass
from typing import Literal, get_args

SPLITS = ("train", "validation", "test")

MOVIES = ("natural_movie_one", "natural_movie_two", "natural_movie_three")

StimulusName = Literal[
    "drifting_gratings",
    "static_gratings",
    "natural_scenes",
    "natural_movie_one",
    "natural_movie_two",
    "natural_movie_three",
    "locally_sparse_noise",
    "locally_sparse_noise_4deg",
    "locally_sparse_noise_8deg",
    "spontaneous",
]

ModelName = Literal["trained", "start", "untrained", "shuffled"]

MODELS = get_args(ModelName)
"""The transformer and its controls: its start in closed form, random weights, shuffled labels."""

CELLS = "cells"
"""In the place of a model, where the cells themselves were probed."""

SPELLED = {"cre_line": "Cre line", "depth_um": "depth"}


def in_words(name: str) -> str:
    """Write the name of a column, task, variable or stimulus for readers."""
    return SPELLED.get(name, name.replace("_", " "))


HOOK = r"((latents|attention|mlp)\.\d+|readout)"
"""Regular expression of the places in the transformer that activations are read at."""


@dataclass(frozen=True)
class Baseline:
    """A decoder of one session that the transformer is compared with.

    Attributes
    ----------
    name : str
        In configuration and tables, and that of its module in `glasscortex.decoder.baselines`.
    label : str
        In figures.
    phrase : str
        In a sentence: "better than …".
    is_linear : bool
        Whether it competes for the best linear baseline.
    regresses : bool
        Whether it predicts values, too, or classes alone.
    """

    name: str
    label: str
    phrase: str
    is_linear: bool = False
    regresses: bool = True


BASELINES = {
    baseline.name: baseline
    for baseline in (
        Baseline("linear", "regression", "logistic regression", is_linear=True),
        Baseline("lda", "discriminant", "the linear discriminant", is_linear=True, regresses=False),
        Baseline("mlp", "perceptron", "a multilayer perceptron"),
        Baseline("template", "templates", "template matching", regresses=False),
        Baseline("single", "one session alone", "a transformer of each session alone"),
    )
}


SESSION_STIMULI = {
    "three_session_A": (
        "drifting_gratings",
        "natural_movie_one",
        "natural_movie_three",
        "spontaneous",
    ),
    "three_session_B": ("static_gratings", "natural_scenes", "natural_movie_one", "spontaneous"),
    "three_session_C": (
        "locally_sparse_noise",
        "natural_movie_one",
        "natural_movie_two",
        "spontaneous",
    ),
    "three_session_C2": (
        "locally_sparse_noise_4deg",
        "locally_sparse_noise_8deg",
        "natural_movie_one",
        "natural_movie_two",
        "spontaneous",
    ),
}

SessionType = Literal["three_session_A", "three_session_B", "three_session_C", "three_session_C2"]

"""The words of the project: sessions, stimuli, models and baselines.

Names and contents of the sessions follow the Allen Brain Observatory, Visual Coding.
"""

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

HOOK = r"((latents|attention|mlp)\.\d+|readout)"
"""Regular expression of the places in the transformer that activations are read at."""

BaselineName = Literal["linear", "lda", "mlp", "template", "single"]

BASELINES = get_args(BaselineName)
"""Decoders of one session that the transformer is compared with."""

LINEAR_BASELINES = ("linear", "lda")

CLASSIFIERS_ONLY = ("lda", "template")
"""Baselines that regress nothing."""

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

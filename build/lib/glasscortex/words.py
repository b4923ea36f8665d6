"""The words of the project: session types, stimuli, variables and tasks.

Names and contents of the sessions follow the Allen Brain Observatory, Visual Coding.
"""

from dataclasses import dataclass
from typing import Literal

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

BASELINES = ("linear", "lda", "mlp", "template", "single")
"""Decoders of one session that the transformer is compared with."""

LINEAR_BASELINES = ("linear", "lda")

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

STIMULUS_VARIABLES = {
    "direction": "circular",
    "orientation": "circular",
    "temporal_frequency": "ordered",
    "spatial_frequency": "ordered",
    "phase": "circular",
    "scene": "categorical",
    "movie_frame": "categorical",
}
"""Variables of the stimulus, the label columns of the trials table, and their kind."""

CIRCLE_DEGREES = {"direction": 360.0, "orientation": 180.0, "phase": 1.0}
"""Period of each circular variable in its own unit (phase is in cycles)."""

BEHAVIOUR_VARIABLES = ("running_speed", "pupil")

MOUSE_VARIABLES = ("cre_line",)
SESSION_VARIABLES = ("area", "depth_um")


@dataclass(frozen=True)
class Task:
    """What the decoder predicts: a variable, on the presentations of one stimulus or of all."""

    name: str
    variable: str
    stimulus: str | None
    """None: every presentation on which the variable was measured."""

    @property
    def is_regression(self) -> bool:
        return self.variable in BEHAVIOUR_VARIABLES

    @property
    def is_movie(self) -> bool:
        return self.variable == "movie_frame"


TASKS = {
    task.name: task
    for task in (
        Task("direction", "direction", "drifting_gratings"),
        Task("orientation", "orientation", "drifting_gratings"),
        Task("temporal_frequency", "temporal_frequency", "drifting_gratings"),
        Task("static_orientation", "orientation", "static_gratings"),
        Task("spatial_frequency", "spatial_frequency", "static_gratings"),
        Task("phase", "phase", "static_gratings"),
        Task("scene", "scene", "natural_scenes"),
        Task("movie_one", "movie_frame", "natural_movie_one"),
        Task("movie_two", "movie_frame", "natural_movie_two"),
        Task("movie_three", "movie_frame", "natural_movie_three"),
        Task("running_speed", "running_speed", None),
        Task("pupil", "pupil", None),
    )
}

TaskName = Literal[
    "direction",
    "orientation",
    "temporal_frequency",
    "static_orientation",
    "spatial_frequency",
    "phase",
    "scene",
    "movie_one",
    "movie_two",
    "movie_three",
    "running_speed",
    "pupil",
]

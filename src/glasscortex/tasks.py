"""What the decoder predicts and what a unit can be selective for: one table each.

A new task is one entry in `TASKS`; a new label is one in `VARIABLES`.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Variable:
    """Something that differs between presentations, sessions or mice.

    Attributes
    ----------
    name : column of the trials table, or of sessions.csv
    level : where it varies: a stimulus' presentations, the behaviour beside them, sessions or mice
    kind : how its values compare; those of a circular one repeat with `period`
    unit : of its values, as a reader would write it; "" if there is none
    period : of a circular variable, in its unit
    names : what its values name, where several variables name the same: the direction of a grating
        tells its orientation
    """

    name: str
    level: Literal["stimulus", "behaviour", "session", "mouse"]
    kind: Literal["circular", "ordered", "continuous", "categorical"]
    unit: str = ""
    period: float | None = None
    names: str = ""


VARIABLES = {
    variable.name: variable
    for variable in (
        Variable("direction", "stimulus", "circular", "°", 360.0, names="orientation"),
        Variable("orientation", "stimulus", "circular", "°", 180.0, names="orientation"),
        Variable("temporal_frequency", "stimulus", "ordered", "Hz"),
        Variable("spatial_frequency", "stimulus", "ordered", "cycles/°"),
        Variable("phase", "stimulus", "circular", "cycles", 1.0),
        Variable("scene", "stimulus", "categorical"),
        Variable("movie_frame", "stimulus", "categorical", "bin of the movie"),
        Variable("running_speed", "behaviour", "continuous", "cm/s"),
        Variable("pupil", "behaviour", "continuous"),
        Variable("cre_line", "mouse", "categorical"),
        Variable("area", "session", "categorical"),
        Variable("depth_um", "session", "ordered", "µm"),
    )
}


def variables(*levels: str) -> list[str]:
    """Names of the variables that vary at one of these levels.

    Examples
    --------
    >>> variables("behaviour", "mouse")
    ['running_speed', 'pupil', 'cre_line']
    """
    return [name for name, variable in VARIABLES.items() if variable.level in levels]


@dataclass(frozen=True)
class Task:
    """What the decoder predicts: a variable, on the presentations of one stimulus or of all.

    Attributes
    ----------
    name : in configuration and tables
    variable : name of the `Variable`
    stimulus : None for every presentation on which the variable was measured
    """

    name: str
    variable: str
    stimulus: str | None

    @property
    def column(self) -> str:
        """Column of its labels in the trials table."""
        return f"label_{self.name}"

    @property
    def is_regression(self) -> bool:
        return VARIABLES[self.variable].kind == "continuous"

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


def related(task: str) -> set[str]:
    """The task itself, and others whose labels name the same.

    Examples
    --------
    >>> sorted(related("direction"))
    ['direction', 'orientation', 'static_orientation']
    """
    names = VARIABLES[TASKS[task].variable].names
    same = {other.name for other in TASKS.values() if VARIABLES[other.variable].names == names}
    return same if names else {task}

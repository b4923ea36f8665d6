"""What the decoder predicts and what a unit can be selective for.

`ALLEN` holds the variables and tasks of the Allen Brain Observatory's recordings. A run's own are
added to them (`Definitions.adding`), travel with what was made from them, and are handed to what
has to know them: no table of this module ever changes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["stimulus", "behaviour", "session", "mouse"]

Kind = Literal["circular", "ordered", "continuous", "categorical"]


@dataclass(frozen=True)
class Variable:
    """Something that differs between presentations, sessions or mice.

    Attributes
    ----------
    name : column of the trials table, or of sessions.csv
    level : where it varies: a stimulus' presentations, the behaviour beside them, sessions or mice
    kind : how its values compare; those of a circular one repeat with `period`, those of a
        continuous one are no classes
    unit : of its values, as a reader would write it; "" if there is none
    period : of a circular variable, in its unit
    names : what its values name, where several variables name the same: the direction of a grating
        tells its orientation
    categories : of values that are text, what the label 0, 1, … stands for
    """

    name: str
    level: Level
    kind: Kind
    unit: str = ""
    period: float | None = None
    names: str = ""
    categories: tuple[str, ...] = ()

    @property
    def is_ranked(self) -> bool:
        """Whether units follow it by rank, and do not tell its labels apart."""
        return self.kind == "continuous" or (self.kind == "ordered" and self.level != "stimulus")

    def written(self, label: float, digits: int = 6) -> str:
        """A label as a table or a figure writes it, without the unit.

        Examples
        --------
        >>> ALLEN.variables["phase"].written(0.25)
        '0.25'
        >>> Variable("sound", "stimulus", "categorical", categories=("chirp", "tone")).written(1.0)
        'tone'
        """
        return self.categories[int(label)] if self.categories else f"{label:.{digits}g}"

    def label(self, written: str | float) -> float:
        """The label that `written` wrote.

        Examples
        --------
        >>> Variable("sound", "stimulus", "categorical", categories=("chirp", "tone")).label("tone")
        1.0
        """
        if not self.categories:
            return float(written)
        text = written if isinstance(written, str) else f"{written:g}"
        return float(self.categories.index(text))


@dataclass(frozen=True)
class Task:
    """What the decoder predicts: a variable, on the presentations of one stimulus or of all.

    Attributes
    ----------
    name : in configuration and tables
    variable : what is predicted
    stimulus : None for every presentation on which the variable was measured
    column : of the stimulus table, where its values stand; "" where they are measured beside the
        stimulus, or are the bins of a movie
    blanks : values that stand for no label
    """

    name: str
    variable: Variable
    stimulus: str | None
    column: str = ""
    blanks: tuple[float | str, ...] = ()

    @property
    def is_regression(self) -> bool:
        return self.variable.kind == "continuous"

    @property
    def is_movie(self) -> bool:
        return self.variable.name == "movie_frame"


def label_column(task: str) -> str:
    """Column of a task's labels in the trials table."""
    return f"label_{task}"


@dataclass(frozen=True)
class Definitions:
    """The variables and tasks that are known, by name.

    Attributes
    ----------
    variables : all, those of tasks among them
    tasks : all
    """

    variables: dict[str, Variable]
    tasks: dict[str, Task]

    def adding(self, tasks: Iterable[Task]) -> "Definitions":
        """These and more tasks, with their variables; one of the same name takes its place."""
        tasks = tuple(tasks)
        return Definitions(
            self.variables | {task.variable.name: task.variable for task in tasks},
            self.tasks | {task.name: task for task in tasks},
        )

    @property
    def own(self) -> tuple[Task, ...]:
        """The tasks that Allen's recordings do not have."""
        return tuple(task for name, task in self.tasks.items() if name not in ALLEN.tasks)

    def at(self, *levels: Level, classes: bool | None = None) -> list[str]:
        """Names of the variables that vary at one of these levels.

        Parameters
        ----------
        *levels : str
        classes : bool, optional
            Only those whose values are classes, or only those whose values are not.

        Examples
        --------
        >>> ALLEN.at("behaviour", "mouse")
        ['running_speed', 'pupil', 'cre_line']
        >>> ALLEN.at("stimulus", "behaviour", classes=False)
        ['running_speed', 'pupil']
        """
        return [
            name
            for name, variable in self.variables.items()
            if variable.level in levels
            and (classes is None or classes == (variable.kind != "continuous"))
        ]

    def related(self, task: str) -> set[str]:
        """The task itself, and others whose labels name the same.

        Examples
        --------
        >>> sorted(ALLEN.related("direction"))
        ['direction', 'orientation', 'static_orientation']
        """
        names = self.tasks[task].variable.names
        same = {name for name, other in self.tasks.items() if other.variable.names == names}
        return same if names else {task}


def _allen() -> Definitions:
    gratings = "drifting_gratings", "static_gratings"
    direction = Variable("direction", "stimulus", "circular", "°", 360.0, names="orientation")
    orientation = Variable("orientation", "stimulus", "circular", "°", 180.0, names="orientation")
    movie_frame = Variable("movie_frame", "stimulus", "categorical", "bin of the movie")
    temporal = Variable("temporal_frequency", "stimulus", "ordered", "Hz")
    spatial = Variable("spatial_frequency", "stimulus", "ordered", "cycles/°")
    phase = Variable("phase", "stimulus", "circular", "cycles", 1.0)
    scene = Variable("scene", "stimulus", "categorical")
    tasks = (
        Task("direction", direction, gratings[0], "orientation"),
        Task("orientation", orientation, gratings[0], "orientation"),
        Task("temporal_frequency", temporal, gratings[0], "temporal_frequency"),
        Task("static_orientation", orientation, gratings[1], "orientation"),
        Task("spatial_frequency", spatial, gratings[1], "spatial_frequency"),
        Task("phase", phase, gratings[1], "phase"),
        Task("scene", scene, "natural_scenes", "index", blanks=(-1.0,)),
        Task("movie_one", movie_frame, "natural_movie_one"),
        Task("movie_two", movie_frame, "natural_movie_two"),
        Task("movie_three", movie_frame, "natural_movie_three"),
        Task("running_speed", Variable("running_speed", "behaviour", "continuous", "cm/s"), None),
        Task("pupil", Variable("pupil", "behaviour", "continuous"), None),
    )
    of_recordings = (
        Variable("cre_line", "mouse", "categorical"),
        Variable("area", "session", "categorical"),
        Variable("depth_um", "session", "ordered", "µm"),
    )
    known = Definitions({}, {}).adding(tasks)
    return Definitions(known.variables | {v.name: v for v in of_recordings}, known.tasks)


ALLEN = _allen()
"""Variables and tasks of the Allen Brain Observatory's recordings."""


def in_order(tasks: Iterable[str]) -> list[str]:
    """Tasks as they are shown: Allen's in their order, then others as they come.

    Examples
    --------
    >>> in_order(["contrast", "phase", "direction", "contrast"])
    ['direction', 'phase', 'contrast']
    """
    names = dict.fromkeys(tasks)
    return [*(n for n in ALLEN.tasks if n in names), *(n for n in names if n not in ALLEN.tasks)]

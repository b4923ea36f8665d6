"""Join the sessions' tables of presentations."""

from glasscortex.data import trials as presentations
from glasscortex.stages.arguments import Inputs, Output
from glasscortex.tasks import TaskNames


def combine(
    *,
    parts: Inputs,
    trials: Output,
    tasks: TaskNames,
) -> None:
    """Join the sessions' tables of presentations."""
    presentations.combine(
        parts=parts,
        tasks=tasks,
        out=trials,
    )

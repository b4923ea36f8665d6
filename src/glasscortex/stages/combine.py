"""Join the sessions' tables of presentations."""

import pyarrow as pa
import pyarrow.parquet as pq

from glasscortex.config import TaskNames
from glasscortex.data.definitions import described, merged, recoded
from glasscortex.data.labels import labelled_tasks
from glasscortex.data.trials import schema
from glasscortex.errors import InputError
from glasscortex.files import sealed_write
from glasscortex.stages.arguments import Inputs, Output
from glasscortex.tables import read_definitions, read_trials, write_table


def combine(
    *,
    parts: Inputs,
    trials: Output,
    variables: Output,
    tasks: TaskNames,
) -> None:
    """Join the sessions' tables of presentations, and tell what they are labelled with.

    Parameters
    ----------
    parts : list of Path
        Tables of the sessions.
    trials : Path
        All of them; text has the same labels in all sessions.
    variables : Path
        CSV of the variables and tasks that some presentation has a label of.
    tasks : tuple of str or "all"
        Those that have to be there.

    Raises
    ------
    InputError
        A task, or a variable of the run's own, has not two values in any session's train split.
    """
    of_parts = list(map(read_definitions, parts))
    definitions = merged(of_parts)
    columns = schema(definitions)
    asked = [task.name for task in definitions.own] if tasks == "all" else tasks
    found: set[str] = set()
    with sealed_write(trials) as temporary, pq.ParquetWriter(temporary, columns) as writer:
        for part, known in zip(parts, of_parts, strict=True):
            table = recoded(read_trials(part), known, definitions)
            writer.write_table(pa.Table.from_pandas(table, columns, preserve_index=False))
            found |= labelled_tasks(table, definitions)
        if missing := [task for task in asked if task not in found]:
            raise InputError(
                f"tasks: no session has two classes of {', '.join(missing)} in its train split: "
                "remove it from tasks, or from trials.variables, or select sessions that show it"
            )
    write_table(described(definitions, found), variables)

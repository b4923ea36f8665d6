"""Join the sessions' tables of presentations."""

import pyarrow as pa
import pyarrow.parquet as pq

from glasscortex.config import TaskNames
from glasscortex.data.definitions import described, merged, recoded
from glasscortex.data.labels import labelled_tasks
from glasscortex.data.trials import schema
from glasscortex.errors import InputError
from glasscortex.files import sealed_write
from glasscortex.stages.arguments import Folder, Input, Output
from glasscortex.tables import parts_of_sessions, read_definitions, read_trials, write_table


def combine(
    *,
    sessions: Input,
    parts: Folder,
    trials: Output,
    variables: Output,
    tasks: TaskNames,
) -> None:
    """Join the sessions' tables of presentations, and tell what they are labelled with.

    Parameters
    ----------
    sessions : Path
        Table of sessions.
    parts : Path
        Folder of the presentations of each, `<session>.parquet`; those that are held out are
        left out.
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
    paths = parts_of_sessions(sessions, parts, ".parquet", held_out=[False])
    of_parts = list(map(read_definitions, paths))
    definitions = merged(of_parts)
    columns = schema(definitions)
    asked = [task.name for task in definitions.own] if tasks == "all" else tasks
    found: set[str] = set()
    with sealed_write(trials) as temporary, pq.ParquetWriter(temporary, columns) as writer:
        for part, known in zip(paths, of_parts, strict=True):
            table = recoded(read_trials(part), known, definitions)
            writer.write_table(pa.Table.from_pandas(table, columns, preserve_index=False))
            found |= labelled_tasks(table, definitions)
        if missing := [task for task in asked if task not in found]:
            raise InputError(
                f"tasks: no session has two classes of {', '.join(missing)} in its train split: "
                "remove it from tasks, or from trials.variables, or select sessions that show it"
            )
    write_table(described(definitions, found), variables)

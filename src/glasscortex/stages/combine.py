"""Join the sessions' tables of presentations."""

import pyarrow.parquet as pq

from glasscortex.config import TaskNames
from glasscortex.data.labels import labelled_tasks
from glasscortex.data.trials import SCHEMA
from glasscortex.errors import InputError
from glasscortex.files import sealed_write, verified
from glasscortex.stages.arguments import Inputs, Output


def combine(
    *,
    parts: Inputs,
    trials: Output,
    tasks: TaskNames,
) -> None:
    """Join the sessions' tables of presentations."""
    missing = set() if tasks == "all" else set(tasks)
    with sealed_write(trials) as temporary, pq.ParquetWriter(temporary, SCHEMA) as writer:
        for part in parts:
            table = pq.read_table(verified(part), schema=SCHEMA)
            writer.write_table(table)
            missing -= labelled_tasks(table.to_pandas())
        if missing:
            raise InputError(
                f"tasks: no session has two classes of {', '.join(sorted(missing))} in its "
                "train split: remove it from tasks or select sessions that show its stimulus"
            )

"""Join CSV tables, in the order given."""

from glasscortex import tables
from glasscortex.stages.arguments import Inputs, Output


def concatenate(
    *,
    parts: Inputs,
    table: Output,
) -> None:
    """Join CSV tables, in the order given."""
    tables.concatenate(
        parts=parts,
        out=table,
    )

"""Join CSV tables of one session each, in the order of the table of sessions."""

from glasscortex import tables
from glasscortex.stages.arguments import Folder, Input, Output


def concatenate_sessions(
    *, sessions: Input, parts: Folder, table: Output, held_out: list[bool]
) -> None:
    """Join CSV tables of one session each, in the order of the table of sessions.

    Parameters
    ----------
    sessions : Path
        Table of sessions.
    parts : Path
        Folder of `<session>.csv`.
    table : Path
        All of them.
    held_out : list of bool
        Of which sessions: true of those that are held out, false of the others.
    """
    tables.concatenate(
        parts=tables.parts_of_sessions(sessions, parts, ".csv", held_out=held_out), out=table
    )

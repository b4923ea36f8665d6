"""Join CSV tables of one session each, in the order of the table of sessions."""

from typing import Literal

from glasscortex import tables
from glasscortex.stages.arguments import Folder, Input, Output

Which = Literal["all", "decoded"]
"""Of which sessions: "decoded" leaves out those that are held out."""


def concatenate_sessions(*, sessions: Input, parts: Folder, table: Output, which: Which) -> None:
    """Join CSV tables of one session each, in the order of the table of sessions.

    Parameters
    ----------
    sessions : Path
        Table of sessions.
    parts : Path
        Folder of `<session>.csv`.
    table : Path
        All of them.
    which : str
        "all" sessions, or those that are "decoded", without those that are held out.
    """
    held_out = [False, True] if which == "all" else [False]
    paths = tables.parts_of_sessions(sessions, parts, ".csv", held_out=held_out)
    tables.concatenate(parts=paths, out=table)

"""Hold every decoder against the ideal observer of the simulation."""

from glasscortex.decoder import share as of_limit
from glasscortex.stages.arguments import Input, Output
from glasscortex.tables import read_table, write_table


def share(*, decoding: Input, observer: Input, table: Output) -> None:
    """Hold every decoder against the ideal observer of the simulation."""
    write_table(of_limit.share(read_table(decoding), read_table(observer)), table)

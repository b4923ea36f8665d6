"""Compare the transformer with every baseline over sessions."""

from glasscortex.decoder import compare as comparison
from glasscortex.stages.arguments import Input, Output
from glasscortex.tables import read_table, write_table


def compare(*, decoding: Input, sessions: Input, table: Output) -> None:
    """Compare the transformer with every baseline, and with its own start."""
    mice = read_table(sessions).set_index("session_id")["mouse"]
    write_table(comparison.compare(read_table(decoding), mice), table)

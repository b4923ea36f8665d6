"""Compare the transformer with every baseline over sessions."""

from glasscortex.decoder import compare as comparison
from glasscortex.stages.arguments import Input, Output


def compare(
    *,
    decoding: Input,
    table: Output,
) -> None:
    """Compare the transformer with every baseline over sessions."""
    comparison.compare(
        decoding=decoding,
        out=table,
    )

"""Check a local NWB file, link to it, and write its record."""

from glasscortex.data import nwb as recordings
from glasscortex.stages.arguments import Input, Output


def link(
    *,
    source: Input,
    nwb: Output,
    record: Output,
) -> None:
    """Check a local NWB file, link to it, and write its record."""
    recordings.link(
        source=source,
        record=record,
        target=nwb,
    )

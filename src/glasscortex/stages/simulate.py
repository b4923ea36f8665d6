"""Simulate one session: its NWB file, its ground truth and the file's record."""

from glasscortex.config import SimulateConfig
from glasscortex.data.record import Record
from glasscortex.data.synthetic import simulate as draw
from glasscortex.data.synthetic import write_nwb, write_truth
from glasscortex.files import atomic_write, sealed_write
from glasscortex.stages.arguments import Output


def simulate(
    *,
    session: str,
    nwb: Output,
    truth: Output,
    record: Output,
    config: SimulateConfig,
) -> None:
    """Simulate one session: its NWB file, its ground truth and the file's record."""
    recording, known = draw(session, config)
    with atomic_write(nwb) as temporary:
        write_nwb(temporary, recording)
    with sealed_write(truth) as temporary:
        write_truth(temporary, known)
    Record.of(nwb, session_id=session, source="simulated").write(record)

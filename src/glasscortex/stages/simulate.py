"""Simulate one session: its NWB file, its ground truth and the file's record."""

from glasscortex.config import SimulateConfig
from glasscortex.data import synthetic
from glasscortex.data.record import Record
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
    synthetic.simulate(
        config=config,
        nwb=nwb,
        truth=truth,
        session_id=session,
    )
    Record.of(nwb, session_id=session, source="simulated").write(record)

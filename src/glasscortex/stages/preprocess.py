"""Compute ΔF/F of one session and store it."""

from glasscortex.config import PreprocessConfig
from glasscortex.data import preprocess as dff
from glasscortex.data.nwb import Metadata
from glasscortex.stages.arguments import Input, Output


def preprocess(
    *,
    nwb: Input,
    record: Input,
    session: dict[str, str],
    store: Output,
    quality: Output,
    manifest: Output,
    config: PreprocessConfig,
) -> None:
    """Compute ΔF/F of one session and store it."""
    dff.preprocess(
        nwb=nwb,
        record=record,
        store=store,
        quality=quality,
        manifest=manifest,
        config=config,
        session=Metadata.of_row(session),
    )

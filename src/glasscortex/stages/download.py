"""Download one session of the Allen Brain Observatory from the public bucket."""

from glasscortex.config import AllenConfig
from glasscortex.data import download as downloads
from glasscortex.data.allen.bucket import Object
from glasscortex.data.patience import Tries
from glasscortex.stages.arguments import Folder, Output


def download(
    *,
    session: str,
    cache: Folder,
    nwb: Output,
    record: Output,
    config: AllenConfig,
) -> None:
    """Download one session of the Allen Brain Observatory from the public bucket."""
    kept = cache / f"{session}.nwb"
    downloads.download(
        session_id=session,
        fetch=Object(f"ophys_experiment_data/{session}.nwb", config.base_uri),
        whole=downloads.Noted(session, kept),
        kept=kept,
        nwb=nwb,
        record=record,
        tries=Tries.of("allen", config.model_dump()),
    )

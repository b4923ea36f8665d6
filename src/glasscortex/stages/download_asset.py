"""Download the file of one session from the DANDI archive."""

from functools import partial

from glasscortex.config import DandiConfig
from glasscortex.data.dandi.assets import Archive, Asset
from glasscortex.data.dandi.http import File
from glasscortex.data.download import download
from glasscortex.data.metadata import Metadata
from glasscortex.data.nwb import read_metadata
from glasscortex.errors import InputError
from glasscortex.stages.arguments import Folder, Output


def download_asset(
    *,
    session: str,
    listed: dict[str, str],
    cache: Folder,
    nwb: Output,
    record: Output,
    config: DandiConfig,
) -> None:
    """Download the file of one session from the DANDI archive."""
    archive, asset = Archive.of(config), Asset.of_row(listed)
    kept = cache / str(config.dandiset) / asset.path
    download(
        session_id=session,
        fetch=File(archive.url(asset), asset.bytes, config.stall_s),
        whole=partial(asset.whole, session_id=session),
        kept=kept,
        nwb=nwb,
        record=record,
        tries=archive.tries,
    )
    # Its head was read without a checksum. As text, NaN equals itself.
    if str(read_metadata(kept)) != str(Metadata.of_row(listed)):
        raise InputError(
            f"session {session}: {kept} tells other things than its head did when it was listed: "
            "remove recordings.csv, then run the same command again"
        )

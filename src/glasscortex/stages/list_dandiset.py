"""List the recordings of a dandiset, with what their files tell of who and where."""

from glasscortex.config import DandiConfig
from glasscortex.data.dandi.assets import Archive, assets
from glasscortex.data.dandi.recordings import recordings as read_from
from glasscortex.errors import InputError
from glasscortex.stages.arguments import Output
from glasscortex.tables import write_table


def list_dandiset(
    *,
    recordings: Output,
    config: DandiConfig,
) -> None:
    """List the recordings of a dandiset, with what their files tell of who and where."""
    if config.dandiset is None or config.version is None:
        raise InputError("source dandi needs dandi.dandiset and dandi.version: name both")
    archive = Archive.of(config)
    files = assets(archive, config.dandiset, config.version, config.glob)
    write_table(read_from(archive, files), recordings, float_format=None)

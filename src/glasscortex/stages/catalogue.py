"""Fetch the Allen Brain Observatory's tables of sessions from the public bucket."""

from glasscortex.config import AllenConfig
from glasscortex.data.allen import bucket
from glasscortex.data.transfer import Tries
from glasscortex.stages.arguments import Output


def catalogue(
    *,
    experiments: Output,
    containers: Output,
    config: AllenConfig,
) -> None:
    """Fetch the Allen Brain Observatory's tables of sessions from the public bucket."""
    bucket.catalogue(
        experiments=experiments,
        containers=containers,
        base_uri=config.base_uri,
        tries=Tries(config.attempts, config.backoff_s, config.stall_s),
    )

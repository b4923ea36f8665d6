"""Fetch the Allen Brain Observatory's tables of sessions from the public bucket."""

from glasscortex.config import AllenConfig
from glasscortex.data.allen.bucket import Object
from glasscortex.data.allen.catalogue import rows
from glasscortex.data.patience import Tries
from glasscortex.data.transfer import obtain
from glasscortex.stages.arguments import Output


def catalogue(
    *,
    experiments: Output,
    containers: Output,
    config: AllenConfig,
) -> None:
    """Fetch the Allen Brain Observatory's tables of sessions from the public bucket."""
    for name, path in (("ophys_experiments", experiments), ("experiment_containers", containers)):
        obtain(
            path,
            Object(f"{name}.json", config.base_uri),
            lambda temporary, url: rows(temporary),
            what=f"the table {name}",
            tries=Tries.of("allen", config.model_dump()),
        )

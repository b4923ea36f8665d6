"""List the sessions that the workflow uses."""

from glasscortex.config import Config
from glasscortex.data import select as sessions_of
from glasscortex.files import atomic_write
from glasscortex.stages.arguments import OptionalInput, Output


def select(
    *,
    sessions: Output,
    config: Config,
    experiments: OptionalInput = None,
    containers: OptionalInput = None,
) -> None:
    """List the sessions that the workflow uses."""
    table = sessions_of.select(config, experiments=experiments, containers=containers)
    with atomic_write(sessions) as temporary:
        table.to_csv(temporary, index=False)

"""List the presentations of one session and cut their windows of ΔF/F."""

from glasscortex.config import TrialsConfig
from glasscortex.data.trials import extract
from glasscortex.stages.arguments import Input, Output


def trials(
    *,
    store: Input,
    manifest: Input,
    trials: Output,
    windows: Output,
    config: TrialsConfig,
) -> None:
    """List the presentations of one session and cut their windows of ΔF/F."""
    extract(
        store=store,
        manifest=manifest,
        trials=trials,
        windows=windows,
        config=config,
    )

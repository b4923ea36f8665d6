"""Stream the activations of one hook to a store."""

from glasscortex.dictionaries.activations import record
from glasscortex.stages.arguments import Folder, Input, Output


def activations(
    *,
    decoder: Folder,
    trials: Input,
    windows: Folder,
    hook: str,
    activations: Output,
    manifest: Output,
) -> None:
    """Stream the activations of one hook to a store."""
    record(
        decoder=decoder,
        trials=trials,
        windows=windows,
        hook=hook,
        manifest=manifest,
        out=activations,
    )

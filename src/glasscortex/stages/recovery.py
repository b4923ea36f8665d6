"""Compare units with the ground truth of the simulation."""

from glasscortex.analysis.recovery import recover
from glasscortex.stages.arguments import Folder, Input, Output


def recovery(
    *,
    folder: Folder,
    activations: Input,
    manifest: Input,
    trials: Input,
    sessions: Input,
    truth: Folder,
    table: Output,
    model: str,
    seed: int,
    sae: str,
) -> None:
    """Compare units with the ground truth of the simulation."""
    recover(
        activations=activations,
        manifest=manifest,
        trials=trials,
        sessions=sessions,
        truth=truth,
        model=model,
        seed=seed,
        sae_folder=folder,
        out=table,
        name=sae,
    )

"""Remove selective units and matched random ones, and score the decoding that is left."""

from glasscortex.analysis import ablation
from glasscortex.config import AblationConfig
from glasscortex.stages.arguments import Folder, Input, Output


def ablate(
    *,
    decoder: Folder,
    folder: Folder,
    selectivity: Input,
    activations: Input,
    manifest: Input,
    trials: Input,
    windows: Folder,
    sessions: Input,
    table: Output,
    model: str,
    seed: int,
    sae: str,
    config: AblationConfig,
) -> None:
    """Remove selective units and matched random ones, and score the decoding that is left."""
    ablation.ablate(
        decoder=decoder,
        selectivity=selectivity,
        activations=activations,
        manifest=manifest,
        trials=trials,
        windows=windows,
        sessions=sessions,
        config=config,
        model=model,
        seed=seed,
        sae_folder=folder,
        out=table,
        name=sae,
    )

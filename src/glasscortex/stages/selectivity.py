"""Test what each unit of an autoencoder is selective for."""

from glasscortex.analysis import selectivity as tests
from glasscortex.config import SelectivityConfig
from glasscortex.stages.arguments import Folder, Input, Output


def selectivity(
    *,
    folder: Folder,
    activations: Input,
    manifest: Input,
    trials: Input,
    sessions: Input,
    table: Output,
    model: str,
    seed: int,
    sae: str,
    config: SelectivityConfig,
) -> None:
    """Test what each unit of an autoencoder is selective for."""
    tests.selectivity(
        activations=activations,
        manifest=manifest,
        trials=trials,
        sessions=sessions,
        config=config,
        model=model,
        seed=seed,
        sae_folder=folder,
        out=table,
        name=sae,
    )

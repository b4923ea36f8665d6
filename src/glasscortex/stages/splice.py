"""Score the transformer with the autoencoder spliced in."""

from glasscortex.config import SpliceConfig
from glasscortex.dictionaries import splice as splicing
from glasscortex.stages.arguments import Folder, Input, Output


def splice(
    *,
    decoder: Folder,
    folder: Folder,
    trials: Input,
    windows: Folder,
    table: Output,
    model: str,
    seed: int,
    sae: str,
    config: SpliceConfig,
) -> None:
    """Score the transformer with the autoencoder spliced in."""
    splicing.splice(
        decoder=decoder,
        trials=trials,
        windows=windows,
        config=config,
        model=model,
        seed=seed,
        sae_folder=folder,
        out=table,
        name=sae,
    )

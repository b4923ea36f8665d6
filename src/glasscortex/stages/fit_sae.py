"""Fit a sparse autoencoder and measure it on held-out activations."""

from glasscortex.config import SaeConfig
from glasscortex.dictionaries.fit import fit
from glasscortex.stages.arguments import Folder, Input


def fit_sae(
    *,
    activations: Input,
    manifest: Input,
    folder: Folder,
    model: str,
    seed: int,
    sae: str,
    config: SaeConfig,
) -> None:
    """Fit a sparse autoencoder and measure it on held-out activations."""
    fit(
        activations=activations,
        manifest=manifest,
        folder=folder,
        config=config,
        model=model,
        seed=seed,
        name=sae,
    )

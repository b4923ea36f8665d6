"""Commands of selectivity, ablation, recovery and claims."""

from pathlib import Path
from typing import Annotated

import typer

from glasscortex import config as settings_of
from glasscortex.cli.options import Folder, Given, Made, Settings, Text, Whole, app, parsed


@app.command()
def selectivity(
    sae_folder: Folder,
    activations: Given,
    manifest: Given,
    trials: Given,
    sessions: Given,
    out: Made,
    model: Text,
    seed: Whole,
    name: Text,
    settings: Settings,
) -> None:
    """Test what each unit of an autoencoder is selective for."""
    from glasscortex.analysis.selectivity import selectivity

    selectivity(
        sae_folder=sae_folder,
        activations=activations,
        manifest=manifest,
        trials=trials,
        sessions=sessions,
        out=out,
        config=parsed(settings_of.SelectivityConfig, settings),
        model=model,
        seed=seed,
        name=name,
    )


@app.command()
def ablate(
    decoder: Folder,
    sae_folder: Folder,
    selectivity: Given,
    activations: Given,
    manifest: Given,
    trials: Given,
    windows: Folder,
    sessions: Given,
    out: Made,
    model: Text,
    seed: Whole,
    name: Text,
    settings: Settings,
) -> None:
    """Remove selective units and matched random ones, and score the decoding that is left."""
    from glasscortex.analysis.ablation import ablate

    ablate(
        decoder=decoder,
        sae_folder=sae_folder,
        selectivity=selectivity,
        activations=activations,
        manifest=manifest,
        trials=trials,
        windows=windows,
        sessions=sessions,
        out=out,
        config=parsed(settings_of.AblationConfig, settings),
        model=model,
        seed=seed,
        name=name,
    )


@app.command()
def recovery(
    sae_folder: Folder,
    activations: Given,
    manifest: Given,
    trials: Given,
    sessions: Given,
    truth: Folder,
    out: Made,
    model: Text,
    seed: Whole,
    name: Text,
) -> None:
    """Compare units with the ground truth of the simulation."""
    from glasscortex.analysis.recovery import recover

    recover(
        sae_folder=sae_folder,
        activations=activations,
        manifest=manifest,
        trials=trials,
        sessions=sessions,
        truth=truth,
        out=out,
        model=model,
        seed=seed,
        name=name,
    )


@app.command()
def claims(
    decoding: Given,
    comparison: Given,
    sae: Given,
    splice: Given,
    selectivity: Given,
    ablation: Given,
    sessions: Given,
    out: Made,
    settings: Settings,
    recovery: Annotated[Path | None, typer.Option(help="input, if there is ground truth")] = None,
) -> None:
    """Hold the claims against the tables."""
    from glasscortex.analysis.claims import claims

    claims(
        decoding=decoding,
        comparison=comparison,
        sae=sae,
        splice=splice,
        selectivity=selectivity,
        ablation=ablation,
        recovery=recovery,
        sessions=sessions,
        out=out,
        config=parsed(settings_of.SelectivityConfig, settings),
    )

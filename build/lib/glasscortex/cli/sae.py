"""Commands of the sparse autoencoder."""

from glasscortex import config as settings_of
from glasscortex.cli.options import Folder, Given, Made, Settings, Text, Whole, app, parsed


@app.command()
def activations(
    decoder: Folder, trials: Given, windows: Folder, hook: Text, out: Made, manifest: Made
) -> None:
    """Stream the activations of one hook to a store."""
    from glasscortex.sae.activations import record

    record(decoder=decoder, trials=trials, windows=windows, hook=hook, out=out, manifest=manifest)


@app.command()
def fit_sae(
    activations: Given,
    manifest: Given,
    folder: Made,
    model: Text,
    seed: Whole,
    name: Text,
    settings: Settings,
) -> None:
    """Fit a sparse autoencoder and measure it on held-out activations."""
    from glasscortex.sae.train import fit

    fit(
        activations=activations,
        manifest=manifest,
        folder=folder,
        config=parsed(settings_of.SaeConfig, settings),
        model=model,
        seed=seed,
        name=name,
    )


@app.command()
def splice(
    decoder: Folder,
    sae_folder: Folder,
    trials: Given,
    windows: Folder,
    out: Made,
    model: Text,
    seed: Whole,
    name: Text,
    settings: Settings,
) -> None:
    """Score the transformer with the autoencoder spliced in."""
    from glasscortex.sae.splice import splice

    splice(
        decoder=decoder,
        sae_folder=sae_folder,
        trials=trials,
        windows=windows,
        out=out,
        config=parsed(settings_of.SpliceConfig, settings),
        model=model,
        seed=seed,
        name=name,
    )

"""Commands of the transformer and its baselines."""

from glasscortex import config as settings_of
from glasscortex.cli.options import (
    Folder,
    Given,
    Made,
    Parts,
    Settings,
    Tasks,
    Text,
    Whole,
    app,
    parsed,
    parsed_tasks,
)


@app.command()
def train(
    trials: Given,
    windows: Folder,
    folder: Made,
    checkpoint: Made,
    model: Text,
    seed: Whole,
    tasks: Tasks,
    settings: Settings,
) -> None:
    """Train the transformer, or make one of its controls."""
    from glasscortex.decoder.train import train

    train(
        trials=trials,
        windows=windows,
        folder=folder,
        checkpoint=checkpoint,
        config=parsed(settings_of.DecoderConfig, settings),
        tasks=parsed_tasks(tasks),
        model=model,
        seed=seed,
    )


@app.command()
def evaluate(
    decoder: Folder,
    trials: Given,
    windows: Folder,
    out: Made,
    model: Text,
    seed: Whole,
    threads: Whole,
) -> None:
    """Score a transformer on the held-out splits."""
    from glasscortex.decoder.evaluate import evaluate

    evaluate(
        decoder=decoder,
        trials=trials,
        windows=windows,
        out=out,
        model=model,
        seed=seed,
        threads=threads,
    )


@app.command()
def baselines(
    trials: Given,
    windows: Folder,
    out: Made,
    model: Text,
    tasks: Tasks,
    settings: Settings,
    processes: Whole,
) -> None:
    """Fit and score a simpler decoder of each session and task."""
    from glasscortex.decoder.baselines import baselines

    baselines(
        trials=trials,
        windows=windows,
        out=out,
        model=model,
        config=parsed(settings_of.BaselineConfig, settings),
        tasks=parsed_tasks(tasks),
        processes=processes,
    )


@app.command()
def single(
    trials: Given, windows: Folder, out: Made, tasks: Tasks, settings: Settings, processes: Whole
) -> None:
    """Train and score a transformer of each session alone."""
    from glasscortex.decoder.baselines.single import single

    single(
        trials=trials,
        windows=windows,
        out=out,
        config=parsed(settings_of.DecoderConfig, settings),
        tasks=parsed_tasks(tasks),
        processes=processes,
    )


@app.command()
def adapt(
    trials: Parts,
    decoder: Folder,
    windows: Folder,
    out: Made,
    model: Text,
    seed: Whole,
    settings: Settings,
    scratch: Settings,
    linear: Settings,
    processes: Whole,
) -> None:
    """Adapt a transformer to new sessions, with few repeats of theirs."""
    from glasscortex.decoder.adapt import adapt

    adapt(
        decoder=decoder,
        trials=trials,
        windows=windows,
        out=out,
        config=parsed(settings_of.AdaptConfig, settings),
        scratch=parsed(settings_of.DecoderConfig, scratch),
        linear=parsed(settings_of.BaselineConfig, linear),
        model=model,
        seed=seed,
        processes=processes,
    )


@app.command()
def compare(decoding: Given, out: Made) -> None:
    """Compare the transformer with every baseline over sessions."""
    from glasscortex.decoder.compare import compare

    compare(decoding=decoding, out=out)

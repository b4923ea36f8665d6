"""Commands from recordings to trials."""

import json

import typer

from glasscortex import config as settings_of
from glasscortex.cli.options import (
    Given,
    Made,
    Parts,
    Settings,
    Tasks,
    Text,
    app,
    parsed,
    parsed_tasks,
)


@app.command()
def schema() -> None:
    """Print the JSON schema of the configuration."""
    typer.echo(json.dumps(settings_of.Config.model_json_schema(), indent=2))


@app.command()
def select(out: Made, settings: Settings) -> None:
    """List the sessions that the workflow uses."""
    from glasscortex.data.select import select
    from glasscortex.files import whole

    sessions = select(parsed(settings_of.Config, settings))
    with whole(out) as temporary:
        sessions.to_csv(temporary, index=False)


@app.command()
def simulate(session: Text, nwb: Made, truth: Made, settings: Settings) -> None:
    """Simulate one session: its NWB file and its ground truth."""
    from glasscortex.data.synthetic import simulate

    simulate(
        session_id=session,
        config=parsed(settings_of.SimulateConfig, settings),
        nwb=nwb,
        truth=truth,
    )


@app.command()
def link(source: Given, target: Made) -> None:
    """Check a local NWB file and link to it."""
    from glasscortex.data.nwb import link

    link(source=source, target=target)


@app.command()
def preprocess(nwb: Given, store: Made, manifest: Made, settings: Settings) -> None:
    """Compute ΔF/F of one session and store it."""
    from glasscortex.data.preprocess import preprocess

    preprocess(
        nwb=nwb,
        store=store,
        manifest=manifest,
        config=parsed(settings_of.PreprocessConfig, settings),
    )


@app.command()
def trials(store: Given, manifest: Given, trials: Made, windows: Made, settings: Settings) -> None:
    """List the presentations of one session and cut their windows of ΔF/F."""
    from glasscortex.data.trials import extract

    extract(
        store=store,
        manifest=manifest,
        trials=trials,
        windows=windows,
        config=parsed(settings_of.TrialsConfig, settings),
    )


@app.command()
def combine(parts: Parts, out: Made, tasks: Tasks) -> None:
    """Join the sessions' tables of presentations."""
    from glasscortex.data.trials import combine

    combine(parts=parts, out=out, tasks=parsed_tasks(tasks))

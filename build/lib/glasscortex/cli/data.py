"""Commands from recordings to trials."""

import json
from pathlib import Path
from typing import Annotated

import typer

from glasscortex import config as settings_of
from glasscortex.cli.options import (
    Folder,
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
def catalogue(experiments: Made, containers: Made, settings: Settings) -> None:
    """Fetch the Allen Brain Observatory's tables of sessions from the public bucket."""
    from glasscortex.data.allen.bucket import catalogue

    config = parsed(settings_of.AllenConfig, settings)
    catalogue(
        experiments=experiments,
        containers=containers,
        base_uri=config.base_uri,
        tries=_tries(config),
    )


@app.command()
def select(
    out: Made,
    settings: Settings,
    experiments: Annotated[Path | None, typer.Option(help="input, for source allen")] = None,
    containers: Annotated[Path | None, typer.Option(help="input, for source allen")] = None,
) -> None:
    """List the sessions that the workflow uses."""
    from glasscortex.data.select import select
    from glasscortex.files import whole

    config = parsed(settings_of.Config, settings)
    sessions = select(config, experiments=experiments, containers=containers)
    with whole(out) as temporary:
        sessions.to_csv(temporary, index=False)


@app.command()
def download(session: Text, cache: Folder, nwb: Made, record: Made, settings: Settings) -> None:
    """Download one session of the Allen Brain Observatory from the public bucket."""
    from glasscortex.data.allen.bucket import Object
    from glasscortex.data.download import download

    config = parsed(settings_of.AllenConfig, settings)
    download(
        session_id=session,
        fetch=Object(f"ophys_experiment_data/{session}.nwb", config.base_uri),
        cache=cache,
        nwb=nwb,
        record=record,
        tries=_tries(config),
    )


@app.command()
def simulate(session: Text, nwb: Made, truth: Made, record: Made, settings: Settings) -> None:
    """Simulate one session: its NWB file, its ground truth and the file's record."""
    from glasscortex.data.record import Record
    from glasscortex.data.synthetic import simulate

    simulate(
        session_id=session,
        config=parsed(settings_of.SimulateConfig, settings),
        nwb=nwb,
        truth=truth,
    )
    Record.of(nwb, session_id=session, source="simulated").write(record)


@app.command()
def link(source: Given, target: Made, record: Made) -> None:
    """Check a local NWB file, link to it, and write its record."""
    from glasscortex.data.nwb import link

    link(source=source, target=target, record=record)


@app.command()
def preprocess(
    nwb: Given,
    record: Given,
    session: Annotated[str, typer.Option(help="row of sessions.csv, as JSON")],
    store: Made,
    quality: Made,
    manifest: Made,
    settings: Settings,
) -> None:
    """Compute ΔF/F of one session and store it."""
    from glasscortex.data.nwb import Metadata
    from glasscortex.data.preprocess import preprocess

    preprocess(
        nwb=nwb,
        record=record,
        session=Metadata.of_row(json.loads(session)),
        store=store,
        quality=quality,
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


def _tries(config: settings_of.AllenConfig):
    from glasscortex.data.transfer import Tries

    return Tries(config.attempts, config.backoff_s, config.stall_s)

"""`glasscortex <stage> …`: parse, call one function, nothing else.

Heavy imports stand inside the commands, so that a command loads only what it needs.
"""

import json
import logging
import sys
import time
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import TypeAdapter, ValidationError

from glasscortex import config as settings_of
from glasscortex.errors import InputError

app = typer.Typer(
    help=__doc__.splitlines()[0],
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

figure = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(figure, name="figure", help="Draw one of the figures.")

Part = TypeVar("Part", bound=settings_of.Part)

Given = Annotated[Path, typer.Option(help="input")]
Folder = Annotated[Path, typer.Option(help="input folder")]
Made = Annotated[Path, typer.Option(help="output")]
Text = Annotated[str, typer.Option()]
Whole = Annotated[int, typer.Option()]
Parts = Annotated[list[Path], typer.Argument(help="inputs, in order")]
Tasks = Annotated[str, typer.Option(help="names of the tasks, or all, as JSON")]
Settings = Annotated[str, typer.Option(help="this stage's part of the configuration, as JSON")]


def main() -> None:
    """Run the command line; bad input ends in one line and exit status 1."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    try:
        app()
    except InputError as error:
        sys.exit(f"error: {error}")


def _parsed(model: type[Part], settings: str) -> Part:
    try:
        return model.model_validate_json(settings)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise InputError(f"--settings of {model.__name__}: {'; '.join(faults)}") from None


def _tasks(text: str) -> tuple[str, ...] | str:
    return TypeAdapter(settings_of.Config.model_fields["tasks"].annotation).validate_json(text)


@app.command()
def schema() -> None:
    """Print the JSON schema of the configuration."""
    typer.echo(json.dumps(settings_of.Config.model_json_schema(), indent=2))


@app.command()
def select(out: Made, settings: Settings) -> None:
    """List the sessions that the workflow uses."""
    from glasscortex.data.select import select
    from glasscortex.files import whole

    sessions = select(_parsed(settings_of.Config, settings))
    with whole(out) as temporary:
        sessions.to_csv(temporary, index=False)


@app.command()
def simulate(session: Text, nwb: Made, truth: Made, settings: Settings) -> None:
    """Simulate one session: its NWB file and its ground truth."""
    from glasscortex.data.synthetic import simulate

    simulate(
        session_id=session,
        config=_parsed(settings_of.SimulateConfig, settings),
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
        config=_parsed(settings_of.PreprocessConfig, settings),
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
        config=_parsed(settings_of.TrialsConfig, settings),
    )


@app.command()
def combine(parts: Parts, out: Made, tasks: Tasks) -> None:
    """Join the sessions' tables of presentations."""
    from glasscortex.data.trials import combine

    combine(parts=parts, out=out, tasks=_tasks(tasks))


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
        config=_parsed(settings_of.DecoderConfig, settings),
        tasks=_tasks(tasks),
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
def baselines(trials: Given, windows: Folder, out: Made, tasks: Tasks, settings: Settings) -> None:
    """Fit and score the linear decoder of each session and task."""
    from glasscortex.decoder.baselines import baselines

    baselines(
        trials=trials,
        windows=windows,
        out=out,
        config=_parsed(settings_of.BaselineConfig, settings),
        tasks=_tasks(tasks),
    )


@app.command()
def compare(decoding: Given, out: Made) -> None:
    """Compare the transformer with the linear baseline over sessions."""
    from glasscortex.decoder.compare import compare

    compare(decoding=decoding, out=out)


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
        config=_parsed(settings_of.SaeConfig, settings),
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
        config=_parsed(settings_of.SpliceConfig, settings),
        model=model,
        seed=seed,
        name=name,
    )


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
        config=_parsed(settings_of.SelectivityConfig, settings),
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
        config=_parsed(settings_of.AblationConfig, settings),
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
        config=_parsed(settings_of.SelectivityConfig, settings),
    )


@app.command()
def concatenate(parts: Parts, out: Made) -> None:
    """Join CSV tables, in the order given."""
    from glasscortex.tables import concatenate

    concatenate(out=out, parts=parts)


@figure.command("decoding")
def figure_decoding(decoding: Given, splice: Given, svg: Made, png: Made) -> None:
    """Draw what each decoder reads, task by task."""
    from glasscortex.figures.decoding import decoding_figure
    from glasscortex.figures.style import save

    save(decoding_figure(decoding=decoding, splice=splice), svg, png)


@figure.command("selectivity")
def figure_selectivity(
    selectivity: Given,
    sae_folder: Folder,
    activations: Given,
    manifest: Given,
    trials: Given,
    sessions: Given,
    svg: Made,
    png: Made,
) -> None:
    """Draw what the most selective units stand for."""
    from glasscortex.figures.selectivity import selectivity_figure
    from glasscortex.figures.style import save

    drawn = selectivity_figure(
        selectivity=selectivity,
        sae_folder=sae_folder,
        activations=activations,
        manifest=manifest,
        trials=trials,
        sessions=sessions,
    )
    save(drawn, svg, png)


@figure.command("ablation")
def figure_ablation(ablation: Given, svg: Made, png: Made) -> None:
    """Draw what is lost with the units of each variable."""
    from glasscortex.figures.ablation import ablation_figure
    from glasscortex.figures.style import save

    save(ablation_figure(ablation=ablation), svg, png)


@figure.command("controls")
def figure_controls(selectivity: Given, svg: Made, png: Made) -> None:
    """Draw the selectivity of trained and control decoders side by side."""
    from glasscortex.figures.controls import controls_figure
    from glasscortex.figures.style import save

    save(controls_figure(selectivity=selectivity), svg, png)


@app.command()
def timings(
    benchmarks: Annotated[Path, typer.Argument()], since: Annotated[float, typer.Option()]
) -> None:
    """Print where the time of a run went."""
    from glasscortex.timings import timings

    typer.echo(timings(benchmarks=benchmarks, since=since, now=time.time()))

"""Commands that join tables, draw figures and sum up times."""

import time
from pathlib import Path
from typing import Annotated

import typer

from glasscortex.cli.options import Folder, Given, Made, Parts, app

figure = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(figure, name="figure", help="Draw one of the figures.")


@app.command()
def concatenate(parts: Parts, out: Made) -> None:
    """Join CSV tables, in the order given."""
    from glasscortex.tables import concatenate

    concatenate(out=out, parts=parts)


@figure.command("quality")
def figure_quality(quality: Given, svg: Made, png: Made) -> None:
    """Draw how good the recordings are, session by session."""
    from glasscortex.figures.quality import quality_figure
    from glasscortex.figures.style import save

    save(quality_figure(quality=quality), svg, png)


@figure.command("session")
def figure_session(nwb: Given, store: Given, manifest: Given, quality: Given, png: Made) -> None:
    """Draw one session, to look at before it is trusted."""
    from glasscortex.figures.session import session_figure
    from glasscortex.figures.style import save_png

    drawn = session_figure(quality=quality, store=store, manifest=manifest, nwb=nwb)
    save_png(drawn, png)


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


@figure.command("training")
def figure_training(history: Given, svg: Made, png: Made) -> None:
    """Draw the loss of each decoder, epoch by epoch."""
    from glasscortex.figures.style import save
    from glasscortex.figures.training import training_figure

    save(training_figure(history=history), svg, png)


@figure.command("adaptation")
def figure_adaptation(adaptation: Given, svg: Made, png: Made) -> None:
    """Draw what is read from new sessions, with ever more repeats."""
    from glasscortex.figures.adaptation import adaptation_figure
    from glasscortex.figures.style import save

    save(adaptation_figure(adaptation=adaptation), svg, png)


@app.command()
def timings(
    benchmarks: Annotated[Path, typer.Argument()], since: Annotated[float, typer.Option()]
) -> None:
    """Print where the time of a run went."""
    from glasscortex.timings import timings

    typer.echo(timings(benchmarks=benchmarks, since=since, now=time.time()))

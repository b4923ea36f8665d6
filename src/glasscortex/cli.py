"""`glasscortex <stage> …`: parse, call one function, nothing else.

Commands follow from the signatures in `glasscortex.stages`; only the stage that is called is
imported.
"""

import csv
import errno
import functools
import importlib
import json
import logging
import os
import re
import sys
from collections.abc import Callable
from datetime import datetime
from inspect import signature as signature_of
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import typer
from pydantic import TypeAdapter, ValidationError
from typer.core import TyperGroup

from glasscortex import config
from glasscortex.errors import InputError
from glasscortex.files import atomic_write, verified
from glasscortex.logs import log_to_stderr
from glasscortex.run.crate import METADATA, write_crate
from glasscortex.run.provenance import mismatches, record
from glasscortex.run.verdicts import confirmation as confirmed
from glasscortex.run.verdicts import summarised
from glasscortex.workflow import dashed, stage_names, summary

logger = logging.getLogger(__name__)

FULL = (errno.ENOSPC, errno.EDQUOT)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


def _application(**options: Any) -> typer.Typer:
    return typer.Typer(
        add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, **options
    )


class Stages(TyperGroup):
    """A command a stage, made when it is asked for."""

    def list_commands(self, ctx) -> list[str]:
        return sorted([*super().list_commands(ctx), *map(dashed, stage_names())])

    def get_command(self, ctx, cmd_name: str):
        name = cmd_name.replace("-", "_")
        if name not in stage_names():
            return super().get_command(ctx, cmd_name)
        stage = getattr(importlib.import_module(f"glasscortex.stages.{name}"), name)
        alone = _application()
        alone.command(cmd_name, help=summary(name))(command(stage))
        return typer.main.get_command(alone)

    def format_commands(self, ctx, formatter) -> None:
        with formatter.section("Commands"):
            own = sorted(self.commands.items())
            formatter.write_dl([(name, each.get_short_help_str(100)) for name, each in own])
        with formatter.section("Stages"):
            formatter.write_dl([(dashed(name), summary(name)) for name in stage_names()])


app = _application(cls=Stages, no_args_is_help=True)
imports = _application(no_args_is_help=True)
app.add_typer(imports, name="import", help="Make an NWB 2 file of another program's results.")


@app.callback()
def glasscortex() -> None:
    """Run one stage on files, as the workflow does."""


@app.command()
def schema() -> None:
    """Print the JSON schema of the configuration."""
    typer.echo(json.dumps(config.Config.model_json_schema(), indent=2))


@app.command()
def verdicts(claims: Annotated[Path, typer.Argument(help="table of claims")]) -> None:
    """Print every claim of a run, over its seeds, as a table in Markdown."""
    typer.echo(summarised(_rows(claims)))


@app.command()
def confirmation(
    claims: Annotated[Path, typer.Argument(help="table of claims")],
    confirming: Annotated[Path, typer.Argument(help="that of recordings never used before")],
    page: Annotated[Path, typer.Option(help="file to write, in Markdown")],
) -> None:
    """Write which claims of a run hold on recordings that nothing was tuned on."""
    with atomic_write(page) as temporary:
        temporary.write_text(confirmed(_rows(claims), _rows(confirming)))


def _rows(claims: Path) -> list[dict[str, str]]:
    with verified(claims).open(newline="") as file:
        return list(csv.DictReader(file))


@app.command()
def verify(results: Annotated[Path, typer.Argument(help="folder of a run's results")]) -> None:
    """Tell which results are not what their records say they were made from, and by what."""
    checked, faults = mismatches(results)
    for fault in faults:
        typer.echo(fault)
    if not checked:
        raise InputError(f"{results} holds no record of how a file was made: is it the right one?")
    told = f"{len(faults)} faults" if faults else "all are as they were made"
    typer.echo(f"checked {checked} files: {told}")
    raise typer.Exit(code=bool(faults))


@app.command()
def crate(
    results: Annotated[Path, typer.Argument(help="folder of a run's results")],
    out: Annotated[Path, typer.Argument(help="folder to make")],
    license: Annotated[str, typer.Option(help="address of the licence of the results")],
    published: Annotated[
        datetime,
        typer.Option(formats=["%Y-%m-%d"], default_factory=datetime.now, help="date, else today"),
    ],
) -> None:
    """Copy results into a folder to deposit, which tells what made each from what (RO-Crate)."""
    number = write_crate(results, out, license=license, published=published.date())
    typer.echo(f"{out}: {number} files, described in {METADATA}")


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(help="recording (*.nwb, *.zarr), or folder of them")],
) -> None:
    """Tell what is in recordings, what can be decoded, what looks odd, and how to go on."""
    from glasscortex.inspection import inspection

    typer.echo(inspection(path))


Stimuli = Annotated[Path, typer.Option(help="CSV: what was shown when, with columns of its own")]
About = Annotated[
    Path | None, typer.Option(help="YAML: who, where, when; else session.yaml beside the stimuli")
]
Behaviour = Annotated[
    list[Path],
    typer.Option(
        default_factory=list,
        show_default=False,
        help="CSV: time, and running_speed, pupil or both; may be repeated",
    ),
]
FrameTimes = Annotated[Path | None, typer.Option(help="CSV: time of each imaging frame, seconds")]
Made = Annotated[Path | None, typer.Option(help="file to write; else the session's id, here")]


@imports.command()
def suite2p(
    folder: Annotated[Path, typer.Argument(help="suite2p's results, with plane0 in them")],
    stimuli: Stimuli,
    behaviour: Behaviour,
    session: About = None,
    frame_times: FrameTimes = None,
    nwb: Made = None,
) -> None:
    """Make an NWB 2 file of what suite2p found, and tell what is in it."""
    from glasscortex.data.imports import suite2p

    _import(suite2p.read, folder, stimuli, behaviour, session, frame_times, nwb)


@imports.command()
def caiman(
    file: Annotated[Path, typer.Argument(help="CaImAn's results (*.hdf5)")],
    stimuli: Stimuli,
    behaviour: Behaviour,
    session: About = None,
    frame_times: FrameTimes = None,
    nwb: Made = None,
) -> None:
    """Make an NWB 2 file of what CaImAn found, and tell what is in it."""
    from glasscortex.data.imports import caiman

    _import(caiman.read, file, stimuli, behaviour, session, frame_times, nwb)


def _import(read: Callable[[Path], Any], source: Path, *tables: Any) -> None:
    from glasscortex.imported import imported
    from glasscortex.inspection import inspection

    typer.echo(inspection(imported(read, source, *tables)))


def command(stage: Callable[..., None]) -> Callable[..., None]:
    """A stage as a command: what is neither a path, a word nor a number is read from JSON."""
    signature = signature_of(stage, eval_str=True)
    parameters = {
        name: parameter.replace(annotation=_option(name, parameter.annotation))
        for name, parameter in signature.parameters.items()
    }

    def call(**arguments: Any) -> None:
        # HDF5 writes as its objects are let go of, and cannot raise what fails then. Typer has a
        # hook of its own, set before.
        sys.excepthook = _unhandled
        sys.unraisablehook = lambda failed: _unhandled(failed.exc_type, failed.exc_value, None)
        stage(**arguments)
        record(stage, arguments)

    vars(call)["__signature__"] = signature.replace(parameters=list(parameters.values()))
    return call


def _option(name: str, annotation: Any) -> Any:
    if annotation in (str, int, float):
        return Annotated[annotation, typer.Option()]
    if get_origin(annotation) is Annotated and isinstance(
        get_args(annotation)[1], typer.models.ParameterInfo
    ):
        return annotation
    parser = functools.partial(_from_json, name, annotation)
    return Annotated[Any, typer.Option(parser=parser, metavar="JSON")]


def _from_json(name: str, kind: Any, text: str) -> Any:
    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        faults = (
            ": ".join(filter(None, [".".join(map(str, fault["loc"])), fault["msg"]]))
            for fault in error.errors()
        )
        raise InputError(
            f"--{dashed(name)} of {getattr(kind, '__name__', 'JSON')}: {'; '.join(faults)}"
        ) from None


def main() -> None:
    """Run the command line; bad input ends in one line and exit status 1."""
    log_to_stderr()
    if job := os.environ.get("SLURM_JOB_ID"):
        logger.info("job %s of Slurm, on %s", job, os.environ.get("SLURMD_NODENAME"))
    try:
        app()
    except InputError as error:
        sys.exit(f"error: {error}")
    except (OSError, MemoryError, RuntimeError) as error:
        _end_if_told(error)
        raise


def _unhandled(kind, error, trace) -> None:
    """Print what nobody caught; end at once where the machine is full or forbids."""
    _end_if_told(error)
    sys.__excepthook__(kind, error, trace)


def _end_if_told(error: BaseException) -> None:
    """End the process with a line; return for faults of our own.

    At once, since closing an HDF5 file that could not be written crashes, or looks as if it had
    been. What the stage wrote has no final name yet.
    """
    if line := _told(error):
        print(f"error: {line}", file=sys.stderr, flush=True)
        os._exit(1)


def _told(error: BaseException) -> str | None:
    """The line on a machine that is full or that forbids; None for faults of our own."""
    said = str(error).splitlines()[0] if str(error) else "memory is full"
    if getattr(error, "errno", None) in FULL or "no space left on device" in str(error).lower():
        where = getattr(error, "filename", None)
        said = "No space left on device" + (f": {where!r}" if where else "")
        return f"{said}: free some space, or give results on another disk"
    if getattr(error, "errno", None) in FORBIDDEN:
        return f"{said}: change its permissions, or give another folder"
    if isinstance(error, MemoryError) or re.search("(out of|allocate) memory", said.lower()):
        remedy = "lower the sizes or threads of this stage, or use a machine with more memory"
        return f"{said}: {remedy}"
    return None

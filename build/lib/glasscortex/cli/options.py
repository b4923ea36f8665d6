"""The application that commands join, and how their options are written and read."""

from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import TypeAdapter, ValidationError

from glasscortex import config as settings_of
from glasscortex.errors import InputError

app = typer.Typer(
    help="`glasscortex <stage> …`: parse, call one function, nothing else.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Part = TypeVar("Part", bound=settings_of.Part)

Given = Annotated[Path, typer.Option(help="input")]
Folder = Annotated[Path, typer.Option(help="input folder")]
Made = Annotated[Path, typer.Option(help="output")]
Text = Annotated[str, typer.Option()]
Whole = Annotated[int, typer.Option()]
Parts = Annotated[list[Path], typer.Argument(help="inputs, in order")]
Tasks = Annotated[str, typer.Option(help="names of the tasks, or all, as JSON")]
Settings = Annotated[str, typer.Option(help="this stage's part of the configuration, as JSON")]


def parsed(model: type[Part], settings: str) -> Part:
    """A stage's settings, checked.

    Raises
    ------
    InputError
        One line that names each faulty key.
    """
    try:
        return model.model_validate_json(settings)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise InputError(f"--settings of {model.__name__}: {'; '.join(faults)}") from None


def parsed_tasks(text: str) -> tuple[str, ...] | str:
    """The names of the tasks, or "all"."""
    kind = TypeAdapter(settings_of.Config.model_fields["tasks"].annotation)
    try:
        return kind.validate_json(text)
    except ValidationError:
        raise InputError(
            f'--tasks {text}: give "all", or a list of names of tasks, as JSON'
        ) from None

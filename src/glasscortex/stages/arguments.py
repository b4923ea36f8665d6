"""How the arguments of a stage are marked: for the command line, and for the rule that calls it.

A rule names what a stage takes as the stage does: an `Input` or `Inputs` among its input, an
`Output` among its output, a `Folder` and everything that is JSON (parts of the configuration,
say) among its params, `Threads` as its threads, and plain words and numbers as its wildcards.
"""

from pathlib import Path
from typing import Annotated

import typer


def _given(path: str) -> Path | None:
    """No path where the rule has none."""
    return Path(path) if path else None


Input = Annotated[Path, typer.Option(help="file or folder to read")]
OptionalInput = Annotated[
    Path | None, typer.Option(help="the same, or nothing", parser=_given, metavar="PATH")
]
Inputs = Annotated[list[Path], typer.Argument(help="files to read, in order")]
Output = Annotated[Path, typer.Option(help="file or folder to write")]
Folder = Annotated[Path, typer.Option(help="folder, of whose files the rule names each")]
Threads = Annotated[int, typer.Option(help="threads or processes")]

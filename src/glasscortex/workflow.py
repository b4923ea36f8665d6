"""What the workflow asks of the code: the command line of a stage, and the files it is made of.

Modules are read and not run, so that the Snakefile, which asks for all of them, imports none.
"""

import ast
import functools
import pkgutil
from pathlib import Path

from glasscortex import stages

PACKAGE = Path(__file__).parent

SUPPORT = ("arguments", "presented")
"""Modules of `stages` that are none."""

OWN_CODE = {"figure": "figures.{figure}", "baselines": "decoder.baselines.{baseline}"}
"""The module that a stage imports by the name that it is given."""

PLACES = {
    "Input": "input",
    "OptionalInput": "input",
    "Inputs": "input",
    "Output": "output",
    "str": "wildcards",
    "int": "wildcards",
}
"""Where a rule keeps an argument of each kind; see `glasscortex.stages.arguments`."""


def stage_names() -> list[str]:
    """Names of all stages."""
    return [m.name for m in pkgutil.iter_modules(stages.__path__) if m.name not in SUPPORT]


def file_of(module: str) -> Path:
    """The file of a module or package, named from within glasscortex.

    Examples
    --------
    >>> file_of("stages.train").name, file_of("config").name
    ('train.py', '__init__.py')
    """
    path = PACKAGE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@functools.cache
def function(module: str, name: str) -> ast.FunctionDef:
    """The definition of a function at the top of a module.

    Raises
    ------
    LookupError
        There is none.
    """
    for node in ast.parse(file_of(module).read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
    raise LookupError(f"{file_of(module)} has no function {name}")


def arguments(module: str, name: str) -> dict[str, str]:
    """The keyword arguments of a function and their annotations, as they are written.

    Examples
    --------
    >>> arguments("stages.concatenate", "concatenate")
    {'parts': 'Inputs', 'table': 'Output'}
    """
    return {
        argument.arg: ast.unparse(argument.annotation) if argument.annotation else ""
        for argument in function(module, name).args.kwonlyargs
    }


def summary(stage: str) -> str:
    """What a stage does, in a sentence.

    Examples
    --------
    >>> summary("concatenate")
    'Join CSV tables, in the order given.'
    """
    documented = ast.get_docstring(function(f"stages.{stage}", stage)) or ""
    return documented.split("\n\n")[0].replace("\n", " ")


def command(stage: str, program: str = "python -m glasscortex") -> str:
    """The shell command of a stage, as a rule of Snakemake fills it in.

    Examples
    --------
    >>> command("concatenate")
    'python -m glasscortex concatenate {input.parts:q} --table={output.table:q}'
    """
    words = [program, dashed(stage)]
    for argument, kind in arguments(f"stages.{stage}", stage).items():
        value = f"{PLACES.get(kind, 'params')}.{argument}:q" if kind != "Threads" else "threads"
        words.append(("" if kind == "Inputs" else f"--{dashed(argument)}=") + f"{{{value}}}")
    return " ".join(words)


@functools.cache
def sources(*modules: str) -> list[Path]:
    """The files of these modules and of all in the package that they import.

    `glasscortex.config` is left out: it holds values only, and a stage gets its own as arguments.
    """
    found, waiting = set(), list(modules)
    while waiting:
        path = file_of(waiting.pop())
        if path in found or not path.is_file() or PACKAGE / "config" in path.parents:
            continue
        found.add(path)
        waiting += _imported(path)
    return sorted(found)


@functools.cache
def _imported(path: Path) -> list[str]:
    """What of the package a file imports: modules, and names that may be modules."""
    imported = []
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
        imported += [n.removeprefix("glasscortex.") for n in names if "glasscortex." in n]
    return imported


def dashed(name: str) -> str:
    """A name as options and commands spell it.

    Examples
    --------
    >>> dashed("fit_sae")
    'fit-sae'
    """
    return name.replace("_", "-")

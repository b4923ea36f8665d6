"""What a result was made from, in a hidden file beside it, and whether that still holds."""

import functools
import hashlib
import inspect
import json
import os
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from glasscortex import __version__
from glasscortex.errors import InputError
from glasscortex.files import READ, WRITTEN, atomic_write, known_sha256, sha256
from glasscortex.local import recording_sha256
from glasscortex.stages.arguments import (
    Folder,
    Input,
    Inputs,
    OptionalInput,
    Output,
    Threads,
)
from glasscortex.workflow import OWN_CODE, PACKAGE, sources

Record = dict[str, Any]

PATHS = (Input, Inputs, OptionalInput, Output, Folder)
KEYS = {"stage", "glasscortex", "commit", "code", "settings", "inputs", "sha256"}
"""Of a record."""
ALIKE = ("model", "seed", "session", "session_id")
"""Arguments in which jobs of a stage differ though their settings should not."""


def record(stage: Callable[..., None], arguments: Mapping[str, Any]) -> None:
    """Write beside every file that a stage made what it was made from.

    Paths are relative to the file's folder, so that results can be moved. Files in folders that
    have a manifest are known by that, a recording that is a Zarr folder by all of its files, and
    links and their targets by the record of a raw file.

    Parameters
    ----------
    stage : callable
        A function of `glasscortex.stages` that has just run in this process.
    arguments : mapping
        What it was called with.
    """
    kinds = inspect.signature(stage, eval_str=True).parameters
    given = {name: value for name, value in arguments.items() if value is not None}
    paths = [name for name in given if kinds[name].annotation in PATHS]
    settings = {
        name: TypeAdapter(kinds[name].annotation).dump_python(value, mode="json")
        for name, value in given.items()
        if name not in paths and kinds[name].annotation != Threads
    }
    made = sorted(set(_files(WRITTEN)))
    read = dict(READ)
    for name in paths:
        if kinds[name].annotation in (Input, Inputs, OptionalInput):
            inputs = given[name] if kinds[name].annotation == Inputs else [given[name]]
            files = [path for path in inputs if path.is_file()]
            read |= {path: recording_sha256(path, known_sha256) for path in files}
    about = {
        "stage": stage.__name__,
        "glasscortex": __version__,
        "commit": commit(),
        "code": digest_of_code(stage.__name__, settings),
        "settings": settings,
    }
    for path in made:
        inputs = {_from(path, file): digest for file, digest in read.items() if file not in made}
        with atomic_write(record_of(path)) as temporary:
            text = json.dumps(
                {**about, "inputs": dict(sorted(inputs.items())), "sha256": known_sha256(path)},
                indent=1,
            )
            temporary.write_text(text + "\n")


def mismatches(results: Path) -> tuple[int, list[str]]:
    """What in a folder of results does not match the records of how it was made.

    Parameters
    ----------
    results : Path
        Folder of a run's results.

    Returns
    -------
    tuple of int and list of str
        The number of files with a record or a manifest, and a line for each that

        - has other bytes than it was written with,
        - was made from an input that is missing or has changed since,
        - was made by other code than this, or
        - was made with other settings than another file of its stage,

        or that is a table or a figure without a record.
    """
    from glasscortex.data.store import verify  # and with it zarr, which other commands do without

    digest = functools.cache(recording_sha256)
    faults, checked, settings = [], 0, defaultdict(list)
    for path, about in records(results):
        checked += 1
        if not about:
            faults.append(f"{path}: its record is damaged")
            continue
        faults += [f"{path}: {fault}" for fault in _faults(path, about, digest)]
        own = {name: value for name, value in about["settings"].items() if name not in ALIKE}
        words = {name: value for name, value in own.items() if isinstance(value, str)}
        settings[about["stage"], json.dumps(words)].append((path, own))
    for alike in settings.values():
        first, common = alike[0]
        for path, own in alike[1:]:
            if differing := sorted(name for name in own if own[name] != common.get(name)):
                faults.append(f"{path}: {', '.join(differing)} differs from that of {first}")
    for manifest in sorted(results.rglob("*.manifest.json")):
        store = manifest.with_name(manifest.name.replace(".manifest.json", ".zarr"))
        checked += 1
        try:
            verify(store, manifest)
        except InputError as error:
            faults.append(f"{store}: {error}")
    for folder, suffixes in (("tables", (".csv",)), ("figures", (".svg", ".png"))):
        for path in sorted((results / folder).rglob("*")):
            if path.suffix in suffixes and not record_of(path).exists():
                faults.append(f"{path}: nothing is known of how it was made")
    return checked, faults


def _faults(path: Path, about: Record, digest: Callable[[Path], str]) -> Iterator[str]:
    if digest(path) != about["sha256"]:
        yield "is not as it was written"
    for name, expected in about["inputs"].items():
        source = Path(os.path.normpath(path.parent / name))
        if not source.is_file():
            yield f"its input {source} is missing"
        elif digest(source) != expected:
            yield f"its input {source} has changed since"
    if about["code"] != digest_of_code(about["stage"], about["settings"]):
        by = about["commit"] or f"version {about['glasscortex']}"
        yield f"was made by other code of the stage {about['stage']} ({by})"


def records(results: Path) -> Iterator[tuple[Path, Record]]:
    """The files in a folder that have a record, and it: stage, version, settings, inputs, SHA-256.

    An empty one where it is damaged.
    """
    for own in sorted(results.rglob(".*.provenance.json")):
        path = own.with_name(own.name[1:].removesuffix(".provenance.json"))
        if path.is_file():
            try:
                about = json.loads(own.read_text())
                whole = about.keys() >= KEYS
            except (ValueError, AttributeError):
                whole = False
            yield path, about if whole else {}


def record_of(path: Path) -> Path:
    """The hidden file that tells what a result was made from."""
    return path.with_name(f".{path.name}.provenance.json")


def digest_of_code(stage: str, settings: Mapping[str, Any]) -> str | None:
    """SHA-256 of the code of a stage; None where this version has no such stage."""
    own = [OWN_CODE[stage].format(**settings)] if stage in OWN_CODE else []
    return _digest_of_modules(f"stages.{stage}", *own)


@functools.cache
def _digest_of_modules(*modules: str) -> str | None:
    files = sources(*modules)
    parts = [[path.relative_to(PACKAGE).as_posix(), sha256(path)] for path in files]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest() if parts else None


def commit() -> str | None:
    """The commit of the code that runs, "-dirty" if it was changed; None where git knows none."""
    ours = _git("ls-files", "__init__.py")  # not of a repository that it is merely installed in
    described = ("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    return _git(*described) if ours else None


def _git(*arguments: str) -> str | None:
    try:
        told = subprocess.run(
            ["git", *arguments],
            cwd=PACKAGE,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            capture_output=True,
            text=True,
        )
    except OSError:
        return None
    return told.stdout.strip() or None


def _files(written: list[Path]) -> Iterator[Path]:
    """The files under these names: of folders those that were sealed, by their final names."""
    for path in written:
        if path.is_dir():
            for seal in path.glob(".*.sha256"):
                yield path / seal.name[1:].removesuffix(".sha256")
        elif path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            yield path


def _from(path: Path, file: Path) -> str:
    return Path(os.path.relpath(file, path.parent)).as_posix()

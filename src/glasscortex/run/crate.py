"""Results as a crate for depositing: files, and what made each of them from what.

A crate is a folder with a file `ro-crate-metadata.json` that describes the others, as RO-Crate 1.1
(https://w3id.org/ro/crate/1.1) and its profile for runs of workflows with all their steps
(https://w3id.org/ro/wfrun/provenance/0.5) have it.
"""

import hashlib
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from pathlib import Path, PurePosixPath
from posixpath import dirname, normpath
from typing import Any
from urllib.parse import quote

from glasscortex import __version__
from glasscortex.errors import InputError
from glasscortex.files import atomic_write, sha256
from glasscortex.local import ZARR_GROUP
from glasscortex.run.provenance import Record, mismatches, records
from glasscortex.workflow import PACKAGE, summary

Reference = dict[str, str]
"""To something that a crate describes."""

METADATA = "ro-crate-metadata.json"
CONFIGURATION = "configuration.json"
WORKFLOW = "Snakefile"
CODE = (WORKFLOW, "config.yaml", "envs", "workflow", "src/glasscortex")
BROWSER = "results/browser/"
SHOWN = ("results/tables/", "results/figures/", "results/report.html")
"""What a run is made for."""
LEFT_OUT = (".nwb", ".h5")
"""Recordings and what is cut out of them, known in a crate by their SHA-256."""
CRATE = "https://w3id.org/ro/crate/1.1"
CONTEXT = [f"{CRATE}/context", "https://w3id.org/ro/terms/workflow-run/context"]
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
SNAKEMAKE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
FORMATS = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".py": "text/x-python",
    ".svg": "image/svg+xml",
    ".yaml": "application/yaml",
}
ABOUT = (
    "Tables, figures, decoders and dictionaries, the workflow that made them, and what each was "
    "made from. Recordings are not in it, nor what is cut out of them: their SHA-256 tells which "
    "they are."
)


def write_crate(results: Path, out: Path, *, license: str, published: date) -> int:
    """Copy the results of a whole run, and the workflow, into a folder that describes itself.

    Parameters
    ----------
    results : Path
        Folder of a run's results.
    out : Path
        Folder to make.
    license : str
        Address of the licence under which the results are published.
    published : date
        When they are.

    Returns
    -------
    int
        Number of files that are described.

    Raises
    ------
    InputError
        The run has not ended, its results are not as they were made, or one of the arguments
        cannot be used.
    """
    if not license.startswith(("http://", "https://")):
        example = "https://spdx.org/licenses/CC-BY-4.0"
        raise InputError(f"--license {license}: give the address of a licence, such as {example}")
    if os.path.lexists(out):
        raise InputError(f"{out} is there already: remove it, or give another folder")
    root = PACKAGE.parents[1]
    if not (root / WORKFLOW).is_file():
        raise InputError(f"{root} has no {WORKFLOW}: run glasscortex from a copy of its repository")
    made = _whole_run(results)
    with atomic_write(out) as crate:
        for name in CODE:
            _copy(root / name, crate / name)
        for name in made:
            if not name.endswith(LEFT_OUT):
                _copy(results / name, crate / "results" / name)
        settings = json.dumps(made["report.html"]["settings"]["config"], indent=1)
        (crate / CONFIGURATION).write_text(settings + "\n")
        files = {
            path.relative_to(crate).as_posix(): sha256(path)
            for path in sorted(crate.rglob("*"))
            if path.is_file()
        }
        _copy(results / "browser", crate / BROWSER)
        graph = _described(files, made, license, published)
        text = json.dumps({"@context": CONTEXT, "@graph": graph}, indent=1)
        (crate / METADATA).write_text(text + "\n")
    return len(files)


def _whole_run(results: Path) -> dict[str, Record]:
    """The records of all files that a run made, by their way from the results."""
    made = {path.relative_to(results).as_posix(): about for path, about in records(results)}
    if "report.html" not in made:
        raise InputError(f"{results} has no report of a whole run: run the workflow to its end")
    if faults := mismatches(results)[1]:
        raise InputError(
            f"{faults[0]}, and {len(faults) - 1} more faults: run the workflow again "
            f"(`glasscortex verify {results}` tells of all)"
        )
    return made


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(source, target, ignore=ignored, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)


class Graph:
    """What is described, each once; a reference is had by describing, so that none leads nowhere.

    Attributes
    ----------
    entities : dict of str to dict
        By their identifier.
    """

    def __init__(self) -> None:
        self.entities: dict[str, dict[str, Any]] = {}

    def add(self, own: str, kind: str | list[str], /, **properties: Any) -> Reference:
        """Describe something, or more of it, by its own identifier; the reference to it."""
        for name, value in properties.items():
            if isinstance(value, list) and len(value) == 1:
                properties[name] = value[0]
        self.entities.setdefault(own, {"@id": own}).update({"@type": kind, **properties})
        return {"@id": own}

    def add_file(self, path: str, digest: str) -> Reference:
        """Describe a file of the crate."""
        name = PurePosixPath(path)
        form = FORMATS.get(name.suffix, "application/octet-stream")
        return self.add(quote(path), "File", name=name.name, sha256=digest, encodingFormat=form)


def _described(
    files: Mapping[str, str], made: Mapping[str, Record], license: str, published: date
) -> list[dict[str, Any]]:
    """The graph of a crate.

    Parameters
    ----------
    files : mapping of str to str
        SHA-256 of the files of the crate, by their way from it.
    made : mapping of str to dict
        Records, by the file's way from the results.
    license, published
        As of `write_crate`.
    """
    graph = Graph()
    inside = {name: graph.add_file(name, digest) for name, digest in files.items()}

    jobs, stages, recordings = _describe_jobs(graph, inside, made)
    workflow = graph.add(
        WORKFLOW,
        ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        name="glasscortex",
        version=__version__,
        programmingLanguage=graph.add(SNAKEMAKE, "ComputerLanguage", name="Snakemake"),
        hasPart=stages,
    )
    browser = graph.add(BROWSER, "Dataset", name="pages of all units and sessions")
    run = graph.add(
        "#run",
        "CreateAction",
        name="run of the workflow",
        description=f"snakemake --cores all --configfile {CONFIGURATION}",
        instrument=workflow,
        object=[inside[CONFIGURATION], *recordings],
        result=[*(inside[name] for name in inside if name.startswith(SHOWN)), browser],
    )
    profiles = [
        graph.add(name, "CreativeWork", name=title, version=name.rpartition("/")[2])
        for name, title in PROFILES.items()
    ]
    root = graph.add(
        "./",
        "Dataset",
        name="Results of glasscortex",
        description=ABOUT,
        datePublished=published.isoformat(),
        license=graph.add(license, "CreativeWork", name=license.rpartition("/")[2]),
        conformsTo=profiles,
        mainEntity=workflow,
        hasPart=[*inside.values(), browser],
        mentions=[run, *jobs],
    )
    specification = graph.add(CRATE, "CreativeWork", name="RO-Crate", version="1.1")
    graph.add(METADATA, "CreativeWork", about=root, conformsTo=[specification, profiles[-1]])
    return list(graph.entities.values())


def _describe_jobs(
    graph: Graph, inside: Mapping[str, Reference], made: Mapping[str, Record]
) -> tuple[list[Reference], list[Reference], list[Reference]]:
    """Describe what made each file from what.

    Returns
    -------
    tuple of lists
        References to the jobs, to the stages that they ran, and to what no job made.
    """

    def file(name: str, digest: str) -> Reference:
        if f"results/{name}" in inside:
            return inside[f"results/{name}"]
        recording = name.removesuffix(f"/{ZARR_GROUP}")
        known = {"name": PurePosixPath(recording).name, "sha256": digest}
        about = "a file that is not in this crate"
        return graph.add(f"#sha256-{digest}", "CreativeWork", description=about, **known)

    jobs, stages, read, written = [], {}, dict[str, Reference](), set()
    for (stage, settings, inputs), names in _jobs(made).items():
        stages[stage] = graph.add(
            f"src/glasscortex/stages/{stage}.py",
            ["File", "SoftwareSourceCode"],
            name=stage,
            description=summary(stage),
            version=__version__,
        )
        objects = [file(name, digest) for name, digest in inputs]
        results = [file(name, made[name]["sha256"]) for name in names]
        read |= {reference["@id"]: reference for reference in objects}
        written |= {reference["@id"] for reference in results}
        setting = f"#settings-{hashlib.sha256(settings.encode()).hexdigest()}"
        objects.append(graph.add(setting, "PropertyValue", name="settings", value=settings))
        by = made[names[0]]
        jobs.append(
            graph.add(
                f"#job-{quote(names[0])}",
                "CreateAction",
                name=stage,
                description=f"glasscortex {by['glasscortex']}, commit {by['commit'] or 'unknown'}",
                instrument=stages[stage],
                object=objects,
                result=results,
            )
        )
    recordings = [reference for name, reference in read.items() if name not in written]
    return jobs, list(stages.values()), recordings


def _jobs(
    made: Mapping[str, Record],
) -> dict[tuple[str, str, tuple[tuple[str, str], ...]], list[str]]:
    """What was made together: by stage, settings as JSON, and inputs with their SHA-256."""
    jobs = defaultdict(list)
    for name, about in made.items():
        inputs = {normpath(f"{dirname(name)}/{path}"): d for path, d in about["inputs"].items()}
        settings = json.dumps(about["settings"], sort_keys=True)
        jobs[about["stage"], settings, tuple(sorted(inputs.items()))].append(name)
    return jobs

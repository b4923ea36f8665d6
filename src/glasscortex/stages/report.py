"""Write the report of a run."""

import json
import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from glasscortex import __version__
from glasscortex.browser import report as parts
from glasscortex.data.definitions import variables_of
from glasscortex.figures.captions import CAPTIONS
from glasscortex.files import atomic_write
from glasscortex.run.timings import stage_times
from glasscortex.stages.arguments import Folder, Input, Output
from glasscortex.tables import read_table

PACKAGES = ("torch", "numpy", "pandas", "scipy", "scikit-learn", "zarr", "snakemake")
"""Whose versions are told, if they are there."""


def report(
    *,
    claims: Input,
    quality: Input,
    sae: Input,
    selectivity: Input,
    sessions: Input,
    variables: Input,
    folder: Folder,
    benchmarks: Folder,
    page: Output,
    names: list[str],
    config: dict[str, Any],
) -> None:
    """Write the report of a run.

    Parameters
    ----------
    claims, quality, sae, selectivity, sessions, variables : Path
        Tables.
    folder : Path
        Of the figures.
    benchmarks : Path
        Folder of Snakemake's benchmark files, by which it is told what took how long.
    page : Path
        The HTML to write.
    names : list of str
        Figures, in order.
    config : dict
        The whole configuration.
    """
    rows = read_table(sae)
    fits = rows[rows["split"] == "test"].sort_values(["model", "seed"], kind="stable")
    columns = ["model", "seed", "sae", "hook", "architecture", "width", "l0", "fvu"]
    known = variables_of(read_table(variables))
    times = stage_times(benchmarks)
    used: list[list[parts.Cell]] = [[t.stage, t.jobs, t.seconds, t.cpu, t.memory] for t in times]
    sums = (sum(getattr(t, name) for t in times) for name in ("jobs", "seconds", "cpu"))
    svgs = {name: (folder / f"{name}.svg").read_bytes() for name in names}
    browser = '<p><a href="browser/index.html{}">All {}, in the browser.</a></p>'
    sections = [
        ("Claims", parts.claims(read_table(claims))),
        ("Figures", parts.figures(svgs, CAPTIONS)),
        (
            "Units to look at",
            browser.format("", "units") + parts.units(read_table(selectivity), known),
        ),
        (
            "Recordings",
            browser.format("#table=sessions", "sessions")
            + parts.recordings(read_table(sessions), read_table(quality)),
        ),
        ("Dictionaries, on test", parts.table(columns, fits[columns].to_numpy().tolist())),
        (
            "Time and memory",
            parts.table(
                ["stage", "jobs", "seconds", "CPU s", "max MB"], [*used, ["all", *sums, None]]
            ),
        ),
        (
            "Software, machine, configuration",
            parts.table(["", ""], _machine())
            + parts.details("The whole configuration", json.dumps(config, indent=1)),
        ),
    ]
    title = f"glasscortex: {config['source']} recordings, seeds {config['seeds']}"
    with atomic_write(page) as temporary:
        Path(temporary).write_text(parts.page(title, sections), encoding="utf-8")


def _machine() -> list[list[str]]:
    """Versions, and the machine that the report was written on."""
    rows = [["glasscortex", __version__], ["Python", platform.python_version()]]
    for package in PACKAGES:
        try:
            rows.append([package, version(package)])
        except ImportError:
            continue
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    rows.append(["system", f"{platform.system()} {platform.release()}, {platform.machine()}"])
    rows.append(["cores and memory", f"{os.cpu_count()}, {memory:.0f} GiB"])
    if shutil.which("nvidia-smi"):
        asked = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        gpus = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split("\n")
        rows += [["GPU", gpu] for gpu in gpus if gpu]
    return rows

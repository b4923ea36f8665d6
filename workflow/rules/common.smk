"""The checked configuration, and what every rules file shares."""

import csv
import functools
import json
import os
import shlex
import sys
import time
from pathlib import Path

STARTED = time.time()
SRC = Path(workflow.basedir, "src")
if set("{}<>:") & set(str(SRC)):
    sys.exit(
        f"error: {SRC.parent}: Snakemake or PYTHONPATH would read one of {{ }} < > : in it: move it"
    )

# The code that runs is the code beside this Snakefile, in this interpreter or in a rule's conda
# environment (whose activation comes after PATH is set here, and clears PYTHONPATH). Files are
# UTF-8 in any locale.
sys.path.insert(0, str(SRC))
os.environ.update(
    PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}", PYTHONUTF8="1"
)
shell.prefix(f"set -euo pipefail; export PYTHONPATH={shlex.quote(str(SRC))}; ")

from snakemake.exceptions import WorkflowError

from glasscortex.config import validated
from glasscortex.config.yaml_keys import check_keys
from glasscortex.errors import InputError
from glasscortex.figures.captions import CAPTIONS
from glasscortex.files import verified
from glasscortex.local import entrance, recordings_in, version_of
from glasscortex.run.place import check_place
from glasscortex.run.resume import go_on_after_a_kill, record_where_jobs_run
from glasscortex.run.slurm import (
    refuse_jobs_whose_end_is_never_told,
    wait_where_slurm_does_not_answer,
)
from glasscortex.run.terminal import show_progress
from glasscortex.words import BASELINES, HOOK, MODELS
from glasscortex.workflow import arguments, command, sources

try:
    for path in workflow.configfiles:
        check_keys(path)
    CONFIG = validated(config)
    if workflow.is_main_process:
        DRY_RUN = workflow.output_settings.dryrun
        check_place(CONFIG.results, workflow.storage_settings, dry_run=DRY_RUN)
        RUNNING = go_on_after_a_kill(dry_run=DRY_RUN)
except InputError as error:
    sys.exit(f"error: {error}")

if workflow.is_main_process:
    show_progress(workflow, CONFIG)
    refuse_jobs_whose_end_is_never_told()
    wait_where_slurm_does_not_answer()
elif workflow.remote_exec:
    record_where_jobs_run()

SEEDS = CONFIG.seeds
SIMULATED = CONFIG.source == "simulated"
ALLEN = CONFIG.source == "allen"
DANDI = CONFIG.source == "dandi"
OPENED = [sae for sae in CONFIG.sae if sae not in CONFIG.bases]
OF_CELLS_TOO = ["probing", "recognition"]
OF_BASES_TOO = ["sae", *OF_CELLS_TOO] + ["recovery"] * SIMULATED
OF_TRAINED = ["ablation", "steering", "interactions", "reuse"]
SAE_TABLES = [*OF_BASES_TOO, "splice", "selectivity", "tuning", *OF_TRAINED]
TABLES = ["quality", "history", "decoding", "confusion", "comparison"]
TABLES += ["observer", "share"] * SIMULATED
TABLES += ["variables", *SAE_TABLES, "dictionaries", "rivals", "claims"]
STABILITY_TABLES = ["stability", "consensus"] * (len(SEEDS) > 1)
TABLES += STABILITY_TABLES
FIGURES = ["quality", "training", "decoding", "dictionaries", "selectivity", "recognition"]
FIGURES += ["ablation", "controls"]
OF_SESSIONS = {"quality": "all", "observer": "decoded"}  # parts of which, see the stage
if CONFIG.select.held_out:
    TABLES.append("adaptation")
    FIGURES.append("adaptation")


def code(*modules):
    """The source files of a stage: it runs again when one of them changes."""
    return [os.path.relpath(path) for path in sources(*modules)]


def stage(name, **options):
    """The shell command of a stage: all it says goes to the log, warnings and errors also on."""
    return f"{command(name, **options)} 2>&1 | tee {{log:q}} | sed -u '\\, INFO ,d' >&2"


def by_attempt(amount):
    """Resource: so much, and as much again at every retry of a job that a cluster ended for it."""
    return lambda wildcards, attempt: amount * attempt


def sessions():
    """The rows of sessions.csv by session, once it is there."""
    table = CONFIG.results / "sessions.csv"
    until = workflow.dag_settings.until
    if until and "select" not in until and not table.exists():  # Snakemake would do nothing
        raise WorkflowError(f"--until needs {table}: run `snakemake --until select` first")
    checkpoints.select.get()
    return listed(table, table.stat().st_mtime_ns)


@functools.cache
def listed(table, changed):
    """The rows of a table by session, read once, because every job asks for them."""
    try:
        with open(verified(table)) as file:
            return {row["session_id"]: row for row in csv.DictReader(file)}
    except InputError as error:
        raise WorkflowError(str(error)) from None


def of_sessions(pattern, held_out=(False,)):
    """Input function: the pattern's file of every session that is not, or is, held out."""
    return lambda wildcards: expand(
        pattern,
        session=[name for name, row in sessions().items() if row["held_out"] in map(str, held_out)],
    )


def of_session(pattern):
    """Input function: the pattern's file of the rule's session, asked for once sessions.csv is there.

    Without it, a target of one session waits for the checkpoint only after its inputs, and
    Snakemake then takes these for new at every run.
    """

    def of_its_session(wildcards):
        if wildcards.session not in sessions():
            raise WorkflowError(f"session {wildcards.session} is not in sessions.csv: check its id")
        return expand(pattern, session=wildcards.session)

    return of_its_session


def versions(paths):
    """Size and time of change of recordings of the user's.

    Snakemake asks whether an input is newer than the output; what replaces it may be older. Nor
    does it compare a parameter that is a function of `input`.
    """
    return [version_of(path) for path in paths if entrance(path).exists()]


def source_of(session):
    """The file that stands for the user's recording of a session."""
    return str(entrance(sessions()[session]["source"]))


def described(session):
    """Who and where was recorded, as JSON: the session's row, less what no store depends on."""
    row = sessions()[session]
    return json.dumps({key: row[key] for key in row if key not in ("held_out", "source")})


def of_hook(suffix):
    """Input function: the recorded activations that a rule's autoencoder is fitted on."""
    return lambda wildcards: (
        f"<results>/activations/{wildcards.model}/seed{wildcards.seed}/"
        f"{CONFIG.sae[wildcards.sae].hook}{suffix}"
    )


def of_trained(file):
    """Input function: a file of the rule's dictionary, of the trained decoder alone."""
    return lambda wildcards: (
        f"<results>/sae/trained/seed{wildcards.seed}/{wildcards.sae}/{file}"
        if wildcards.model == "trained"
        else []
    )


def static_files(room):
    """Files of a room that are no code of Python: what uses them runs again when one changes."""
    paths = sorted((SRC / "glasscortex" / room / "static").rglob("*.*"))
    return [os.path.relpath(path) for path in paths]


def tables_of(figure):
    """The tables that a figure is drawn from: those its function names, as far as they are made."""
    return [
        f"<results>/tables/{table}.csv"
        for table in arguments(f"figures.{figure}", f"{figure}_figure")
        if table in TABLES
    ]


def parts_of(table):
    """The parts of a table, in the order in which they are joined."""
    if table in ("decoding", "confusion"):
        of_models = f"<results>/decoder/{{model}}/seed{{seed}}/{table}.csv"
        baselines = CONFIG.baseline.models if table == "decoding" else []
        return expand(of_models, model=CONFIG.models, seed=SEEDS) + expand(
            "<results>/decoder/{baseline}/decoding.csv", baseline=baselines
        )
    if table == "history":
        learnt = [model for model in CONFIG.models if model in ("trained", "shuffled")]
        return expand("<results>/decoder/{model}/seed{seed}/history.csv", model=learnt, seed=SEEDS)
    if table == "adaptation":
        return expand("<results>/decoder/trained/seed{seed}/adaptation.csv", seed=SEEDS)
    if table in STABILITY_TABLES:
        pattern = f"<results>/sae/{{model}}/{{sae}}/{table}.csv"
        return expand(pattern, model=CONFIG.models, sae=OPENED)
    file = "metrics" if table == "sae" else table
    of_cells = [f"<results>/cells/{table}.csv"] * (table in OF_CELLS_TOO)
    return of_cells + expand(
        f"<results>/sae/{{model}}/seed{{seed}}/{{sae}}/{file}.csv",
        model=["trained"] if table in OF_TRAINED else CONFIG.models,
        seed=SEEDS,
        sae=list(CONFIG.sae) if table in OF_BASES_TOO else OPENED,
    )

"""The whole workflow, end to end, with the tiny configuration."""

import csv
import html
import os
import subprocess
import sys

import pytest

from glasscortex.data.nwb import read_metadata
from tests.workflow.project import TINY, Project

pytestmark = pytest.mark.xdist_group("workflow")

FOLLOWS_SAE = {
    "splice",
    "selectivity",
    "probe",
    "recognise",
    "dictionaries",
    "ablate",
    "attribute",
    "recovery",
    "concatenate",
    "claims",
    "responses",
    "figure",
    "units",
    "browser",
    "report",
}

COLUMNS = {
    "quality": "session_id cell_specimen_id used reason nan_fraction noise snr baseline_drift "
    "low_baseline_fraction r r_at_bound",
    "decoding": "model seed session_id task split metric value ci_low ci_high chance "
    "constant n n_classes",
    "confusion": "model seed session_id task label predicted n",
    "comparison": "task against transformer baseline difference ci_low ci_high n_sessions",
    "observer": "session_id task limit error chance n",
    "share": "task model seed accuracy limit chance share ci_low ci_high n_sessions",
    "sae": "model seed sae hook architecture width k fvu l0 dead_fraction split",
    "splice": "model seed sae task condition metric value ci_low ci_high "
    "delta delta_low delta_high equivalent",
    "selectivity": "model seed sae unit variable stimulus index effect preferred p q n replicate "
    "n_active effect_selection q_selection selected significant circular "
    "mutual_information auroc p_min n_permutations",
    "probing": "model seed sae task split measure session_id value weight chance n",
    "dictionaries": "model seed sae hook architecture basis width k l0 fvu dead_fraction kept "
    "equivalent tasks recovered probed auroc_1 auroc_2 auroc_5 auroc_dense purity purity_low "
    "purity_high purity_chance",
    "rivals": "model seed sae hook task measure rival difference ci_low ci_high n_sessions",
    "tuning": "model seed sae unit variable stimulus label mouse mean error low high n",
    "ablation": "model seed sae variable task n_units method condition chosen intact ablated delta "
    "ci_low ci_high matched n_matched p excess change",
    "steering": "model seed sae variable task dose condition measure value ci_low ci_high",
    "interactions": "model seed sae variable other delta delta_others delta_both interaction",
    "reuse": "model seed sae unit task size share tasks",
    "history": "model seed epoch train_loss validation_loss",
    "recovery": "model seed sae factor unit score matched_unit matched_score ceiling recovered",
    "claims": "claim estimate ci_low ci_high threshold measure n of method rival verdict reason",
}


@pytest.mark.parametrize("table", COLUMNS)
def test_table_has_its_columns_and_rows(finished, table):
    with open(finished.results / f"tables/{table}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert set(COLUMNS[table].split()) <= set(rows[0])


@pytest.mark.parametrize(
    "table",
    [
        "decoding",
        "confusion",
        "sae",
        "splice",
        "selectivity",
        "tuning",
        "probing",
        "dictionaries",
        "rivals",
    ],
)
def test_table_holds_every_model(finished, table):
    with open(finished.results / f"tables/{table}.csv", newline="") as file:
        models = {row["model"] for row in csv.DictReader(file)}
    assert {"trained", "start", "untrained", "shuffled"} <= models


@pytest.mark.parametrize("table", ["ablation", "steering", "interactions", "reuse"])
def test_what_units_do_is_asked_of_the_trained_model_alone(finished, table):
    with open(finished.results / f"tables/{table}.csv", newline="") as file:
        assert {row["model"] for row in csv.DictReader(file)} == {"trained"}


def test_bases_are_rivals_and_no_more(finished):
    def names(table):
        with open(finished.results / f"tables/{table}.csv", newline="") as file:
            return {row["sae"] for row in csv.DictReader(file)}

    for table in ("sae", "probing", "recovery", "dictionaries"):
        assert names(table) - {"cells", "cells_topk"} == {"end_to_end", "axes", "pca", "ica"}
    for table in ("splice", "selectivity", "tuning", "ablation", "steering", "reuse", "rivals"):
        assert names(table) == {"end_to_end"}


@pytest.mark.parametrize(
    "figure",
    [
        *("quality", "decoding", "training", "dictionaries", "selectivity", "recognition"),
        *("ablation", "controls"),
    ],
)
def test_figure_is_drawn(finished, figure):
    assert "<svg" in (finished.results / f"figures/{figure}.svg").read_text()
    assert (finished.results / f"figures/{figure}.png").read_bytes().startswith(b"\x89PNG")


def test_the_browser_has_a_page_for_every_alive_unit(finished):
    browser = finished.results / "browser"
    assert "static/app.js" in (browser / "index.html").read_text()
    for script in ("data/catalogue.js", "data/sessions/700010001.js", "static/app.js"):
        assert (browser / script).stat().st_size
    for model in ("trained", "start", "untrained", "shuffled"):
        with open(finished.results / f"sae/{model}/seed0/end_to_end/selectivity.csv") as file:
            alive = {row["unit"] for row in csv.DictReader(file)}
        folder = browser / f"data/{model}/seed0/end_to_end"
        assert {path.stem for path in folder.glob("*.js")} == alive | {"fit"}
        sessions = {path.name for path in (browser / "data/sessions").glob("*.js")}
        assert {path.name for path in (folder / "sessions").glob("*.js")} == sessions != set()


def test_the_report_holds_the_claims_and_the_figures(finished):
    page = (finished.results / "report.html").read_text()
    with open(finished.results / "tables/claims.csv", newline="") as file:
        assert all(html.escape(row["claim"]) in page for row in csv.DictReader(file))
    assert page.count("data:image/svg+xml;base64,") == 8
    assert "browser/index.html#model=trained" in page


def test_an_edit_of_the_page_lays_it_out_again_and_no_more(copy):
    page = copy.folder / "src/glasscortex/browser/static/unit.js"
    page.write_text(page.read_text() + "\n// edited\n")
    assert copy.run(*TINY) == {"browser": 1, "report": 1}
    assert (copy.results / "browser/static/unit.js").read_bytes() == page.read_bytes()


def test_a_session_is_drawn_on_request_and_then_up_to_date(copy):
    target = "results/tiny/figures/quality/700010001.png"
    assert copy.run(*TINY, "--", target) == {"figure_session": 1}
    assert (copy.folder / target).read_bytes().startswith(b"\x89PNG")
    done = copy.snakemake("--cores", "2", *TINY, "--", target)
    assert "Nothing to be done" in done.stdout + done.stderr


def test_a_session_is_exported_on_request(copy):
    target = "results/tiny/nwb/trained/seed0/end_to_end/700010001.nwb"
    assert copy.run(*TINY, "--", target) == {"export_nwb": 1}
    raw = copy.results / "raw/700010001.nwb"
    assert read_metadata(copy.folder / target) == read_metadata(raw)


def test_a_session_that_is_not_selected_is_told(copy):
    done = copy.snakemake("--dry-run", *TINY, "--", "results/tiny/figures/quality/12.png")
    assert done.returncode != 0
    assert "session 12 is not in sessions.csv" in done.stdout + done.stderr


def test_nothing_is_written_outside_results(finished, fresh):
    entries = {path.name for path in finished.folder.iterdir()}
    before = {path.name for path in fresh.folder.iterdir()}
    assert entries - before <= {"results", ".snakemake"}
    assert {path.name for path in (finished.folder / "results").iterdir()} == {"tiny"}


def test_checkpoints_are_gone(finished):
    assert not [path for path in finished.results.rglob("checkpoints/**/*") if path.is_file()]


def test_second_run_has_nothing_to_do(finished):
    done = finished.snakemake("--cores", "2", *TINY)
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout + done.stderr


def test_k_reruns_the_sae_and_what_follows(finished):
    would_run = finished.would_run(*TINY, "--config", "sae={end_to_end: {k: 3}}")
    assert set(would_run) == {"fit_sae"} | FOLLOWS_SAE


def test_margin_reruns_splice_and_what_follows(finished):
    would_run = finished.would_run(*TINY, "--config", "splice={margin: 0.2}")
    assert set(would_run) <= {"splice", "concatenate", "dictionaries", "claims", "figure", "report"}
    assert would_run["splice"] == 4


def test_edit_of_an_analysis_reruns_neither_training_nor_sae(copy):
    source = copy.folder / "src/glasscortex/analysis/selectivity.py"
    text = source.read_text()
    source.write_text(text + "\n# edited\n")
    would_run = set(copy.would_run(*TINY))
    assert "selectivity" in would_run
    assert would_run <= FOLLOWS_SAE - {"splice", "responses"}
    source.write_text(text)
    assert copy.would_run(*TINY) == {}


def test_no_command_names_files_of_several_sessions(finished):
    """A shell is given 128 KiB at most, which the names of a thousand files may exceed."""
    planned = finished.snakemake("-n", "--printshellcmds", *TINY, "--forcerun", "simulate").stdout
    commands = [line for line in planned.splitlines() if "python -m glasscortex" in line]
    named = {path.stem for path in (finished.results / "raw").glob("*.nwb")}
    assert len(named) > 1
    assert max(sum(name in command for name in named) for command in commands) == 1


def test_one_stage_runs_alone(copy):
    target = "results/tiny/tables/selectivity.csv"
    (copy.folder / target).unlink()
    assert copy.run(*TINY, target) == {"concatenate": 1}


def test_forced_stage_gives_the_same_bytes(copy):
    table = copy.results / "tables/splice.csv"
    before = table.read_bytes()
    ran = copy.run(*TINY, "--forcerun", "fit_sae", "--", "results/tiny/tables/splice.csv")
    assert ran == {"fit_sae": 4, "splice": 4, "concatenate": 1}
    assert table.read_bytes() == before


ELSEWHERE = {
    "LC_ALL": "C",
    "OMP_NUM_THREADS": "3",
    "PYTHONHASHSEED": "12345",
    "TZ": "Asia/Kathmandu",
}


def test_elsewhere_the_bytes_are_the_same(finished, tmp_path):
    """In a folder with a space, with other cores, threads, hashes, locale, time zone and umask."""
    elsewhere = {"env": os.environ | ELSEWHERE, "umask": 0o077}
    clone = Project.copied_to(tmp_path / "second clone", **elsewhere)
    clone.run("--cores=1", *TINY, "--", "results/tiny/sae/untrained/seed0/end_to_end/splice.csv")
    made, before = clone.digests(), finished.digests()
    assert any(path.startswith("sae/untrained") for path in made)
    assert made == {path: before.get(path) for path in made}


def test_the_results_are_as_they_were_made(finished):
    assert mismatches_told(finished) == ""


def test_what_no_longer_matches_is_told(copy):
    part = copy.results / "sae/trained/seed0/end_to_end/selectivity.csv"
    part.write_text(part.read_text().replace("trained", "drained", 1))
    told = mismatches_told(copy)
    assert "end_to_end/selectivity.csv: is not as it was written" in told
    assert "tables/selectivity.csv: its input" in told


def mismatches_told(project) -> str:
    """What `glasscortex verify` says of the project's results; nothing where all is well."""
    done = subprocess.run(
        [sys.executable, "-m", "glasscortex", "verify", project.results],
        env=os.environ | {"PYTHONPATH": str(project.folder / "src")},
        capture_output=True,
        text=True,
    )
    assert (done.returncode == 0) == ("all are as they were made" in done.stdout), done.stderr
    return done.stdout if done.returncode else ""


def test_report_is_built(finished, tmp_path):
    report = tmp_path / "report.html"
    done = finished.snakemake(*TINY, "--report", str(report))
    assert done.returncode == 0, done.stderr
    assert "Benjamini-Hochberg" in report.read_text()

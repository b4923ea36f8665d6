"""What a run says on the terminal."""

import re

import pytest

from tests.workflow.project import TINY

pytestmark = pytest.mark.xdist_group("workflow")


def test_a_line_a_job_and_the_verdicts(copy):
    done = copy.snakemake("--cores", "1", *TINY, "--forcerun", "claims", "figure")
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    jobs = [line.split()[:5] for line in lines if re.match(r" *\d+ of \d+ ", line)]
    assert [job[:3] for job in jobs] == [[str(i), "of", "11"] for i in range(1, 12)]
    assert sum(job[3] == "figure" and job[4].startswith("figure=") for job in jobs) == 8
    assert len(lines) <= len(jobs) + 3  # nor anything of Snakemake's but where its own log lies
    assert "Claims: " in done.stdout
    assert "results/tiny/tables/claims.csv" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_a_warning_comes_through_and_what_a_stage_reports_stays_in_its_log(copy):
    log = copy.results / "logs/train/trained-seed0.log"
    target = "results/tiny/decoder/trained/seed0/weights.safetensors"
    done = copy.snakemake("--cores", "1", *TINY, "--forcerun", "train", "--", target)
    assert done.returncode == 0
    assert " INFO epoch 1" in log.read_text()
    assert " INFO " not in done.stdout + done.stderr
    target = "results/tiny/trials/700010001.parquet"
    done = copy.snakemake("--cores", "1", *TINY, "--forcerun", "trials", "--", target)
    warnings = re.findall(r" WARNING .*", (copy.results / "logs/trials/700010001.log").read_text())
    assert warnings
    assert all(warning in done.stderr for warning in warnings)


def test_a_failed_job_says_why_and_names_its_log(copy):
    (copy.results / "tables/comparison.csv").write_text("")
    done = copy.snakemake("--cores", "1", *TINY, "--forcerun", "claims", "--rerun-triggers", "code")
    assert done.returncode != 0
    assert "failed: claims" in done.stderr
    assert "its log: results/tiny/logs/claims.log" in done.stderr
    assert (copy.results / "logs/claims.log").read_text() in done.stderr
    assert "set -euo pipefail" not in done.stderr


@pytest.mark.parametrize("option", ["--printshellcmds", "--verbose", "--quiet=reason"])
def test_snakemake_in_its_own_words(copy, option):
    done = copy.snakemake("--cores", "1", *TINY, "--forcerun", "claims", option)
    assert done.returncode == 0
    assert "Job stats:" in done.stderr
    assert "Finished jobid" in done.stderr


def test_until_needs_to_know_the_sessions(fresh):
    done = fresh.snakemake("--cores", "1", *TINY, "--until", "trials")
    assert done.returncode != 0
    assert "run `snakemake --until select` first" in done.stdout + done.stderr

"""Faulty configuration is told in one line before anything starts; profiles and files fit."""

import re

import pytest
import yaml

from glasscortex.config import Config
from tests.workflow.project import ROOT, TINY, Project

PILOT = ("--configfile=workflow/configs/allen_pilot.yaml",)

FAULTS = {
    "misspelt key": ("selectivty={q: 0.1}", "selectivty"),
    "misspelt key of a stage": ("sae={end_to_end: {widht: 32}}", "sae.end_to_end.widht"),
    "wrong type": ("simulate={cells: many}", "simulate.cells"),
    "out of range": ("simulate={length: 2}", "simulate.length"),
    "k larger than the width": ("sae={topk: {k: 4000}}", "sae.topk"),
    "hook that is not there": ("sae={end_to_end: {hook: latents.9}}", "latents.9"),
    "task that no session shows": ("tasks=[movie_two]", "natural_movie_two"),
    "no folder": ("source=local", "nwb"),
    "folder that does not exist": ("source=local nwb=nowhere", "nowhere"),
    "empty folder": ("source=local nwb=envs", "envs"),
    "folder without its source": ("nwb=envs", "source=local"),
}


@pytest.mark.parametrize(("words", "named"), FAULTS.values(), ids=FAULTS)
def test_fault_is_one_line(fresh, words, named):
    words = re.split(r" (?=\w+=)", words)
    done = fresh.snakemake("--dry-run", "--config", *words)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert named in errors[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        TINY,
        (*TINY, "--workflow-profile", "workflow/profiles/slurm"),
        ("--workflow-profile", "workflow/profiles/workstation", *PILOT),
        (*PILOT, "--config", "allen={route: s3}"),
        ("--configfile=workflow/configs/allen_full.yaml",),
    ],
    ids=["demonstration", "tiny", "slurm", "pilot", "pilot by s3", "full"],
)
def test_dry_run(fresh, arguments):
    assert fresh.would_run(*arguments)["train"] == 4


@pytest.mark.parametrize(("seeds", "compared"), [("[0]", 0), ("[0,1]", 4)])
def test_seeds_are_compared_where_there_are_several(fresh, seeds, compared):
    assert fresh.would_run(*TINY, "--config", f"seeds={seeds}").get("stability", 0) == compared


@pytest.mark.parametrize("name", ["a{x}", "a<x>", "a:x"])
def test_a_folder_whose_name_would_be_read_is_refused(tmp_path, name):
    done = Project.copied_to(tmp_path / name).snakemake("--dry-run")
    assert done.returncode == 1
    assert [line for line in done.stderr.splitlines() if name in line and "move it" in line]
    assert "Traceback" not in done.stderr


def test_a_key_that_stands_twice_is_named(fresh, tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text("seeds: [0]\nseeds: [1]\n")
    done = fresh.snakemake("--dry-run", f"--configfile={path}")
    assert "twice.yaml, line 2: seeds stands there twice: remove one" in done.stderr


def test_no_profile_is_named_default():
    assert not list(ROOT.glob("**/profiles/default"))


def test_config_yaml_names_every_key():
    written = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert keys(written) == keys(Config.model_validate(written).model_dump(mode="json"))


def keys(settings: dict, prefix: str = "") -> set[str]:
    found = set()
    for key, value in settings.items():
        found |= {prefix + key}
        if isinstance(value, dict):
            found |= keys(value, f"{prefix}{key}.")
    return found


def rules() -> dict[str, str]:
    texts = [path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk"))]
    parts = re.split(r"^ *(?:rule|checkpoint) (\w+):$", "\n".join(texts), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


FETCHING = {
    "catalogue": ["input", "code=code("],
    "download": ["input", "code=code("],
    "list_dandiset": ["input", "code=code("],
    "download_asset": ["code=code("],
}
"""What these rules lack: what is fetched depends on no file here, not on their code either."""
DIRECTIVES = ("input", "output", "log", "benchmark", "threads", "resources", "conda", "message")


@pytest.mark.parametrize("rule", rules())
def test_rule_says_what_it_needs(rule):
    missing = [word for word in DIRECTIVES if not re.search(rf"^ +{word}:", rules()[rule], re.M)]
    missing += [word for word in ("mem_mb=", "runtime=", "code=code(") if word not in rules()[rule]]
    assert missing == FETCHING.get(rule, [])


@pytest.mark.parametrize("rule", rules())
def test_a_rule_calls_the_stage_of_its_name(rule):
    assert f'stage("{rule}"' in rules()[rule]
    assert (f'code("stages.{rule}"' in rules()[rule]) == (rule not in FETCHING)


def test_the_cluster_profile_names_rules_that_there_are():
    profile = yaml.safe_load((ROOT / "workflow/profiles/slurm/config.yaml").read_text())
    assert set(profile["set-threads"]) <= set(rules())

from pathlib import Path

import yaml

from glasscortex.run.verdicts import confirmation, summarised, verdicts

HOLDS = {
    "claim": "units are selective",
    "estimate": "0.5",
    "ci_low": "0.4",
    "ci_high": "0.6",
    "verdict": "holds",
    "reason": "the interval lies above 0",
    "rival": "chance",
    "n": "40",
    "of": "mice",
    "seed": "0",
    "sae": "topk",
}

WHERE = ("src", "tests", "benchmarks", "workflow")
"""Folders of the project with code or settings."""

FAILS = HOLDS | {"verdict": "fails", "reason": "no"}


def test_all_hold():
    assert verdicts([HOLDS, HOLDS]) == "Claims: 2 of 2 hold, 0 fail, 0 are not testable."


def test_failing_claims_are_named_with_estimate_and_interval():
    failing = FAILS | {"claim": "decoding is unchanged", "ci_low": ""}
    text = verdicts([HOLDS, failing])
    assert "Claims: 1 of 2 hold, 1 fails, 0 are not testable." in text
    assert text.splitlines()[-1].split() == [
        "0.500",
        "–",
        "to",
        "0.600",
        "decoding",
        "is",
        "unchanged:",
        "fails,",
        "no",
    ]
    assert "selective" not in text


def test_seeds_are_told_apart_where_there_are_several():
    text = verdicts([FAILS | {"seed": seed} for seed in ("0", "1", "")])
    assert [line.split("selective")[1] for line in text.splitlines()[-3:]] == [
        " (seed 0): fails, no",
        " (seed 1): fails, no",
        ": fails, no",
    ]


def test_lines_fit_a_hundred_columns():
    text = verdicts([FAILS | {"claim": "word " * 60}])
    assert max(map(len, text.splitlines())) <= 100


def test_the_table_has_a_claim_once_with_the_numbers_of_all_seeds():
    seeds = [
        HOLDS | {"seed": "0"},
        FAILS | {"seed": "1", "estimate": "-0.1", "ci_low": "-10.5", "n": "38"},
        FAILS | {"seed": "2", "estimate": "", "ci_low": "", "verdict": "not testable"},
        HOLDS | {"claim": "another", "sae": ""},
    ]
    _, _, claim, other = summarised(seeds).splitlines()
    assert claim == (
        "| units are selective (topk) | chance | .500, −.100, – | −10.500 to .600 | "
        "38 to 40 mice | holds 1, fails 1, not testable 1 |"
    )
    assert other == "| another | chance | .500 | .400 to .600 | 40 mice | holds |"


def rows_of(page):
    return [line for line in page.splitlines() if line.startswith("| units")]


def test_a_confirmation_tells_both_verdicts_and_marks_what_differs():
    page = confirmation(
        [HOLDS, FAILS | {"claim": "units are large"}],
        [HOLDS | {"estimate": "0.3"}, HOLDS | {"claim": "units are large"}],
    )
    as_before = ".500 (.400 to .600)"
    assert rows_of(page) == [
        f"| units are selective (topk) | {as_before} | holds | .300 (.400 to .600) | holds |",
        f"| units are large (topk) | {as_before} | fails | {as_before} | **holds** |",
    ]
    assert "Of 1 claim that holds in the demonstration 1 hold" in page
    assert "Of 1 that fail 0 fail again." in " ".join(page.split())


def test_a_claim_that_only_one_run_makes_does_not_hold_in_both():
    other = HOLDS | {"claim": "units are large"}
    page = confirmation([HOLDS], [other])
    assert rows_of(page) == [
        "| units are selective (topk) | .500 (.400 to .600) | holds |  | **not made** |",
        "| units are large (topk) |  | not made | .500 (.400 to .600) | **holds** |",
    ]
    assert "Of 1 claim that holds in the demonstration 0 hold" in page


def test_of_several_decoders_all_have_to_confirm():
    seeds = [HOLDS | {"seed": seed} for seed in "012"]
    page = confirmation(seeds, [*seeds[:2], FAILS | {"seed": "2"}])
    assert "holds 3 |" in page
    assert "**holds 2, fails 1**" in page
    assert "Of 1 claim that holds in the demonstration 0 hold" in page


def test_the_seed_of_the_confirmation_is_used_nowhere_else():
    project = Path(__file__).parents[2]
    config = project / "workflow/configs/confirm.yaml"
    seed = str(yaml.safe_load(config.read_text())["simulate"]["seed"])
    kinds = ("*.py", "*.yaml", "*.smk", "*.md", "Makefile")
    files = [path for folder in WHERE for kind in kinds for path in (project / folder).rglob(kind)]
    assert len(files) > 100
    assert [path for path in files if seed in path.read_text()] == [config]

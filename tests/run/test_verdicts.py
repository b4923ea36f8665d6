from glasscortex.run.verdicts import verdicts

HOLDS = {
    "claim": "units are selective",
    "estimate": "0.5",
    "ci_low": "0.4",
    "ci_high": "0.6",
    "holds": "True",
    "seed": "0",
    "sae": "topk",
}


def test_all_hold():
    assert verdicts([HOLDS, HOLDS]) == "Claims that hold: 2 of 2."


def test_failing_claims_are_named_with_estimate_and_interval():
    failing = HOLDS | {"holds": "False", "claim": "decoding is unchanged", "ci_low": ""}
    text = verdicts([HOLDS, failing])
    assert "Claims that hold: 1 of 2." in text
    assert text.splitlines()[-1].split() == [
        "0.500",
        "–",
        "to",
        "0.600",
        "decoding",
        "is",
        "unchanged",
    ]
    assert "selective" not in text


def test_seeds_are_told_apart_where_there_are_several():
    text = verdicts([HOLDS | {"holds": "False", "seed": seed} for seed in ("0", "1", "")])
    assert [line.split("selective")[1] for line in text.splitlines()[-3:]] == [
        " (seed 0)",
        " (seed 1)",
        "",
    ]


def test_lines_fit_a_hundred_columns():
    text = verdicts([HOLDS | {"holds": "False", "claim": "word " * 60}])
    assert max(map(len, text.splitlines())) <= 100

"""The tests of the pipeline err as often as they say: a quick part of `make calibrate`."""

import json

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks.calibration.__main__ import main
from benchmarks.calibration.checks import NULLS, PLANTED, Check

WORLDS = {
    "a mean lies above 0: 4 mice": 1,
    "a mean lies above 0: mice of 3, 3, 1, 1 sessions that correlate by .3": 1,
    "unchanged when spliced, at the margin: 8 mice": 200,
    "stimulus: autocorrelated, drifting": 40,
    "running, pupil: 6 mice, a trend of all": 40,
    "running, pupil: 12 mice of 3 sessions, a trend of the mouse": 20,
    "values of a stimulus: autocorrelated, drifting": 40,
    "choices: 6 mice, in runs of 20": 40,
    "choices: 12 mice, in runs of 20, a bias that moves": 20,
    "movie frame: autocorrelated (20 bins), 1 session of 120 bins": 60,
    "Cre line: 4 lines of 10 mice": 25,
    "area: 12 mice of 2": 25,
    "mice are recognised: 4 lines of 6 mice": 40,
    "mice are recognised: 2 lines of 12, one runs more, made equal": 25,
    "units tell more than others: 8 mice that differ": 60,
    "ablation of random units: 8 mice, 20 matched sets that differ": 80,
}
"""By name, of how many worlds a check is taken here."""

UNLIKELY = 1e-4
"""Chance that a test with the level that it promises falls beyond either bound."""

BY_NAME = {str(check): check for check in (*NULLS, *PLANTED)}


def positive(check: Check, worlds: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([check.decide(rng) for _ in range(worlds)])


@pytest.mark.parametrize("name", WORLDS)
def test_noise_passes_at_the_nominal_rate(name):
    check = BY_NAME[name]
    found = positive(check, WORLDS[name])
    least, most = binom.ppf([UNLIKELY, 1 - UNLIKELY], len(found), check.nominal)
    assert least <= found.sum() <= most


@pytest.mark.parametrize(
    ("name", "power"),
    [
        ("a mean lies above 0: 1 deviations, 12 mice", 0.8),
        ("unchanged when spliced: 0 of the margin, 40 mice", 0.9),
        ("running, pupil: 0.4 of running, 12 mice", 0.6),
        ("choices: 0.5 deviations, 12 mice, in runs of 5", 0.6),
        ("movie frame: 0.2 of the response, 4 sessions of 32 bins", 0.8),
    ],
)
def test_what_is_planted_is_found(name, power):
    check = BY_NAME[name]
    assert positive(check, min(check.number, 20)).mean() > power


def test_single_checks_are_renewed_and_the_others_stay(tmp_path, monkeypatch):
    path, name = tmp_path / "rates.json", "mice are recognised: 24 mice of 3 depths"
    monkeypatch.setattr("sys.argv", ["", "--json", str(path), "--only", name, "--worlds", "2"])
    with pytest.raises(SystemExit, match="lacks a mean lies above 0: 3 mice: run without --only"):
        main()
    rows = [
        {"test": check.test, "world": check.world, "nominal": check.nominal}
        | {"n": 100, "rate": 0.5, "low": 0.4, "high": 0.6}
        for check in BY_NAME.values()
    ]
    path.write_text(json.dumps(rows))
    main()
    renewed = {f"{row['test']}: {row['world']}": row["n"] for row in json.loads(path.read_text())}
    assert list(renewed) == list(BY_NAME)
    assert {name: n for name, n in renewed.items() if n != 100} == {name: 2}

"""Rates at which the pipeline's tests err, and find what is planted, beside those of before.

    python -m benchmarks.calibration [--json FILE] [--before FILE] [--markdown FILE] [--worlds N]
        [--only WORDS]

Every test runs by the project's own functions on many worlds of known truth. `--worlds` limits
their number, for a look; `--before` adds a column from the JSON of another version. `--only` runs
the checks whose names hold these words; the others stay as they stand in the JSON.
"""

import argparse
import json
import sys
import zlib
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from benchmarks.calibration.checks import NULLS, PLANTED, Check

HEAD = """# Calibration

How often the tests of the pipeline err in worlds without an effect, and how often they find one
that is planted: `make calibrate`, which runs the project's own functions on each
(`benchmarks/calibration`) and writes this page. A rate stands with its 95 % binomial interval;
*before* is that of commit 67d0404, of percentile bootstraps and the nulls of then. Worlds are small
and simulated: they show the level of a test where what it assumes is so, or is broken in the ways
that are named, no more. A rate in bold is above 1.4 times the nominal, with all of its interval.

A claim needs at least four mice or sessions (`glasscortex.intervals.FEWEST`), else it is not
testable: with three the level holds, but an effect of two standard deviations is found in less than
half of the worlds. What falls short: where differences have a skewness of 1, few mice err twice as
often; a line of four mice that vary twice as much as the sixteen of the only other one passes a
little too often. How the catalogue's 243 mice are spread over lines is assumed.

*Mice are recognised* by all units together (`glasscortex.analysis.recognition`). Their mice have
eight units, and lines differ in each unit's rate, tuning or kinetics by so many deviations of their
mice. Twelve mice are too few for a deviation; with 24, six of a line, it is found in six to eight
of ten worlds. *Made equal*: one line runs two deviations more and all units follow running, which
the plain test takes for the line in most worlds.

"""

TOLERATED = 1.4
"""A rate this many times the nominal one, .07 at .05, is marked."""


def measured(check: Check, worlds: int | None) -> dict[str, str | int | float | None]:
    """The rate of a check over its worlds; None where the test can't be made."""
    seed = zlib.crc32(f"{check.test} {check.world}".encode())
    rng = np.random.default_rng(seed)
    number = min(check.number, worlds or check.number)
    decisions = np.concatenate([check.decide(rng) for _ in range(number)])
    row = {"test": check.test, "world": check.world, "nominal": check.nominal, "n": len(decisions)}
    if not len(decisions):
        return row | {"rate": None, "low": None, "high": None}
    interval = binomtest(int(decisions.sum()), len(decisions)).proportion_ci(0.95)
    return row | {"rate": float(decisions.mean()), "low": interval.low, "high": interval.high}


def markdown(rows: list[dict], before: dict[tuple, float | None]) -> str:
    """The table of some checks, all with a nominal rate or all without."""
    nominal = rows[0]["nominal"] is not None
    names = ["test", "world", *(["nominal"] if nominal else []), "before", "rate", "n"]
    lines = [f"| {' | '.join(names)} |", "|" + len(names) * "---|"]
    for row in rows:
        was = before.get((row["test"], row["world"]))
        cells = [row["test"], row["world"], *([_rate(row["nominal"])] if nominal else [])]
        rate = _rate(row["rate"])
        if nominal and row["n"] and row["low"] > TOLERATED * row["nominal"]:
            rate = f"**{rate}**"
        cells += [_rate(was), f"{rate} ({_rate(row['low'])} to {_rate(row['high'])})"]
        lines.append(f"| {' | '.join([*cells, str(row['n'])])} |")
    return "\n".join(lines)


def page(rows: list[dict], before: dict[tuple, float | None]) -> str:
    """The page of the documentation."""
    nulls, planted = (
        markdown([row for row in rows if (row["nominal"] is None) == is_planted], before)
        for is_planted in (False, True)
    )
    return f"{HEAD}## Without an effect\n\n{nulls}\n\n## With one: power\n\n{planted}\n"


def kept(path: Path | None, checks: list[Check]) -> dict[tuple[str, str], dict]:
    """What was measured of these checks; the program ends if one was not."""
    there = json.loads(path.read_text()) if path and path.exists() else []
    rows = {(row["test"], row["world"]): row for row in there}
    lacking = [check for check in checks if (check.test, check.world) not in rows]
    if lacking:
        sys.exit(f"{path or '--json'} lacks {lacking[0]}: run without --only")
    return rows


def _rate(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".removeprefix("0")


def main() -> None:
    """Measure, print, and keep as JSON and as a page of the documentation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--worlds", type=int)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    before = {}
    if arguments.before:
        rows = json.loads(arguments.before.read_text())
        before = {(row["test"], row["world"]): row["rate"] for row in rows}
    checks = [*NULLS, *PLANTED]
    old = [check for check in checks if arguments.only not in str(check)]
    stay = kept(arguments.json, old) if old else {}
    rows = []
    for check in checks:
        if check in old:
            rows.append(stay[check.test, check.world])
            continue
        rows.append(measured(check, arguments.worlds))
        print(f"{check}: {_rate(rows[-1]['rate'])}", flush=True)
    if arguments.markdown:
        arguments.markdown.write_text(page(rows, before))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Rates at which the pipeline's tests err, and find what is planted, beside those of before.

    python -m benchmarks.calibration [--json FILE] [--before FILE] [--markdown FILE] [--worlds N]

Every test runs by the project's own functions on many worlds of known truth. `--worlds` limits
their number, for a look; `--before` adds a column from the JSON of another version.
"""

import argparse
import json
import math
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
that are named, no more.

A claim needs at least four mice or sessions (`glasscortex.intervals.FEWEST`), else it is not
testable: with three the level holds, but an effect of two standard deviations is found in less than
half of the worlds.

"""


def measured(check: Check, worlds: int | None) -> dict[str, object]:
    """The rate of a check over its worlds."""
    seed = zlib.crc32(f"{check.test} {check.world}".encode())
    rng = np.random.default_rng(seed)
    number = min(check.number, worlds or check.number)
    decisions = np.concatenate([check.decide(rng) for _ in range(number)])
    row: dict[str, object] = {"test": check.test, "world": check.world, "nominal": check.nominal}
    if not len(decisions):
        return row | {"n": 0, "rate": math.nan, "low": math.nan, "high": math.nan}
    interval = binomtest(int(decisions.sum()), len(decisions)).proportion_ci(0.95)
    rate = float(decisions.mean())
    return row | {"n": len(decisions), "rate": rate, "low": interval.low, "high": interval.high}


def markdown(rows: list[dict], before: dict[tuple, float]) -> str:
    """The table of some checks."""
    nominal = not any(math.isnan(row["nominal"]) for row in rows)
    names = ["test", "world", *(["nominal"] if nominal else []), "before", "rate", "n"]
    lines = [f"| {' | '.join(names)} |", "|" + len(names) * "---|"]
    for row in rows:
        was = before.get((row["test"], row["world"]), math.nan)
        cells = [row["test"], row["world"], *([f"{row['nominal']:g}"] if nominal else [])]
        cells += [_rate(was), f"{_rate(row['rate'])} ({_rate(row['low'])} to {_rate(row['high'])})"]
        lines.append(f"| {' | '.join([*cells, str(row['n'])])} |")
    return "\n".join(lines)


def _rate(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}".removeprefix("0")


def main() -> None:
    """Measure, print, and keep as JSON and as a page of the documentation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--worlds", type=int)
    arguments = parser.parse_args()
    before = {}
    if arguments.before:
        rows = json.loads(arguments.before.read_text())
        before = {(row["test"], row["world"]): row["rate"] for row in rows}
    parts = []
    for checks in (NULLS, PLANTED):
        parts.append([])
        for check in checks:
            parts[-1].append(measured(check, arguments.worlds))
            print(f"{check.test}: {check.world}: {_rate(parts[-1][-1]['rate'])}", flush=True)
    nulls, planted = (markdown(part, before) for part in parts)
    page = f"{HEAD}## Without an effect\n\n{nulls}\n\n## With one: power\n\n{planted}\n"
    if arguments.markdown:
        arguments.markdown.write_text(page)
    if arguments.json:
        arguments.json.write_text(json.dumps([*parts[0], *parts[1]], indent=1) + "\n")


if __name__ == "__main__":
    main()

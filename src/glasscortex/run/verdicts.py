"""Which claims hold: at a terminal, as a table of all seeds, and on mice never seen before."""

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

WIDTH = 100

VERDICTS = ("holds", "fails", "not testable")

Row = Mapping[str, str]
"""A row of the table of claims, as text."""


def verdicts(claims: Sequence[Row]) -> str:
    """How many claims hold, and each that does not, with its numbers and the reason.

    Parameters
    ----------
    claims : sequence of mappings
        Rows of the table of claims.

    Returns
    -------
    str
        Lines of at most 100 columns.

    Examples
    --------
    >>> row = {"claim": "units are blue", "estimate": "0.25", "ci_low": "-0.1", "ci_high": "0.6"}
    >>> failing = {"verdict": "fails", "reason": "the interval reaches down to 0"}
    >>> print(verdicts([row | {"verdict": "holds"}, row | failing]))
    Claims: 1 of 2 hold, 1 fails, 0 are not testable. Those that do not hold:
    <BLANKLINE>
      estimate          interval  claim
         0.250 -0.100 to 0.600    units are blue: fails, the interval reaches down to 0
    """
    number = Counter(row["verdict"] for row in claims)
    fails = f"{number['fails']} fail{'s' if number['fails'] == 1 else ''}"
    blind = f"{number['not testable']} {'is' if number['not testable'] == 1 else 'are'}"
    line = f"Claims: {number['holds']} of {len(claims)} hold, {fails}, {blind} not testable."
    rest = [row for row in claims if row["verdict"] != "holds"]
    if not rest:
        return line
    keys = [key for key in ("seed", "sae") if len({row.get(key) or "" for row in claims}) > 2]
    lines = [f"{line} Those that do not hold:", "", f"{'estimate':>10}{'interval':>18}  claim"]
    for row in rest:
        places = ", ".join(f"{key} {row[key]}" for key in keys if row[key])
        interval = f"{_number(row['ci_low']):>7} to {_number(row['ci_high']):<7}"
        said = row["claim"] + (f" ({places})" if places else "")
        lines.append(
            textwrap.fill(
                f"{said}: {row['verdict']}, {row['reason']}",
                WIDTH,
                initial_indent=f"{_number(row['estimate']):>10}{interval:>18}  ",
                subsequent_indent=" " * 30,
            )
        )
    return "\n".join(lines)


def summarised(claims: Iterable[Row]) -> str:
    """Every claim once, over the seeds, as a table in Markdown.

    Parameters
    ----------
    claims : iterable of mappings
        Rows of the table of claims.

    Returns
    -------
    str
        Of each claim and SAE the estimates of all seeds, the lowest and highest end of their
        intervals, what these are over, and how many seeds have which verdict.

    Examples
    --------
    >>> row = {"claim": "units are blue", "sae": "topk", "n": "40", "of": "mice"}
    >>> row |= {"estimate": "0.2", "ci_low": "0.1", "ci_high": "0.3", "rival": "–"}
    >>> print(summarised([row | {"verdict": "holds"}, row | {"verdict": "fails", "n": "38"}]))
    | claim | against | estimate | interval | over | verdict |
    |---|---|---|---|---|---|
    | units are blue (topk) | – | .200, .200 | .100 to .300 | 38 to 40 mice | holds 1, fails 1 |
    """
    lines = ["| claim | against | estimate | interval | over | verdict |", "|" + 6 * "---|"]
    for claim, rows in _grouped(claims).items():
        estimate, interval, verdict = _told(rows)
        over = f"{_range(row['n'] for row in rows)} {rows[0]['of']}"
        cells = claim, rows[0]["rival"], estimate, interval, over, verdict
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


CONFIRMATION = """---
orphan: true
---

# Confirmation

What the claims say of simulated mice that nothing was tuned on: `make confirm`, which runs the
demonstration as it stands, settings and rules, on mice of another seed
(`workflow/configs/confirm.yaml`, used nowhere else) and writes this page. An estimate stands with
the interval of its claim, of several decoders with the widest.
"""


def confirmation(claims: Iterable[Row], confirming: Iterable[Row]) -> str:
    """Hold every claim of one run against the same claim of another, as a page in Markdown.

    Parameters
    ----------
    claims : iterable of mappings
        Rows of the table of claims that settings and rules were chosen with.
    confirming : iterable of mappings
        Those of recordings that nothing was chosen with.

    Returns
    -------
    str
        How many verdicts stand, and a table: of each claim its estimates, interval and verdict in
        both. A claim of one run alone, because no unit was there to make it of, counts as none.

    Examples
    --------
    >>> row = {"claim": "units are blue", "estimate": "0.25", "ci_low": "0.1", "ci_high": "0.4"}
    >>> row |= {"verdict": "holds"}
    >>> page = confirmation([row], [row | {"estimate": "0.1", "ci_low": "0", "verdict": "fails"}])
    >>> print(page.splitlines()[-1])
    | units are blue | .250 (.100 to .400) | holds | .100 (.000 to .400) | **fails** |
    """
    first, second = _grouped(claims), _grouped(confirming)
    lines = ["| claim | demonstration | | confirmation | |", "|" + 5 * "---|"]
    for claim in dict.fromkeys([*first, *second]):
        cells, said = [claim], []
        for rows in (first.get(claim, []), second.get(claim, [])):
            estimate, interval, verdict = _told(rows) if rows else ("", "", "not made")
            cells += [f"{estimate} ({interval})" if rows else "", verdict]
            said.append({row["verdict"] for row in rows})
        if said[0] != said[1]:
            cells[-1] = f"**{cells[-1]}**"
        lines.append(f"| {' | '.join(cells)} |")

    def again(verdict: str) -> tuple[int, int]:
        own = [claim for claim, rows in first.items() if _unanimous(rows, verdict)]
        return len(own), sum(_unanimous(second.get(claim, []), verdict) for claim in own)

    (hold, still), (fail, anew) = again("holds"), again("fails")
    one = "claim that holds" if hold == 1 else "claims that hold"
    summary = (
        f"Of {hold} {one} in the demonstration {still} hold in the confirmation, too. "
        f"Of {fail} that fail {anew} fail again."
    )
    return "\n".join([CONFIRMATION, textwrap.fill(summary, WIDTH), "", *lines, ""])


def _grouped(claims: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of all seeds, by what is claimed and of which SAE."""
    groups: dict[str, list[Row]] = {}
    for row in claims:
        sae = row.get("sae")
        groups.setdefault(f"{row['claim']} ({sae})" if sae else row["claim"], []).append(row)
    return groups


def _told(rows: list[Row]) -> tuple[str, str, str]:
    """Estimates, interval and verdict over the seeds."""
    number = Counter(row["verdict"] for row in rows)
    said = [verdict for verdict in VERDICTS if number[verdict]]
    counts = [f"{verdict} {number[verdict]}" if len(rows) > 1 else verdict for verdict in said]
    return (
        ", ".join(_short(row["estimate"]) for row in rows),
        f"{_short(_end(min, rows, 'ci_low'))} to {_short(_end(max, rows, 'ci_high'))}",
        ", ".join(counts),
    )


def _unanimous(rows: list[Row], verdict: str) -> bool:
    return bool(rows) and all(row["verdict"] == verdict for row in rows)


def _end(which, rows: list[Row], key: str) -> str:
    known = [row[key] for row in rows if row[key]]
    return which(known, key=float) if known else ""


def _range(numbers: Iterable[str]) -> str:
    ends = sorted({int(float(number)) for number in numbers})
    return str(ends[0]) if len(ends) == 1 else f"{ends[0]} to {ends[-1]}"


def _number(text: str) -> str:
    return f"{float(text):.3f}" if text else "–"


def _short(text: str) -> str:
    """A number without the zero before its point."""
    return re.sub(r"^(−?)0\.", r"\1.", _number(text).replace("-", "−"))

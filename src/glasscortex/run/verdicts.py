"""Which claims hold and which do not, for a reader at a terminal, and as a table of all seeds."""

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
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in claims:
        groups.setdefault((row["claim"], row.get("sae") or ""), []).append(row)
    lines = ["| claim | against | estimate | interval | over | verdict |", "|" + 6 * "---|"]
    for (claim, sae), rows in groups.items():
        number = Counter(row["verdict"] for row in rows)
        said = [verdict for verdict in VERDICTS if number[verdict]]
        counts = [f"{verdict} {number[verdict]}" if len(rows) > 1 else verdict for verdict in said]
        cells = (
            f"{claim} ({sae})" if sae else claim,
            rows[0]["rival"],
            ", ".join(_short(row["estimate"]) for row in rows),
            f"{_short(_end(min, rows, 'ci_low'))} to {_short(_end(max, rows, 'ci_high'))}",
            f"{_range(row['n'] for row in rows)} {rows[0]['of']}",
            ", ".join(counts),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


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

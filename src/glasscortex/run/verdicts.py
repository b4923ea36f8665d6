"""Which claims hold and which fail, for a reader at a terminal."""

import textwrap
from collections.abc import Mapping, Sequence

WIDTH = 100


def verdicts(claims: Sequence[Mapping[str, str]]) -> str:
    """How many claims hold, and each that does not, with its numbers.

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
    >>> print(verdicts([row | {"holds": "True"}, row | {"holds": "False"}]))
    Claims that hold: 1 of 2. Those that do not:
    <BLANKLINE>
      estimate          interval  claim
         0.250 -0.100 to 0.600    units are blue
    """
    failing = [row for row in claims if row["holds"] != "True"]
    line = f"Claims that hold: {len(claims) - len(failing)} of {len(claims)}."
    if not failing:
        return line
    keys = [key for key in ("seed", "sae") if len({row.get(key) or "" for row in claims}) > 2]
    lines = [f"{line} Those that do not:", "", f"{'estimate':>10}{'interval':>18}  claim"]
    for row in failing:
        places = ", ".join(f"{key} {row[key]}" for key in keys if row[key])
        interval = f"{_number(row['ci_low']):>7} to {_number(row['ci_high']):<7}"
        lines.append(
            textwrap.fill(
                row["claim"] + (f" ({places})" if places else ""),
                WIDTH,
                initial_indent=f"{_number(row['estimate']):>10}{interval:>18}  ",
                subsequent_indent=" " * 30,
            )
        )
    return "\n".join(lines)


def _number(text: str) -> str:
    return f"{float(text):.3f}" if text else "–"

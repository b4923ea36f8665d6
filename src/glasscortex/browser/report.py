"""The report of a run: one page of HTML that holds all it shows, and reads well when printed."""

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import pandas as pd

from glasscortex.tasks import Variable
from glasscortex.words import in_words

STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; color: #222; max-width: 1000px; margin: 24px auto;
  padding: 0 16px; }
h1 { font-size: 22px; } h2 { font-size: 17px; margin-top: 32px; border-bottom: 1px solid #ccc; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { text-align: left; padding: 2px 12px 2px 0; border-bottom: 1px solid #eee;
  vertical-align: top; }
th { color: #555; font-weight: 400; } .number { text-align: right; white-space: nowrap; }
.yes { color: #0b5d96; font-weight: 600; } .no { color: #a33b00; font-weight: 600; }
b, td span { white-space: nowrap; }
figure { margin: 18px 0; break-inside: avoid; } figure img { width: 100%; }
figcaption, .note { color: #555; font-size: 13px; } pre { font-size: 12px; white-space: pre-wrap; }
@media print { body { margin: 0; max-width: none; } details { display: none; } }
"""


class Markup(str):
    """Text that is markup already, made of escaped parts."""


VERDICTS = {"holds": "hold", "fails": "fail", "not testable": "are not testable"}
"""Of claims, and how many have it in words."""

Cell = str | int | float | None


def page(title: str, sections: Iterable[tuple[str, str]]) -> str:
    """A whole page, from the titles and the markup of its sections.

    Parameters
    ----------
    title : str
    sections : iterable of (str, str)
        Titles are text, bodies are markup.
    """
    body = "".join(f"<section><h2>{text(name)}</h2>{part}</section>\n" for name, part in sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">\n"
        f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{text(title)}</h1>\n{body}</body>\n</html>\n"
    )


def text(value: object) -> str:
    """Text as markup, in which nothing is markup.

    Examples
    --------
    >>> text("<b>&'")
    '&lt;b&gt;&amp;&#x27;'
    """
    return html.escape(str(value), quote=True)


def number(value: float | None) -> str:
    """A number as a reader wants it; a dash where there is none.

    Examples
    --------
    >>> number(-0.123456), number(12.0), number(31234.5), number(float("nan"))
    ('−0.123', '12', '31,234', '–')
    """
    if value is None or pd.isna(value):
        return "–"
    return (f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}").replace("-", "−")


def interval(low: float, high: float) -> str:
    """An interval, or a dash where there is none."""
    return "–" if pd.isna(low) else f"{number(low)} to {number(high)}"


def table(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table; numbers are set to the right.

    Parameters
    ----------
    heads : sequence of str
    rows : iterable of sequences
        Of text and numbers.
    """

    def cell(value: Cell) -> str:
        if value is None or isinstance(value, (int, float)):
            return f'<td class="number">{number(value)}</td>'
        return f"<td>{value if isinstance(value, Markup) else text(value)}</td>"

    head = "".join(f'<th scope="col">{text(name)}</th>' for name in heads)
    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def recordings(sessions: pd.DataFrame, quality: pd.DataFrame) -> str:
    """How many mice, sessions and cells there are, by Cre line, area and session type.

    Parameters
    ----------
    sessions, quality : pandas.DataFrame
        Tables of sessions and of cells.
    """
    used = quality[quality["used"]].groupby("session_id").size()
    rows = sessions.assign(cells=sessions["session_id"].map(used).fillna(0).astype(int))
    keys = [key for key in ("cre_line", "area", "session_type") if key in rows]
    groups = rows.groupby(keys, sort=True).agg(
        mice=("mouse", "nunique"), sessions=("session_id", "size"), cells=("cells", "sum")
    )
    total = ["all", *[""] * (len(keys) - 1), rows["mouse"].nunique(), len(rows)]
    body = [[*group, *counts] for group, counts in zip(groups.index, groups.to_numpy().tolist())]
    heads = [*(in_words(key) for key in keys), "mice", "sessions", "cells used"]
    return table(heads, [*body, [*total, int(rows["cells"].sum())]])


def claims(rows: pd.DataFrame) -> str:
    """Every claim once, over the seeds: its estimates, what they rest on, the verdict and why.

    Parameters
    ----------
    rows : pandas.DataFrame
        Table of claims.
    """
    number_of = rows["verdict"].value_counts()
    said = ", ".join(f"{number_of.get(name, 0)} {words}" for name, words in VERDICTS.items())
    body = []
    for _, part in rows.groupby(["claim", "sae"], sort=False, dropna=False):
        first, counts = part.iloc[0], part["verdict"].value_counts()
        found = [name for name in VERDICTS if name in counts]
        verdict = ", ".join(f"{name} {counts[name]}" if len(part) > 1 else name for name in found)
        colour = "yes" if found == ["holds"] else "no" if "fails" in found else ""
        over = dict.fromkeys((part["n"].min(), part["n"].max()))
        body.append(
            [
                first["claim"] + (f" ({first['sae']})" if pd.notna(first["sae"]) else ""),
                "" if pd.isna(first["rival"]) else first["rival"],
                ", ".join(map(number, part["estimate"])),
                Markup(f"<span>{interval(part['ci_low'].min(), part['ci_high'].max())}</span>"),
                f"{' to '.join(map(number, over))} {first['of']}",
                Markup(f'<b class="{colour}">{verdict}</b>'),
                "; ".join(part["reason"].dropna().drop_duplicates()),
            ]
        )
    heads = ["claim", "against", "estimate", "interval", "over", "verdict", "because"]
    return f"<p>Of {len(rows)} claims {said}.</p>{table(heads, body)}"


def figures(drawn: Mapping[str, bytes], captions: Mapping[str, str]) -> str:
    """Figures with their captions.

    Parameters
    ----------
    drawn : mapping of bytes
        SVG of each figure, by name.
    captions : mapping of str
        By the same names.
    """
    parts = []
    for name, svg in drawn.items():
        data = base64.b64encode(svg).decode()
        parts.append(
            f'<figure id="{text(name)}"><img alt="{text(name)}: {text(captions[name])}" '
            f'src="data:image/svg+xml;base64,{data}"><figcaption><b>{text(name.capitalize())}.</b> '
            f"{text(captions[name])}</figcaption></figure>"
        )
    return "".join(parts)


def units(selectivity: pd.DataFrame, variables: Mapping[str, Variable]) -> str:
    """For each variable the unit that validation says is best, with a link into the browser.

    Parameters
    ----------
    selectivity : pandas.DataFrame
        Table of all dictionaries; shown are those on the trained decoder.
    variables : mapping of str to Variable
        What they are.
    """
    rows = selectivity[(selectivity["model"] == "trained") & selectivity["selected"].astype(bool)]
    rows = rows.sort_values("explained_selection", ascending=False, kind="stable")
    best = rows.drop_duplicates(["seed", "sae", "variable", "stimulus"])
    best = best.sort_values(["seed", "sae"], kind="stable")
    body = []
    for row in best.to_dict("records"):
        asked = urlencode({key: row[key] for key in ("model", "seed", "sae", "unit")})
        link = f'<a href="browser/index.html#{text(asked)}">unit {text(row["unit"])}</a>'
        unit = variables[row["variable"]].unit if row["variable"] != "movie_frame" else ""
        body.append(
            [
                *(in_words(row["variable"]), in_words(row["stimulus"])),
                *(row["sae"], row["seed"], f"{row['preferred']} {unit}".strip()),
                *(row["effect"], row["q"], Markup(link)),
            ]
        )
    heads = ["variable", "stimulus", "dictionary", "seed", "preferred", "effect on test", "q", ""]
    return table(heads, body) if body else '<p class="note">No unit was selected.</p>'


def details(summary: str, body: Any) -> str:
    """Text that is folded away, and not printed."""
    return f"<details><summary>{text(summary)}</summary><pre>{text(body)}</pre></details>"

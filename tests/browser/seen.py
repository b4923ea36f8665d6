"""What a page says, held against numbers."""

import json
import math
import re

import pandas as pd


def number(text: str) -> float:
    """What the page says, as a number."""
    found = re.search(r"[−-]?[\d.,]+(e[−+]?\d+)?", text)
    assert found, text
    return float(found[0].replace("−", "-").replace(",", ""))


def same(said: str, expected: float) -> bool:
    """Whether the page says a number, to three digits (two where it is tiny)."""
    if pd.isna(expected):
        return said.strip() == "–"
    return math.isclose(number(said), expected, rel_tol=0.006 if abs(expected) > 1e-3 else 0.06)


def texts(chromium, selector: str) -> list[str]:
    code = f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.textContent)"
    return chromium.run(code)

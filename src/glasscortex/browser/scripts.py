"""Data as classic scripts: what a page may load that was opened from a folder.

A browser lets a page of file:// load neither modules nor data, but scripts it runs. Each is one
call that hands over a name and a value.
"""

import json
from typing import Any

import numpy as np
import pandas as pd

DIGITS = 6
"""Significant digits of a number."""


def script(name: str, value: Any) -> str:
    r"""A script that hands a value to the page, under a name.

    Nothing in the value can end the script or start markup.

    Parameters
    ----------
    name : str
        That the page asks for it by.
    value : JSON value
        Or one that holds NumPy's arrays and numbers, or frames (as their columns).

    Examples
    --------
    >>> script("trained", {"mouse": "</script>", "mean": float("nan")})
    'glasscortex.receive("trained",{"mouse":"\\u003c/script>","mean":null});\n'
    """
    text = ",".join(
        json.dumps(part, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
        for part in (name, plain(value))
    )
    return f"glasscortex.receive({text.replace('<', chr(92) + 'u003c')});\n"


def plain(value: Any) -> Any:
    """The same as JSON has it: numbers with `DIGITS` significant digits, null for what is missing.

    Examples
    --------
    >>> plain(pd.DataFrame({"n": [1, 2], "mean": [1 / 3, float("nan")]}))
    {'n': [1, 2], 'mean': [0.333333, None]}
    """
    if isinstance(value, pd.DataFrame):
        return {name: plain(value[name].tolist()) for name in value}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
    return None if value is pd.NA or value is pd.NaT else value

"""Data as scripts: what goes in comes out, and nothing in it is markup or code."""

import json

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from glasscortex.browser.scripts import DIGITS, plain, script

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def received(text: str):
    """The name and the value that a script hands over."""
    inside = text.removeprefix("glasscortex.receive(").removesuffix(");\n")
    return json.loads(f"[{inside}]")


@given(st.text(), JSON)
def test_what_goes_in_comes_out_and_ends_no_script(name, value):
    text = script(name, value)
    assert "<" not in text
    assert text.isascii()
    assert text.count("\n") == 1
    assert received(text) == [name, value]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_their_digits(value):
    (kept,) = plain([value])
    assert kept == float(f"{value:.{DIGITS}g}")


def test_what_is_missing_is_null_and_what_is_numpys_is_a_number():
    table = pd.DataFrame({"n": [1, 2], "mean": [np.nan, np.float32(0.1)], "name": ["a", None]})
    table["trace"] = [np.array([1.0, np.inf]), np.array([2.0])]
    value = {"table": table, 3: np.int64(4), "yes": np.bool_(True), "pair": (1, np.nan)}
    assert received(script("x", value))[1] == {
        "table": {
            "n": [1, 2],
            "mean": [None, 0.1],
            "name": ["a", None],
            "trace": [[1.0, None], [2.0]],
        },
        "3": 4,
        "yes": True,
        "pair": [1, None],
    }

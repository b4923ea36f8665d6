"""Every key of the configuration, set to every kind of value that it may not have."""

import math
from collections.abc import Iterator
from typing import Any

from glasscortex.config import Config, validated
from glasscortex.errors import InputError

VALUES: dict[str, Any] = {
    "nothing": None,
    "text": "x",
    "no text": "",
    "a truth value": True,
    "a fraction": 0.3,
    "zero": 0,
    "a negative number": -1,
    "a fraction below zero": -0.5,
    "a million million": 10**12,
    "2 to the 64th": 2**64,
    "1e300": 1e300,
    "infinite": math.inf,
    "no number": math.nan,
    "an empty list": [],
    "a list": [1, 2, 3],
    "a list of texts": ["x", "x"],
    "a list of lists": [[1], [2]],
    "a table": {"x": 1},
    "a table of numbers": {1: 2},
    "a path upwards": "../../x",
    "a shell": "$(id); `id`",
    "markup": "<script>alert(1)</script>",
    "300 letters": "x" * 300,
    "a line break": "a\nb",
    "a zero byte": "a\0b",
    "a lone surrogate": "\udcff",
}


def outcomes() -> Iterator[tuple[str, str, str]]:
    """(key, value, outcome) of every setting with every value, in turn.

    "clear" is refused in one line that names a key, "silent" is taken, and a value that is the
    default one is not tried.
    """
    for key, default in _keys(Config().model_dump(mode="json")):
        for name, value in VALUES.items():
            if value != default:
                yield ".".join(key), name, _outcome(key, value)


def _outcome(key: tuple[str, ...], value: Any) -> str:
    settings: Any = value
    for part in reversed(key):
        settings = {part: settings}
    try:
        validated(settings)
    except InputError as error:
        line = str(error)
        return "clear" if line.startswith("config") and "\n" not in line else f"unclear: {line!r}"
    except Exception as error:
        return f"traceback: {type(error).__name__}: {error}"
    return "silent"


def _keys(settings: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[Any, Any]]:
    for name, value in settings.items():
        key = (*above, name)
        yield key, value
        if isinstance(value, dict):
            yield from _keys(value, key)

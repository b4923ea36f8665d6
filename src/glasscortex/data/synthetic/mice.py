"""Who is recorded: mice nested in Cre lines, their containers, sessions and identifiers."""

from zlib import crc32

import numpy as np
import pandas as pd

from glasscortex.config import SimulateConfig
from glasscortex.data.synthetic.cells import LINES
from glasscortex.errors import InputError

AREA = "VISp"
"""All simulated mice are imaged in primary visual cortex. Choice: then nothing but the Cre line
and its depth differs between mice."""

AGE_DAYS = 103
"""All simulated mice are of one age, and their sex is unknown."""

TYPE_DIGITS = {
    "three_session_A": 1,
    "three_session_B": 2,
    "three_session_C": 3,
    "three_session_C2": 4,
}


def sessions(config: SimulateConfig) -> pd.DataFrame:
    """The simulated sessions, one row each.

    The first n mice of every line have a session of a type that `config.sessions` gives n of.
    Sessions of one mouse share its container, hence its cells. Identifiers depend on the Cre
    line and the mouse's number in it, not on what else is simulated.

    Returns
    -------
    pandas.DataFrame
        session_id, container_id, mouse, cre_line, area, depth_um, session_type, sex, age_days,
        source.

    Raises
    ------
    InputError
        A Cre line is not simulated or given twice, or there is no session.
    """
    unknown = [line for line in config.cre_lines if line not in LINES]
    if unknown:
        raise InputError(
            f"config simulate.cre_lines: {', '.join(unknown)} is not simulated: "
            f"choose from {', '.join(LINES)}"
        )
    if len(set(config.cre_lines)) < len(config.cre_lines):
        raise InputError("config simulate.cre_lines names a line twice: remove one")
    rows = [
        _session(line, mouse, session_type)
        for line in config.cre_lines
        for mouse in range(config.mice_per_line)
        for session_type, mice in config.sessions.items()
        if mouse < mice
    ]
    if not rows:
        raise InputError("config simulate gives no session: set cre_lines, and sessions above 0")
    return pd.DataFrame(rows)


def _session(line: str, mouse: int, session_type: str) -> dict[str, str | int]:
    number = 1000 * (1 + list(LINES).index(line)) + mouse
    return {
        "session_id": str(700_000_000 + 10 * number + TYPE_DIGITS[session_type]),
        "container_id": str(600_000_000 + 10 * number),
        "mouse": f"{line}-{300_000 + number}",
        "cre_line": line,
        "area": AREA,
        "depth_um": LINES[line].depth_um,
        "session_type": session_type,
        "sex": "unknown",
        "age_days": AGE_DAYS,
        "source": "simulated",
    }


def generator(seed: int, *names: str) -> np.random.Generator:
    """Random numbers that depend on the seed and on the names only."""
    return np.random.default_rng([seed, *(crc32(name.encode()) for name in names)])

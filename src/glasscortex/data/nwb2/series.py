"""Series over time in a file of NWB 2: their times in seconds, and their values in a known unit."""

import logging
import re
from collections.abc import Mapping

import numpy as np

from glasscortex.data.nwb2.types import Typed
from glasscortex.data.recording import on_frames
from glasscortex.data.tree import Tree

SECONDS = {
    **dict.fromkeys(("", "s", "sec", "second"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond"), 1e-3),
    **dict.fromkeys(("us", "µs", "μs", "microsecond"), 1e-6),
    **dict.fromkeys(("min", "minute"), 60.0),
    **dict.fromkeys(("h", "hour"), 3600.0),
}
"""Units of time by name, a plural's s left out."""

CM_PER_S = {
    **dict.fromkeys(("cm/s", "cm/sec", "cm s-1", "centimeters per second"), 1.0),
    **dict.fromkeys(("m/s", "m/sec", "m s-1", "meters per second"), 100.0),
    **dict.fromkeys(("mm/s", "mm/sec", "mm s-1", "millimeters per second"), 0.1),
}
"""Units of speed by name."""

RUNNING = re.compile(
    r"^(running_?)?(speed|velocity)$|(run|treadmill|wheel|locomotion).*(speed|vel)"
)
PUPIL = re.compile(r"pupil.*(size|area|diameter|radius|width)")
"""Names, in small letters, of the series that hold running speed and the size of the pupil."""

logger = logging.getLogger(__name__)


def seconds_of(tree: Tree, key: str) -> float:
    """Seconds in the unit that a dataset of times declares.

    Raises
    ------
    InputError
        It declares another unit than one of time.
    """
    unit = str(tree.attributes(key).get("unit", "")).strip().lower()
    for name in (unit, unit.removesuffix("s")):
        if name in SECONDS:
            return SECONDS[name]
    raise tree.error(key, f"is in '{unit}', no unit of time", "write seconds")


def times(tree: Tree, key: str, count: int) -> np.ndarray:
    """Seconds of the samples of a series, (count,), from its timestamps or its start and rate.

    Raises
    ------
    InputError
        It has neither, another number of timestamps, or a rate that is none.
    """
    stamps, start = f"{key}/timestamps", f"{key}/starting_time"
    if stamps in tree:
        found = tree.numbers(stamps).astype(np.float64)
        if len(found) != count:
            raise tree.error(
                key,
                f"has {count} samples, but {len(found)} timestamps",
                "remove the file or mend it",
            )
        factor = seconds_of(tree, stamps)
        return found if factor == 1 else factor * found
    if start not in tree:
        raise tree.error(key, "has neither timestamps nor starting_time", "write one of them")
    rate = tree.attributes(start).get("rate")
    if not isinstance(rate, int | float) or not 0 < rate < np.inf:
        raise tree.error(start, f"has the rate {rate}", "write samples a second as its rate")
    first = tree.numbers(start, ndim=len(tree.shape(start))).ravel()[0]
    factor = seconds_of(tree, start)
    return factor * float(first) + np.arange(count) / rate


def scale(tree: Tree, key: str) -> tuple[float, float, str]:
    """Factor and offset that turn stored values into the declared unit, and the unit."""
    declared = tree.attributes(key)
    factor, offset = declared.get("conversion", 1.0), declared.get("offset", 0.0)
    for name, value in (("conversion", factor), ("offset", offset)):
        if not isinstance(value, int | float) or not np.isfinite(value):
            raise tree.error(key, f"has the {name} {value}", "write a number")
    return float(factor), float(offset), str(declared.get("unit", "")).strip()


def behaviour(tree: Tree, groups: list[Typed], time: np.ndarray) -> dict[str, np.ndarray]:
    """Running speed (cm/s) and size of the pupil, those measured, on the imaging frames.

    Parameters
    ----------
    tree : Tree
        An open file.
    groups : list of Typed
        What it holds.
    time : numpy.ndarray
        Seconds of the imaging frames, (frames,).

    Returns
    -------
    dict of str to numpy.ndarray
        float32 (frames,) each, NaN where nothing was measured.
    """
    found = {}
    for name, pattern in (("running_speed", RUNNING), ("pupil", PUPIL)):
        keys = [
            group.key
            for group in groups
            if pattern.search(group.name.lower())
            and f"{group.key}/data" in tree
            and np.prod(tree.shape(f"{group.key}/data")) > 1
        ]
        if not keys:
            continue
        if len(keys) > 1:
            logger.warning(
                "%s: /%s is taken for %s, not /%s", tree.path, keys[0], name, ", /".join(keys[1:])
            )
        found[name] = _measured(tree, keys[0], time, CM_PER_S if name == "running_speed" else {})
    return found


def _measured(tree: Tree, key: str, time: np.ndarray, units: Mapping[str, float]) -> np.ndarray:
    values = tree.numbers(f"{key}/data", ndim=len(tree.shape(f"{key}/data")))
    if values.ndim != 1:
        values = values.reshape(len(values), -1)
        if values.shape[1] != 1:
            raise tree.error(f"{key}/data", f"has shape {values.shape}", "keep one column")
        values = values[:, 0]
    factor, offset, unit = scale(tree, f"{key}/data")
    if units and unit.lower() not in units:
        logger.warning("%s: /%s is in '%s' and taken for cm/s: declare cm/s", tree.path, key, unit)
    to_unit = units.get(unit.lower(), 1.0)
    if (factor, offset, to_unit) != (1.0, 0.0, 1.0):
        values = (values * factor + offset) * to_unit
    return on_frames(tree.path, key, values, times(tree, key, len(values)), time)

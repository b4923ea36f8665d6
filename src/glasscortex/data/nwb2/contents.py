"""What is written into an NWB 2 file."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import AfterValidator, Field, PositiveFloat

from glasscortex.config.part import Name, Part
from glasscortex.data.metadata import UNKNOWN

PIXEL = np.dtype([("x", np.uint32), ("y", np.uint32), ("weight", np.float32)])
"""A pixel of a cell."""


def _in_utc(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


class Session(Part):
    """Who was recorded, where, when and how, as far as traces do not tell it."""

    session: Name
    start: Annotated[datetime, AfterValidator(_in_utc)]
    """UTC, unless it says another zone."""
    mouse: Name
    age: str = Field(pattern=r"^(P(\d+(\.\d+)?[YMWD])+|unknown)$")
    area: Name
    indicator: Name
    species: str = "Mus musculus"
    sex: Literal["M", "F", "O", "U"] = "U"
    genotype: str | None = None
    depth_um: PositiveFloat | tuple[PositiveFloat, ...] | None = None
    """Of all planes, or of each."""
    container: Name | None = None
    """What the sessions of one field of view have in common."""
    session_type: str | None = None
    excitation_nm: PositiveFloat | None = None
    emission_nm: PositiveFloat | None = None
    description: str = "two-photon imaging"

    @property
    def known_age(self) -> str | None:
        return None if self.age == UNKNOWN else self.age


@dataclass(frozen=True)
class PlaneContents:
    """The cells of one imaging plane."""

    name: str
    ids: np.ndarray
    """int64 (cells,), none twice."""
    signals: dict[str, np.ndarray]
    """Of dff, fluorescence and neuropil those that are known, float32 (cells, frames)."""
    pixels: list[np.ndarray]
    """Of each cell, `PIXEL` (pixels,); empty where its mask is unknown."""
    neuropil_r: np.ndarray | None = None
    """Share of the neuropil in the fluorescence, (cells,)."""


@dataclass(frozen=True)
class Measured:
    """A trace of behaviour."""

    values: np.ndarray
    """(samples,)"""
    time: np.ndarray
    """Seconds, (samples,)."""


@dataclass(frozen=True)
class Contents:
    """All that is written."""

    session: Session
    planes: list[PlaneContents]
    time: np.ndarray
    """Seconds of the imaging frames, (frames,)."""
    intervals: dict[str, pd.DataFrame]
    """By name of the stimulus: `start_time` and `stop_time` in seconds, and columns of its own."""
    behaviour: dict[str, Measured] = field(default_factory=dict)
    """running_speed (cm/s) and pupil, those measured."""

    @property
    def depths_um(self) -> tuple[float | None, ...]:
        """Depth of each plane."""
        told = self.session.depth_um
        return told if isinstance(told, tuple) else (told,) * len(self.planes)

"""What is asked of the units of a dictionary."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from glasscortex.config.part import Fraction, Part


class SelectivityConfig(Part):
    """Null distributions and thresholds of selectivity."""

    permutations: PositiveInt = 1000
    mouse_permutations: PositiveInt = 5000
    q: Fraction = Field(0.05, description="false discovery rate per variable")
    min_effect: Fraction = Field(0.01, description="smallest effect of a selective unit")
    min_active: PositiveInt = Field(20, description="fewest presentations on which a unit fires")


class AblationConfig(Part):
    """Which units are removed, how, and what they are compared with."""

    methods: tuple[Literal["zero", "mean", "resample"], ...] = Field(
        ("zero", "mean", "resample"), min_length=1
    )
    units: PositiveInt = Field(64, description="most units of one variable that are removed")
    doses: tuple[PositiveInt, ...] = (4, 8, 16, 32, 64)
    draws: PositiveInt = Field(20, description="matched random sets at the full dose")
    dose_draws: PositiveInt = Field(5, description="of these, at every smaller dose")
    windows: PositiveInt = Field(
        200, description="most test windows of one session and stimulus, evenly spread"
    )
    bootstraps: Annotated[int, Field(ge=50)] = Field(
        2000, description="resamples of an interval; a tail of 2.5 % needs many"
    )
    threads: PositiveInt = 1


class AttributionConfig(Part):
    """How closely it is looked at what units do to outputs, and what drives them."""

    windows: PositiveInt = Field(
        64, description="most test windows of one session and stimulus, evenly spread"
    )
    presentations: PositiveInt = Field(
        2, description="of these, those of a unit's largest responses, which are traced back"
    )
    nodes: PositiveInt = Field(12, description="points between silence and window")
    threads: PositiveInt = 1

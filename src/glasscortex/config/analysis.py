"""What is asked of the units of a dictionary."""

from typing import Literal

from pydantic import Field

from glasscortex.config.part import Count, Distinct, Fraction, Part, Size


class SelectivityConfig(Part):
    """Null distributions and thresholds of selectivity."""

    permutations: Count = 1000
    mouse_permutations: Count = 5000
    q: Fraction = Field(0.05, description="false discovery rate per variable")
    min_effect: Fraction = Field(0.01, description="smallest effect of a selective unit")
    min_active: Size = Field(20, description="fewest presentations on which a unit fires")


class AblationConfig(Part):
    """Which units are removed, how, and what they are compared with."""

    methods: Distinct[Literal["zero", "mean", "resample"]] = Field(
        ("resample", "zero", "mean"), min_length=1, description="the first is that of the claims"
    )
    units: Size = Field(64, description="most units of one variable that are removed")
    doses: Distinct[Size] = Field((4, 8, 16, 32, 64), min_length=1)
    draws: Size = Field(200, description="random sets of the chosen number, by the first method")
    dose_draws: Size = Field(10, description="of every other number, and by every other method")
    windows: Size = Field(
        200, description="most windows of one session, stimulus and split, evenly spread"
    )
    threads: Size = 1


class AttributionConfig(Part):
    """How closely it is looked at what units do to outputs, and what drives them."""

    windows: Size = Field(
        64, description="most test windows of one session and stimulus, evenly spread"
    )
    presentations: Size = Field(
        2, description="of these, those of a unit's largest responses, which are traced back"
    )
    nodes: Size = Field(12, description="points between silence and window")
    threads: Size = 1

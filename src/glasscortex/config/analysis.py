"""Sparse autoencoders, and what is asked of them."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from glasscortex.config.part import Fraction, Part
from glasscortex.words import HOOK


class SaeConfig(Part):
    """The sparse autoencoder on the transformer's activations."""

    hook: str = Field("latents.2", pattern=f"^{HOOK}$")
    width: PositiveInt = 256
    k: PositiveInt = 32
    steps: PositiveInt = 3000
    batch: PositiveInt = 1024
    learning_rate: PositiveFloat = 3e-3
    encoder_scale: PositiveFloat = Field(0.4, description="encoder starts at this times W_dec^T")
    aux_weight: Annotated[float, Field(ge=0)] = 1 / 32
    dead_after: PositiveInt = Field(20, description="batches without firing that make a unit dead")
    threads: PositiveInt = 1

    @model_validator(mode="after")
    def _k_fits(self):
        if self.k > self.width:
            raise ValueError(f"k is {self.k}, larger than width {self.width}: lower sae.k")
        return self


class SpliceConfig(Part):
    """The test that splicing leaves decoding unchanged."""

    margin: PositiveFloat = Field(
        0.1, description="largest change that counts as none, as a share of score above chance"
    )
    threads: PositiveInt = 1


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

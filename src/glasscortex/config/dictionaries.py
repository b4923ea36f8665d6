"""Dictionaries: what each architecture can be told, and the test of splicing them in.

An architecture has its settings here and its class in a module of `glasscortex.dictionaries`.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, model_validator

from glasscortex.config.part import Part
from glasscortex.words import HOOK


class DictionarySettings(Part):
    """Size and training of a dictionary that gradient descent fits."""

    width: PositiveInt = Field(256, description="units")
    steps: PositiveInt = 3000
    batch: PositiveInt = 1024
    learning_rate: PositiveFloat = 3e-3
    encoder_scale: PositiveFloat = Field(0.4, description="encoder starts at this times W_dec^T")
    dead_after: PositiveInt = Field(20, description="batches without firing that make a unit dead")


class KActive(Part):
    """How many of the units are active at once."""

    width: PositiveInt = Field(256, description="units")
    k: PositiveInt = Field(32, description="units that are active at once")

    @model_validator(mode="after")
    def _k_fits(self):
        if self.k > self.width:
            raise ValueError(f"k is {self.k}, larger than width {self.width}: lower k")
        return self


class TopKSettings(KActive, DictionarySettings):
    """Training of an autoencoder that keeps the largest units."""

    aux_weight: Annotated[float, Field(ge=0)] = 1 / 32


class Fitted(Part):
    """What the workflow fits a dictionary on, and with how many threads."""

    hook: str = Field("latents.2", pattern=f"^{HOOK}$")
    threads: PositiveInt = 1


class TopKConfig(TopKSettings, Fitted):
    """The k largest units of each token."""

    architecture: Literal["topk"] = "topk"


class BatchTopKConfig(TopKSettings, Fitted):
    """The largest units of a batch, k a token on average."""

    architecture: Literal["batch_topk"]


def _with_architecture(value: Any) -> Any:
    return {"architecture": "topk", **value} if isinstance(value, dict) else value


SaeConfig = Annotated[
    Annotated[TopKConfig | BatchTopKConfig, Field(discriminator="architecture")],
    BeforeValidator(_with_architecture),
]
"""The settings of one dictionary; `architecture` says which, and is topk if it is not there."""


class SpliceConfig(Part):
    """The test that splicing leaves decoding unchanged."""

    margin: PositiveFloat = Field(
        0.1, description="largest change that counts as none, as a share of score above chance"
    )
    threads: PositiveInt = 1

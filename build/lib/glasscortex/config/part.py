"""What the parts of the configuration have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat

Fraction = Annotated[float, Field(ge=0, le=1)]
Seconds = PositiveFloat
Name = Annotated[str, Field(coerce_numbers_to_str=True)]


class Part(BaseModel):
    """A part of the configuration: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

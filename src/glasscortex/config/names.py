"""Names that stand in a table of the package, as values of the configuration."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from glasscortex.config.part import Distinct
from glasscortex.words import BASELINES


@dataclass(frozen=True)
class OneOf:
    """One of these names: a Literal of those that a table holds.

    Attributes
    ----------
    names : tuple of str
        All that are legal.
    """

    names: tuple[str, ...]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.literal_schema(list(self.names))


BaselineName = Annotated[str, OneOf(tuple(BASELINES))]

TaskNames = Distinct[str] | Literal["all"]
"""What the decoder predicts; "all": every task that the sessions allow."""

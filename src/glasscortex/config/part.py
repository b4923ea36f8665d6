"""What the parts of the configuration have in common."""

import re
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveFloat, model_validator

T = TypeVar("T")


def _distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    if len(set(values)) < len(values):
        raise ValueError("names one twice: remove it")
    return values


def _rising(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError(f"{list(pair)} must be [smallest, largest]: turn them round")
    return pair


def plain_path(path: Path) -> Path:
    """A path of the user's with ~ filled in.

    Raises
    ------
    ValueError
        Snakemake would read it as a pattern, or it is an address (`s3://…`).
    """
    path = path.expanduser()
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:$", path.parts[0] if path.parts else ""):
        raise ValueError(
            f"{str(path)!r} is an address, and stages work on files: give a folder, and copy it "
            "there when the run has ended"
        )
    bad = sorted({letter for letter in str(path) if letter in "{}<>" or not letter.isprintable()})
    if bad:
        raise ValueError(f"{str(path)!r} holds {' '.join(bad)!r}, which Snakemake reads: rename it")
    return path


Fraction = Annotated[float, Field(ge=0, le=1)]
Seconds = PositiveFloat
Size = Annotated[int, Field(gt=0, le=1_000_000)]
"""Of what memory must hold."""
Count = Annotated[int, Field(gt=0, le=10_000_000)]
"""Of what is done one after the other."""
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Name = Annotated[str, Field(coerce_numbers_to_str=True)]
Distinct = Annotated[tuple[T, ...], AfterValidator(_distinct)]
Rising = Annotated[tuple[T, T], AfterValidator(_rising)]
UserPath = Annotated[Path, AfterValidator(plain_path)]
"""A path that may begin with ~."""


class Part(BaseModel):
    """A part of the configuration: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _no_number_is_a_truth_value(cls, settings):
        for name, field in cls.model_fields.items():
            value = settings.get(name) if isinstance(settings, dict) else None
            if isinstance(value, bool) and field.annotation is not bool:
                raise ValueError(f"{name} is {str(value).lower()}: give a value of its kind")
        return settings

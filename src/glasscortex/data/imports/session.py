"""What a user writes of a session beside its traces: a small file in YAML."""

from pathlib import Path

import yaml
from pydantic import NonNegativeFloat, PositiveFloat, ValidationError

from glasscortex.config.yaml_keys import check_keys
from glasscortex.data.nwb2.contents import Session
from glasscortex.errors import InputError


class WrittenSession(Session):
    """A session, and when its frames were imaged."""

    rate_hz: PositiveFloat | None = None
    """Imaging frames a second, of each plane; else as the traces' program says."""
    first_frame_s: NonNegativeFloat = 0.0
    """When imaging began, on the clock of the tables."""


def read_session(path: Path) -> WrittenSession:
    """Read and check the file.

    Parameters
    ----------
    path : Path
        YAML of `WrittenSession`.

    Raises
    ------
    InputError
        It is missing, is no YAML, or has missing, unknown or faulty keys: all in one line.
    """
    needed = [name for name, key in WrittenSession.model_fields.items() if key.is_required()]
    try:
        text = path.read_text()
        written = yaml.safe_load(text)
        check_keys(path)
        return WrittenSession.model_validate(written or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        said = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(
            f"{path} cannot be read ({said}): write there, in YAML, {', '.join(needed)}"
        ) from None
    except ValidationError as error:
        faults = error.errors()
        missing = [str(fault["loc"][0]) for fault in faults if fault["type"] == "missing"]
        told = [f"lacks {', '.join(missing)}"] if missing else []
        told += [
            f"{'.'.join(map(str, fault['loc'])) or 'it'}: {fault['msg']}"
            for fault in faults
            if fault["type"] != "missing"
        ]
        raise InputError(f"{path}: {'; '.join(told)}: mend it") from None

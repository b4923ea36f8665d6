"""What stages of several rooms are tested with."""

from tests.data.conftest import nwb

__all__ = ["nwb"]

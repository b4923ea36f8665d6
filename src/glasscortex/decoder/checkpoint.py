"""The state of a training that a killed run goes on from."""

import logging
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from glasscortex.errors import InputError
from glasscortex.files import seal_of, sealed_write, verified

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """Where the state of one training is kept between its runs.

    Attributes
    ----------
    path : pathlib.Path
        File of the state after some step; whole or absent.
    identity : str
        What stands for the settings and data of the training: a state of another is not taken up.
    """

    path: Path
    identity: str = ""

    def save(self, state: dict[str, Any]) -> None:
        """Replace what was kept.

        Not by `fabric.save`: a kill while it writes leaves a broken file in place of the last.
        """
        with sealed_write(self.path) as temporary:
            torch.save({"identity": self.identity, **state}, temporary)

    def load(self, device: torch.device) -> dict[str, Any] | None:
        """What was kept of this training, if anything that is whole."""
        if not self.path.exists():
            return None
        try:
            state = torch.load(verified(self.path), map_location=device, weights_only=True)
            belongs = state["identity"] == self.identity
        except (InputError, EOFError, KeyError, RuntimeError, TypeError, UnpicklingError):
            log.warning("%s is damaged: starting afresh", self.path)
            return None
        if not belongs:
            log.info("%s belongs to other settings or data: starting afresh", self.path)
            return None
        return state

    def remove(self) -> None:
        """Forget what was kept."""
        for path in (self.path, seal_of(self.path)):
            path.unlink(missing_ok=True)

    def __str__(self) -> str:
        return str(self.path)

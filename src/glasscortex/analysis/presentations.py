"""Units × presentations of one split: what tests of selectivity work on."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, Int64

from glasscortex.data.responses import Responses
from glasscortex.tasks import ALLEN, Definitions


@dataclass(frozen=True)
class Presentations:
    """Responses of units to presentations, and what was presented.

    Attributes
    ----------
    trials : pandas.DataFrame
        Rows of the trials table, with the column `mouse`; index 0 … n − 1, in order of time
        within sessions and stimuli.
    responses : ndarray of float32, shape (presentations, units)
        Mean activation of every unit, not negative.
    definitions : Definitions
        What the variables and tasks of the trials are.
    """

    trials: pd.DataFrame
    responses: Float32[np.ndarray, "presentations units"]
    definitions: Definitions = ALLEN

    @classmethod
    def joined(
        cls,
        responses: Responses,
        trials: pd.DataFrame,
        sessions: pd.DataFrame,
        definitions: Definitions = ALLEN,
    ) -> "Presentations":
        """Look up what was presented, and to which mouse.

        Parameters
        ----------
        responses : Responses
            Whose `trial` is the place of each presentation in `trials`.
        trials : pandas.DataFrame
            Trials of all sessions.
        sessions : pandas.DataFrame
            With the columns session_id and mouse.
        definitions : Definitions
            What the variables and tasks of the trials are.
        """
        presented = trials.iloc[responses.trial].reset_index(drop=True)
        mouse = presented["session_id"].map(sessions.set_index("session_id")["mouse"])
        return cls(presented.assign(mouse=mouse), responses.values, definitions)

    def where(self, mask: Bool[np.ndarray, " presentations"]) -> "Presentations":
        """Only the presentations where `mask` is true."""
        mask = np.asarray(mask)
        trials = self.trials[mask].reset_index(drop=True)
        return replace(self, trials=trials, responses=self.responses[mask])

    def of_units(self, units: Int64[np.ndarray, " units"]) -> "Presentations":
        """Only these units."""
        return replace(self, responses=self.responses[:, units])

    def of(self, variable: str, stimulus: str | None) -> "Presentations":
        """Only the presentations of a stimulus (None: of all) on which the variable is known."""
        return self.where(self.known(variable, stimulus))

    def known(self, variable: str, stimulus: str | None) -> Bool[np.ndarray, " presentations"]:
        """Whether a variable is known, on presentations of a stimulus (None: of all)."""
        mask = np.ones(len(self.trials), bool)
        if stimulus is not None:
            mask &= (self.trials["stimulus"] == stimulus).to_numpy()
        if variable in self.trials:
            mask &= self.trials[variable].notna().to_numpy()
        return mask

    def knows(self, variable: str, stimulus: str | None = None) -> bool:
        """Whether a variable is known on any presentation of a stimulus (None: of all)."""
        if variable not in self.trials:
            return False
        values = self.trials[variable]
        if stimulus is not None:
            values = values[self.trials["stimulus"] == stimulus]
        return bool(values.notna().any())

    def numbered(self, *columns: str) -> Int64[np.ndarray, " presentations"]:
        """Number of each presentation's group, groups by `columns`."""
        return self.trials.groupby(list(columns), sort=False).ngroup().to_numpy()

    def active(self) -> Int64[np.ndarray, " units"]:
        """On how many presentations each unit is active."""
        return (self.responses != 0).sum(axis=0)

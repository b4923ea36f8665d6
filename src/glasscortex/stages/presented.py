"""The responses of a dictionary's units, with what was presented."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from glasscortex.analysis.presentations import Presentations
from glasscortex.data.responses import read_responses
from glasscortex.data.store import verify
from glasscortex.words import SPLITS


def read_presentations(
    responses: Path,
    manifest: Path,
    trials: pd.DataFrame,
    sessions: pd.DataFrame,
    splits: Sequence[str] = SPLITS,
) -> list[Presentations]:
    """The responses of each split, with what was presented, and to which mouse.

    Parameters
    ----------
    responses, manifest : Path
        Responses of all units, and their checksums.
    trials, sessions : pandas.DataFrame
        The tables.
    splits : sequence of str

    Raises
    ------
    InputError
        The responses are not those of the manifest.
    """
    verify(responses, manifest)
    return [
        Presentations.joined(read_responses(responses, split), trials, sessions) for split in splits
    ]

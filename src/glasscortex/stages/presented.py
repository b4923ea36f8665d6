"""The responses of a dictionary's units, with what was presented, and the steps of its tokens."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from glasscortex.analysis.presentations import Presentations
from glasscortex.data.responses import Responses, read_responses
from glasscortex.data.store import verify
from glasscortex.files import verified
from glasscortex.tables import read_definitions, read_trials
from glasscortex.words import SPLITS


def read_presentations(
    responses: Path,
    manifest: Path,
    trials: Path,
    sessions: pd.DataFrame,
    splits: Sequence[str] = SPLITS,
    read: Callable[[Path, str], Responses] = read_responses,
) -> list[Presentations]:
    """The responses of each split, with what was presented, and to which mouse.

    Parameters
    ----------
    responses, manifest : Path
        Responses of all units, and their checksums.
    trials : Path
        Table of presentations.
    sessions : pandas.DataFrame
    splits : sequence of str
    read : callable
        `read_responses`, or `open_responses` where only some units are asked for at a time.

    Raises
    ------
    InputError
        The responses are not those of the manifest.
    """
    verify(responses, manifest)
    table, definitions = read_trials(trials), read_definitions(trials)
    return [
        Presentations.joined(read(responses, split), table, sessions, definitions)
        for split in splits
    ]


def clock(decoder: Path, hook: str) -> tuple[int | None, float]:
    """How the tokens of a window lie in time.

    Parameters
    ----------
    decoder : Path
        Its description.
    hook : str
        Where tokens were recorded.

    Returns
    -------
    each : int or None
        Tokens of a step of time; None at the readout, whose tokens are queries.
    step_s : float
        Its seconds.
    """
    described = json.loads(verified(decoder).read_text())
    model = described["model"]
    step_s = model.get("latent_step_s") or model["patch_frames"] / described["sample_rate_hz"]
    return (None if hook == "readout" else model["latents_per_step"]), step_s

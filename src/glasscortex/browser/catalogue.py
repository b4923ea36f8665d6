"""What all pages of the browser share: which dictionaries there are, and what names mean."""

from dataclasses import asdict
from typing import Any

import pandas as pd

from glasscortex import __version__
from glasscortex.tasks import ALLEN, Definitions
from glasscortex.words import BASELINES

SESSION = ["session_id", "mouse", "cre_line", "area", "depth_um", "session_type"]


def catalogue(
    sae: pd.DataFrame,
    sessions: pd.DataFrame,
    opened: list[str],
    sprites: dict[str, Any],
    definitions: Definitions = ALLEN,
) -> dict[str, Any]:
    """Describe the dictionaries, the recordings and the words.

    Parameters
    ----------
    sae : pandas.DataFrame
        Table of the dictionaries.
    sessions : pandas.DataFrame
        The recordings.
    opened : list of str
        Names of the dictionaries whose units are shown.
    sprites : dict
        By stimulus its sheet of pictures: file, width, height, columns, number.
    definitions : Definitions
        What the variables and tasks are.

    Returns
    -------
    dict
        JSON values and frames, as `glasscortex.browser.scripts.script` takes them.
    """
    test = sae[(sae["split"] == "test") & sae["sae"].isin(opened)]
    used = sessions[~sessions["held_out"].astype(bool)] if "held_out" in sessions else sessions
    return {
        "version": __version__,
        "fits": test.drop(columns="split"),
        "sessions": used[[name for name in SESSION if name in used]],
        "variables": {name: asdict(v) for name, v in definitions.variables.items()},
        "tasks": {
            name: {"name": name, "variable": task.variable.name, "stimulus": task.stimulus}
            for name, task in definitions.tasks.items()
        },
        "baselines": {name: baseline.label for name, baseline in BASELINES.items()},
        "sprites": sprites,
    }

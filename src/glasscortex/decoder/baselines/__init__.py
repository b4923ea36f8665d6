"""Simpler decoders that the transformer must beat, each of one session.

Each is a module here, named as in `glasscortex.words.BASELINES`, with a function `predict` of a
session's trials and windows, the configuration, the tasks, a seed and what the tasks are.
"""

from collections.abc import Mapping
from functools import partial
from importlib import import_module

import pandas as pd

from glasscortex.config import BaselineConfig, DecoderConfig, TaskNames
from glasscortex.data.windows import WindowsReader
from glasscortex.decoder.baselines.sessions import over_sessions
from glasscortex.decoder.scores import decoding_scores
from glasscortex.tasks import ALLEN, Definitions
from glasscortex.words import BASELINES


def baselines(
    trials: pd.DataFrame,
    windows: Mapping[str, WindowsReader],
    name: str,
    config: BaselineConfig | DecoderConfig,
    tasks: TaskNames = "all",
    processes: int = 1,
    seed: int = 0,
    definitions: Definitions = ALLEN,
) -> pd.DataFrame:
    """Score one baseline on the same windows as the transformer.

    Fits see the training split alone, validation chooses among candidates. Memory is that of one
    session a process; time grows with sessions × tasks.

    Parameters
    ----------
    trials : pandas.DataFrame
        Presentations of all sessions, with label columns.
    windows : mapping of str to WindowsReader
        Reader of each session's windows.
    name : str
        Of `BASELINES`.
    config : BaselineConfig or DecoderConfig
        Candidates; of single, the transformer and its training.
    tasks : tuple of str or "all"
        Names of the tasks.
    processes : int
        Sessions that are fitted side by side.
    seed : int
        Of what is random in fits, and of the intervals.
    definitions : Definitions
        What the tasks are.

    Returns
    -------
    pandas.DataFrame
        See `decoding_scores`.
    """
    names = [
        task
        for task in (definitions.tasks if tasks == "all" else tasks)
        if BASELINES[name].regresses or not definitions.tasks[task].is_regression
    ]
    # by name, so that another baseline's file is no source of this one's results
    module = import_module(f"{__name__}.{name}")
    fixed = {"config": config, "tasks": tuple(names), "seed": seed, "definitions": definitions}
    predict = partial(module.predict, **fixed)
    predictions = over_sessions(predict, trials, windows, names, processes)
    return decoding_scores(trials, predictions, seed, definitions)

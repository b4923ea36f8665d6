"""Predictions session by session, in one process or in several."""

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from glasscortex.data.windows import WindowsReader
from glasscortex.decoder.predictions import unpredicted

Predict = Callable[[pd.DataFrame, WindowsReader], dict[str, np.ndarray]]
"""By task the predictions (presentations,) of one session, from its trials and windows."""

Result = TypeVar("Result")


def over_sessions(
    predict: Predict,
    trials: pd.DataFrame,
    windows: Mapping[str, WindowsReader],
    tasks: Iterable[str],
    processes: int,
) -> dict[str, np.ndarray]:
    """Predictions for all presentations by a decoder of each session.

    Parameters
    ----------
    predict : callable
        From the trials of one session, numbered from 0, and its windows to predictions by task.
    trials : pandas.DataFrame
        Presentations of all sessions.
    windows : mapping of str to WindowsReader
        Reader of each session's windows.
    tasks : iterable of str
        Their names.
    processes : int
        Sessions side by side.

    Returns
    -------
    dict of str to numpy.ndarray
        By task, (presentations,) of `PREDICTION`.
    """
    predictions = {name: unpredicted(len(trials)) for name in tasks}
    groups = trials.groupby("session_id", sort=False).indices
    work = (
        (trials.iloc[rows].reset_index(drop=True), windows[session])
        for session, rows in groups.items()
    )
    for rows, own in zip(groups.values(), side_by_side(predict, work, processes)):
        for name, prediction in own.items():
            predictions[name][rows] = prediction
    return predictions


def side_by_side(
    function: Callable[..., Result], arguments: Iterable[tuple], processes: int
) -> Iterator[Result]:
    """What the function returns for each tuple of arguments, in their order.

    Every process uses one thread for linear algebra, so that the numbers are the same however
    many processes there are. The function is sent once to each.

    Parameters
    ----------
    function : callable
        Picklable, where there are several processes.
    arguments : iterable of tuple
        Of one call each.
    processes : int
        One: this process itself.

    Yields
    ------
    object
        What one call returned.
    """
    if processes == 1:
        with threadpool_limits(1):
            for each in arguments:
                yield function(*each)
        return
    # pickled here: torch would send every tensor of it as an open file
    sent = pickle.dumps(function)
    with ProcessPoolExecutor(processes, get_context("spawn"), _prepare, (sent,)) as pool:
        yield from pool.map(_call, arguments)


_function: Callable[..., Any]
"""Of a process that works for others."""


def _prepare(sent: bytes) -> None:
    global _function
    threadpool_limits(1)
    _function = pickle.loads(sent)


def _call(arguments: tuple) -> Any:
    return _function(*arguments)

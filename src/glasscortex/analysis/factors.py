"""The factors that the simulator made the recordings from, as its ground truth has them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from glasscortex.tasks import ALLEN

PARAMETERS = {
    "direction": "preferred_direction_deg",
    "orientation": "preferred_direction_deg",
    "temporal_frequency": "temporal_frequency_hz",
    "spatial_frequency": "spatial_frequency_cpd",
    "phase": "preferred_phase",
}
"""By variable of a stimulus, the parameter of simulated cells that says which label they prefer."""


@dataclass(frozen=True)
class Truth:
    """What one session was simulated from, as far as it concerns one stimulus.

    Attributes
    ----------
    cells : dict of ndarray, shape (cells,)
        Parameters of the cells.
    rates : ndarray, shape (presentations, cells)
        True rate of every cell.
    gain : ndarray, shape (presentations,)
        What the rates of all cells are multiplied with.
    """

    cells: dict[str, Float[np.ndarray, " cells"]]
    rates: Float[np.ndarray, "presentations cells"]
    gain: Float[np.ndarray, " presentations"]


ReadTruth = Callable[[str, str], Truth]
"""From session_id and stimulus to the ground truth."""


def labels_of(trials: pd.DataFrame) -> dict[str, np.ndarray]:
    """The labels of every variable that these trials differ in and cells are tuned to.

    Parameters
    ----------
    trials : pandas.DataFrame
        Presentations of one stimulus.
    """
    return {
        variable: np.unique(trials[variable].dropna())
        for variable in PARAMETERS
        if trials[variable].notna().any()
    }


def factors_of(
    trials: pd.DataFrame, stimulus: str, labels: dict[str, np.ndarray], truth: ReadTruth
) -> dict[str, Float[np.ndarray, " presentations"]]:
    """True factors on the presentations of one stimulus.

    Parameters
    ----------
    trials : pandas.DataFrame
        Presentations of one split.
    stimulus : str
    labels : dict of ndarray
        By variable, the labels that cells are sorted by.
    truth : callable
        Reads the ground truth of one session and stimulus.

    Returns
    -------
    dict of ndarray, shape (presentations,)
        By factor, such as "direction=45" or "gain"; NaN in sessions without such cells.
    """
    factors: dict[str, np.ndarray] = {}
    for session_id, rows in trials.groupby("session_id", sort=False).indices.items():
        presentation = trials["presentation"].to_numpy()[rows]
        for factor, values in _factors(truth(session_id, stimulus), labels):
            column = factors.setdefault(factor, np.full(len(trials), np.nan))
            column[rows] = values[presentation]
    return factors


def _factors(
    truth: Truth, labels: dict[str, np.ndarray]
) -> Iterator[tuple[str, Float[np.ndarray, " presentations"]]]:
    """Name and values of every factor in one session."""
    for variable, values in labels.items():
        own = truth.cells[PARAMETERS[variable]]
        nearest = np.argmin([distance(variable, own, label) for label in values], axis=0)
        for i, label in enumerate(values):
            some = nearest == i
            n = len(truth.rates)
            mean = truth.rates[:, some].mean(axis=1) if some.any() else np.full(n, np.nan)
            yield f"{variable}={label:g}", mean
    yield "gain", truth.gain


def distance(variable: str, values: np.ndarray, label: float) -> np.ndarray:
    """How far values of a variable are from a label: round the circle, or in octaves.

    Examples
    --------
    >>> distance("orientation", np.array([170.0, 95.0]), 10.0)
    array([20., 85.])
    >>> distance("temporal_frequency", np.array([1.0, 8.0]), 2.0)
    array([1., 2.])
    """
    if period := ALLEN.variables[variable].period:
        apart = np.abs(values - label) % period
        return np.minimum(apart, period - apart)
    return np.abs(np.log2(values / label))

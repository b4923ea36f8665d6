"""Do units recover the factors that the simulator made the recordings from?

Nothing else reads the ground truth.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from glasscortex.analysis import effects, nulls
from glasscortex.analysis.presentations import Presentations
from glasscortex.tasks import VARIABLES

DRAWS = 200
"""Permutations behind the column `null`."""

COLUMNS = [
    *("factor", "stimulus", "unit", "score", "null", "p"),
    *("score_selection", "n", "n_sessions"),
]

PARAMETERS = {
    "direction": "preferred_direction_deg",
    "orientation": "preferred_direction_deg",
    "temporal_frequency": "temporal_frequency_hz",
    "spatial_frequency": "spatial_frequency_cpd",
    "phase": "preferred_phase",
}
"""By variable of a stimulus, the parameter of simulated cells that says which label they prefer."""

GAIN_STIMULI = ("drifting_gratings", "static_gratings", "natural_scenes")


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


def recovery(
    validation: Presentations,
    test: Presentations,
    trials: pd.DataFrame,
    truth: ReadTruth,
    name: str = "",
    seed: int = 0,
) -> pd.DataFrame:
    """Find for every factor the unit that follows it best.

    A factor is the mean true rate of the cells of a session that prefer one label (the nearest to
    their own preference), or the gain that all cells share. Score is Pearson's correlation of a
    unit's response with the factor over presentations, both centred within session and block and
    the factor scaled within the session. The unit, and its sign, are chosen on validation and
    scored on test; `null` is the 95 % quantile of the score when the same is done with the
    presentations permuted within session and block.

    Parameters
    ----------
    validation, test : Presentations
        Responses of all units.
    trials : pandas.DataFrame
        Of all splits; cells are sorted by the labels in it.
    truth : callable
        Reads the ground truth of one session and stimulus.
    name : str
        Of the dictionary; other names draw other random numbers.
    seed : int
        Of all random numbers.

    Returns
    -------
    pandas.DataFrame
        One row a factor.
    """
    rows = []
    for stimulus in GAIN_STIMULI:
        splits = [p.where(p.trials["stimulus"] == stimulus) for p in (validation, test)]
        if min(len(split.trials) for split in splits) == 0:
            continue
        labels = _labels(trials[trials["stimulus"] == stimulus])
        factors = [factors_of(split.trials, stimulus, labels, truth) for split in splits]
        for factor in factors[0]:
            key = f"recovery {name} {factor} {stimulus}"
            rng = np.random.default_rng([seed, zlib.crc32(key.encode())])
            row = recovered(splits, [values[factor] for values in factors], rng)
            if row:
                rows.append({"factor": factor, "stimulus": stimulus} | row)
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def _labels(trials: pd.DataFrame) -> dict[str, np.ndarray]:
    """The labels of every variable that these trials differ in and cells are tuned to."""
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
    if period := VARIABLES[variable].period:
        apart = np.abs(values - label) % period
        return np.minimum(apart, period - apart)
    return np.abs(np.log2(values / label))


def recovered(
    splits: list[Presentations],
    factor: list[Float[np.ndarray, " presentations"]],
    rng: np.random.Generator,
) -> dict[str, float] | None:
    """The unit that follows a factor best on validation, and how well it does on test.

    Parameters
    ----------
    splits : list of Presentations
        Validation and test.
    factor : list of ndarray, shape (presentations,)
        Its values on each; NaN where it is not known.
    rng : numpy.random.Generator

    Returns
    -------
    dict or None
        unit, score, null, p, score_selection, n, n_sessions; None if the factor does not vary.
    """
    prepared = []
    for split, values in zip(splits, factor, strict=True):
        known = split.where(np.isfinite(values))
        if known.trials.empty:
            return None
        blocks = known.numbered("session_id", "block")
        sessions = known.numbered("session_id")
        own = _scaled(effects.centred(values[np.isfinite(values)][:, None], blocks), sessions)[:, 0]
        units = effects.standardised(effects.centred(known.responses.astype(np.float64), blocks))
        orders = nulls.permutations(blocks, DRAWS, rng)
        permuted = np.stack([own, *(own[order] for order in orders)])
        length = np.sqrt((own**2).sum())
        if length == 0:
            return None
        prepared.append(permuted @ units / length)
    selection, test = prepared
    unit = np.abs(selection).argmax(axis=1)
    each = np.arange(len(unit))
    chosen = selection[each, unit]
    score = test[each, unit] * np.sign(chosen)
    return {
        "unit": int(unit[0]),
        "score": score[0],
        "null": np.quantile(score[1:], 0.95),
        "p": (1 + (score[1:] >= score[0]).sum()) / len(score),
        "score_selection": chosen[0],
        "n": len(own),
        "n_sessions": int(sessions.max()) + 1,
    }


def _scaled(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Values (observations, 1) with mean square 1 in every group; 0 where they do not vary."""
    rms = np.sqrt(effects.group_means(values**2, groups))[groups]
    return np.divide(values, rms, out=np.zeros_like(values), where=rms > 1e-12)

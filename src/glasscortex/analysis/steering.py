"""Whether adding a unit turns what is decoded to the label that the unit stands for."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64
from torch import Tensor

from glasscortex.analysis.bench import Bench
from glasscortex.analysis.edits import Series
from glasscortex.data.batches import Batch
from glasscortex.decoder.evaluate import Edit
from glasscortex.intervals import mean_interval

UNITS = 4
"""Units of a variable that are added, one at a time: the most specific."""

DOSES = (1, 4, 16)
"""How much is added, in mean activations on presentations of the unit's label."""

COLUMNS = [
    *("variable", "task", "dose", "condition", "measure", "value", "ci_low", "ci_high"),
    *("n_units", "n_sessions"),
]


class Addition:
    """An edit that adds the same to every token.

    Parameters
    ----------
    added : Tensor, shape (dim,)
    """

    def __init__(self, added: Float[Tensor, " dim"]):
        self._added = added

    def __call__(
        self, x: Float[Tensor, "windows tokens dim"], batch: Batch
    ) -> Float[Tensor, "windows tokens dim"]:
        return x + self._added


def steered(
    bench: Bench,
    own: dict[str, Int64[np.ndarray, " own"]],
    alive: Int64[np.ndarray, " alive"],
    mice: pd.Series,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Add units of every classification's variable, and see what is decoded.

    A unit stands for the label on which its mean activation on validation is highest. On test,
    `turned` is the share of the presentations of other labels that are decoded as this one, less
    the share without an addition; `lost` is what the other tasks lose. Both are means over the
    variable's units, with an interval over mice. Rows with the condition random add another living
    unit each, at the same ‖Δx‖.

    Parameters
    ----------
    bench : Bench
    own : dict of ndarray of int
        Units by task, the most specific first.
    alive : ndarray of int, shape (alive,)
        What is drawn from.
    mice : pandas.Series
        Mouse by session_id.
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        One row a variable, task, dose and condition.
    """
    series, shapes = [], {}
    for task, units in own.items():
        if bench.tasks[task].classes:
            series += _series(bench, task, units[:UNITS], alive, rng)
            shapes[task] = len(DOSES), min(UNITS, len(units))
    found: dict[tuple[str, str, str], dict[str, np.ndarray]] = {}
    for session_id, scores in bench.under("test", series):
        for place, (variable, shape) in enumerate(shapes.items()):
            before, turned, by_random, intact, edited = scores[5 * place : 5 * place + 5]
            for condition, after in (("own", turned), ("random", by_random)):
                for task in after:
                    share = np.nanmean(after[task].reshape(shape) - before[task], axis=1)
                    found.setdefault((variable, task, condition), {})[session_id] = share
            for task in edited:
                lost = (intact[task] - edited[task].reshape(shape)).mean(axis=1)
                found.setdefault((variable, task, "own"), {})[session_id] = lost
    rows = []
    for (variable, task, condition), of_session in found.items():
        values = np.stack(list(of_session.values()))
        clusters = pd.Series(list(of_session)).map(mice).factorize()[0]
        low, high = mean_interval(values, clusters)
        measure = "turned" if task == variable else "lost"
        for i, dose in enumerate(DOSES):
            ends = np.nanmean(values[:, i]), low[i], high[i]
            counts = shapes[variable][1], len(values)
            rows.append((variable, task, dose, condition, measure, *ends, *counts))
    return pd.DataFrame(rows, columns=COLUMNS)


def _series(
    bench: Bench,
    task: str,
    units: Int64[np.ndarray, " n"],
    alive: Int64[np.ndarray, " alive"],
    rng: np.random.Generator,
) -> list[Series]:
    """What is decoded intact, with own and with random units, and of other tasks alike."""
    response = bench.moments.responses[task][units]
    level, label = response.max(dim=1)
    own, random = bench.atoms[units], bench.atoms[rng.choice(alive, len(units))]
    alike = random * own.norm(dim=1, keepdim=True) / random.norm(dim=1, keepdim=True)
    goals, others = label.tolist(), tuple(other for other in bench.tasks if other != task)
    intact: list[Edit] = [lambda x, batch: x]

    def added(atoms: Float[Tensor, "n dim"]) -> list[Edit]:
        return [Addition(dose * part) for dose in DOSES for part in level[:, None] * atoms]

    return [
        Series((task,), intact, goals),
        Series((task,), added(own), goals * len(DOSES)),
        Series((task,), added(alike), goals * len(DOSES)),
        Series(others, intact),
        Series(others, added(own)),
    ]

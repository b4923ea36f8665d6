"""Whether two variables' units together cost more than the sum of what each costs alone."""

import numpy as np
import pandas as pd
from jaxtyping import Int64

from glasscortex.analysis.bench import Bench, Condition
from glasscortex.intervals import mean_interval

COLUMNS = [
    *("variable", "other", "n_units", "n_others", "method"),
    *("delta", "delta_others", "delta_both", "interaction", "ci_low", "ci_high", "n_sessions"),
]


def interactions(
    bench: Bench, own: dict[str, Int64[np.ndarray, " own"]], mice: pd.Series, method: str
) -> pd.DataFrame:
    """Remove the units of every two unrelated variables, alone and together.

    Units that are both variables' count as the first's alone. All three removals are measured on
    the first variable's task, with activations of the same other windows, so that a sum of them is
    one of equals. What is lost together beyond the sum is 0 where units work side by side, above 0
    where one makes up for the other, and below where both carry the same or little is left to lose.

    Parameters
    ----------
    bench : Bench
    own : dict of ndarray of int
        Units that are removed, by the task of their variable.
    mice : pandas.Series
        Mouse by session_id.
    method : str
        What an activation becomes, see `Condition`.

    Returns
    -------
    pandas.DataFrame
        One row an ordered pair of variables: what their units cost the task of `variable`, mean
        over sessions, and the `interaction` with its 95 % interval over mice.
    """
    pairs = [
        (task, other, sorted(set(theirs.tolist()) - set(units.tolist())))
        for task, units in own.items()
        for other, theirs in own.items()
        if other not in bench.definitions.related(task)
    ]
    pairs = [pair for pair in pairs if pair[2]]
    conditions = [Condition(task, method, tuple(units.tolist())) for task, units in own.items()]
    for task, _, others in pairs:
        both = (*own[task].tolist(), *others)
        conditions += [Condition(task, method, tuple(others)), Condition(task, method, both)]
    if not pairs:
        return pd.DataFrame(columns=COLUMNS)
    scores = bench.scores("test", conditions, own_alone=True)
    rows = []
    for place, (task, other, others) in enumerate(pairs):
        numbers = [list(own).index(task), *(len(own) + 2 * place + i for i in range(2))]
        of_task = scores[scores["task"] == task].dropna(subset=["intact"])
        lost = -of_task[numbers].sub(of_task["intact"], axis=0).to_numpy(np.float64)
        beyond = lost[:, 2] - lost[:, 0] - lost[:, 1]
        clusters = of_task["session_id"].map(mice).factorize()[0]
        ends = (float(end) for end in mean_interval(beyond, clusters))
        sizes = len(own[task]), len(others), method
        values = *lost.mean(axis=0), beyond.mean(), *ends, len(of_task)
        rows.append((task, other, *sizes, *values))
    return pd.DataFrame(rows, columns=COLUMNS)

"""Means over sessions of what `probing` measures, and differences between dictionaries."""

from collections.abc import Iterable, Iterator

import pandas as pd

from glasscortex.analysis.intervals import stratified_mean
from glasscortex.tasks import ALLEN

GRATINGS = {
    name
    for name, task in ALLEN.tasks.items()
    if task.stimulus in ("drifting_gratings", "static_gratings")
}
"""Tasks of gratings."""


def judged(tasks: Iterable[str]) -> tuple[str, list[str]]:
    """What a dictionary is judged by in one number: the mean over the tasks of gratings.

    Where none were shown it is that over all tasks.

    Parameters
    ----------
    tasks : iterable of str

    Returns
    -------
    tuple
        The name of the mean, in the place of a task's, and the tasks that it is over.

    Examples
    --------
    >>> judged(["direction", "phase", "scene"])
    ('all gratings', ['direction', 'phase'])
    >>> judged(["movie_one"])
    ('all classes', ['movie_one'])
    """
    known = list(tasks)
    gratings = [task for task in known if task in GRATINGS]
    return ("all gratings", gratings) if gratings else ("all classes", known)


def summarised(probes: pd.DataFrame) -> pd.DataFrame:
    """Means over sessions, with their 95 % intervals.

    Parameters
    ----------
    probes : pandas.DataFrame
        Of one dictionary and split, as `probing` returns them.

    Returns
    -------
    pandas.DataFrame
        task (each, and what `judged` names), measure, value, ci_low, ci_high, chance,
        n_sessions.
    """
    chance = probes.pivot_table(index="measure", columns="task", values="chance")
    rows = [
        (
            task,
            measure,
            *stratified_mean(values.to_numpy()),
            chance.loc[measure, own].mean(),
            len(values),
        )
        for measure, table in _by_session(probes)
        for task, own in _tasks(table)
        for values in [table[own].dropna(how="all")]
    ]
    columns = ["task", "measure", "value", "ci_low", "ci_high", "chance", "n_sessions"]
    return pd.DataFrame(rows, columns=columns)


def compared(probes: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Differences between two dictionaries, paired by session, with their 95 % intervals.

    Parameters
    ----------
    probes, others : pandas.DataFrame
        Of one dictionary and split each, as `probing` returns them.

    Returns
    -------
    pandas.DataFrame
        task (each, and what `judged` names), measure, difference (`probes` less `others`),
        ci_low, ci_high, n_sessions.
    """
    other = dict(_by_session(others))
    rows = [
        (task, measure, *stratified_mean(values.to_numpy()), len(values))
        for measure, table in _by_session(probes)
        if measure in other
        for difference in [(table - other[measure]).dropna(axis=1, how="all")]
        for task, own in _tasks(difference)
        for values in [difference[own].dropna(how="all")]
    ]
    columns = ["task", "measure", "difference", "ci_low", "ci_high", "n_sessions"]
    return pd.DataFrame(rows, columns=columns)


def _tasks(table: pd.DataFrame) -> Iterator[tuple[str, list[str]]]:
    """Each task of a table's columns, and what it is judged by, with its columns."""
    for task in table:
        yield task, [task]
    if len(table.columns):
        yield judged(table)


def _by_session(probes: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each measure, and its values (sessions, tasks) in which sessions count alike.

    A weighted mean m = Σ w v / Σ w is the mean of m + w (v − m) / w̄, whose spread is, to first
    order, that of m (the linearisation of a ratio; Cochran 1977, Sampling Techniques, ch. 6).
    """
    probes = probes.assign(total=probes["value"].fillna(0) * probes["weight"])
    groups = probes.groupby(["task", "measure"])
    mean = groups["total"].transform("sum") / groups["weight"].transform("sum")
    off = (probes["total"] - probes["weight"] * mean) / groups["weight"].transform("mean")
    order = list(dict.fromkeys(probes["task"]))
    for measure, rows in probes.assign(own=mean + off).groupby("measure", sort=False):
        yield (
            measure,
            rows.pivot(index="session_id", columns="task", values="own")[
                [task for task in order if task in set(rows["task"])]
            ],
        )

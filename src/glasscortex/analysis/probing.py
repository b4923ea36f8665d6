"""How well few units of a dictionary tell the classes of a variable apart."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float32, Int64
from scipy import linalg

from glasscortex.analysis import effects
from glasscortex.analysis.intervals import stratified_mean
from glasscortex.analysis.presentations import Presentations
from glasscortex.tasks import TASKS, Task

COLUMNS = ["task", "split", "measure", "session_id", "value", "weight", "chance", "n"]

UNITS = (1, 2, 5)
"""Numbers of units that tell a class from the rest."""

RIDGE = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Candidates of the dense probe's penalty, as a share of a unit's sum of squares."""

TOP = 0.02
"""Share of the presentations that purity looks at …"""
FEWEST = 5
"""… and their least number."""

GRATINGS = ("drifting_gratings", "static_gratings")

ALL_GRATINGS = "all gratings"
"""In the place of a task: the mean over the tasks of gratings."""


@dataclass(frozen=True)
class _Labelled:
    """Presentations of one split on which the class is known."""

    x: Float32[np.ndarray, "presentations units"]
    """Responses, less the session's mean on train, over the deviation on train."""
    y: Bool[np.ndarray, "presentations classes"]
    session: Int64[np.ndarray, " presentations"]


@dataclass(frozen=True)
class _Probe:
    """Units chosen for every class, and what tells the class from the rest."""

    units: Int64[np.ndarray, "step classes"]
    """In the order of choice."""
    few: dict[int, Float[np.ndarray, "step classes"]]
    """Their weights in the least squares of the first so many."""
    dense: Float[np.ndarray, "units classes"]
    """Weights of all units."""

    def scores(self, x: Float32[np.ndarray, "presentations units"]) -> dict[str, np.ndarray]:
        """By measure, what is large for a class (presentations, classes).

        Sums of few units are taken element by element: a matrix product could break their ties.
        """
        few = {
            f"auroc_{n}": sum(x[:, self.units[i]] * weights[i] for i in range(n))
            for n, weights in self.few.items()
        }
        return few | {"auroc_dense": x @ self.dense}


def probing(train: Presentations, validation: Presentations, test: Presentations) -> pd.DataFrame:
    """Tell each class of every task from the rest by one, two, five and all units.

    Responses are centred by session, with its mean on train. Units are chosen on train, by forward
    selection in the least squares of the class's indicator, session by session centred; all units
    together are a ridge regression whose penalty validation chooses.

    Parameters
    ----------
    train, validation, test : Presentations
        Responses of all units.

    Returns
    -------
    pandas.DataFrame
        A row a task, split (validation, test), measure and session, with the columns `COLUMNS`.
        Measures: auroc_1, auroc_2, auroc_5, auroc_dense, the area under the ROC curve within the
        session, mean over the classes that it shows (ties count half); and purity, the share of a
        class among the `TOP` presentations of its best unit (all sessions together, mean over
        classes; ties are shared out). The mean over sessions, weighted by `weight`, is the
        dictionary's value: weights are 1, and those of purity say how much of the top is the
        session's own. `n` is the number of the session's presentations.

    References
    ----------
    Gurnee et al. 2023, "Finding neurons in a haystack: case studies with sparse probing"
    (arXiv 2305.01610).
    """
    rows = []
    for task in TASKS.values():
        if task.is_regression:
            continue
        labelled = _labelled(task, [train, validation, test])
        if labelled is None:
            continue
        names, (fitted, *scored) = labelled
        probe = _probe(fitted, scored[0])
        for split, part in zip(("validation", "test"), scored, strict=True):
            for measure, session, *values in _measured(probe, part):
                rows.append((task.name, split, measure, names[session], *values))
    return pd.DataFrame(rows, columns=COLUMNS)


def _labelled(task: Task, splits: list[Presentations]) -> tuple[np.ndarray, list[_Labelled]] | None:
    """Names of the sessions, and each split's presentations; None if there is nothing to tell."""
    known = [
        split.of(task.column, task.stimulus) for split in splits if task.column in split.trials
    ]
    if len(known) < len(splits):
        return None
    train = known[0].trials
    names, classes = (np.unique(train[column]) for column in ("session_id", task.column))
    if len(classes) < 2:
        return None
    kept = [part.where(part.trials["session_id"].isin(names).to_numpy()) for part in known]
    sessions = [np.searchsorted(names, part.trials["session_id"]) for part in kept]
    means = effects.group_means(kept[0].responses, sessions[0])
    centred = [part.responses - means[own] for part, own in zip(kept, sessions, strict=True)]
    deviation = np.sqrt(np.einsum("nu,nu->u", centred[0], centred[0]) / len(centred[0]))
    scale = np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    return names, [
        _Labelled(x * scale, part.trials[task.column].to_numpy()[:, None] == classes, own)
        for x, part, own in zip(centred, kept, sessions, strict=True)
    ]


def _probe(train: _Labelled, validation: _Labelled) -> _Probe:
    gram = (train.x.T @ train.x).astype(np.float64)
    target = effects.centred(train.y.astype(np.float32), train.session)
    moments = (train.x.T @ target).astype(np.float64)
    units = forward_selection(gram, moments, max(UNITS))
    few = {n: _least_squares(gram, moments, units[:n]) for n in UNITS if n <= len(units)}
    return _Probe(units, few, _ridge(gram, moments, len(train.x), validation))


def forward_selection(
    gram: Float[np.ndarray, "units units"], moments: Float[np.ndarray, "units classes"], most: int
) -> Int64[np.ndarray, "step classes"]:
    """Units that lower the squared error of each target most, one after another.

    A pivoted Cholesky factorisation of the Gram matrix, another one for every target.

    Parameters
    ----------
    gram : ndarray, shape (units, units)
        Products of the units.
    moments : ndarray, shape (units, classes)
        Products of the units with the targets.
    most : int
        How many units are chosen, if there are so many.

    Returns
    -------
    ndarray of int, shape (min(most, units), classes)

    Examples
    --------
    >>> x = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
    >>> forward_selection(x.T @ x, x.T @ np.array([[1.0], [0.0], [0.0]]), 2)[0].tolist()
    [0]
    """
    each = np.arange(moments.shape[1])
    left = np.repeat(np.diag(gram)[None].copy(), len(each), axis=0)
    smallest = 1e-5 * left
    gain = moments.T.copy()
    directions: list[np.ndarray] = []
    chosen: list[np.ndarray] = []
    for _ in range(min(most, len(gram))):
        usable = left > smallest
        unit = np.where(usable, gain**2 / np.where(usable, left, 1), -1.0).argmax(axis=1)
        direction = gram[unit] - sum(q * q[each, unit][:, None] for q in directions)
        length = np.sqrt(np.where(usable[each, unit], left[each, unit], np.inf))
        direction /= length[:, None]
        gain -= direction * (gain[each, unit] / length)[:, None]
        left = left - direction**2
        left[each, unit] = 0
        directions.append(direction)
        chosen.append(unit)
    return np.stack(chosen)


def _least_squares(gram: np.ndarray, moments: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Weights (step, classes) of the units chosen for each class; units may say the same."""
    own = units.T
    inverse = np.linalg.pinv(gram[own[:, :, None], own[:, None, :]], rcond=1e-6, hermitian=True)
    targets = np.take_along_axis(moments, units, axis=0).T
    return np.einsum("cij,cj->ic", inverse, targets)


def _ridge(
    gram: np.ndarray, moments: np.ndarray, n: int, validation: _Labelled
) -> Float[np.ndarray, "units classes"]:
    """Weights of all units, with the penalty that tells classes best on validation."""
    best, chosen = -np.inf, moments
    for penalty in RIDGE:
        weights = linalg.solve(gram + penalty * n * np.eye(len(gram)), moments, assume_a="pos")
        areas = [area for _, area, _ in _areas(validation.x @ weights, validation)]
        score = float(np.mean(areas))
        if score > best:
            best, chosen = score, weights
    return chosen


def _measured(
    probe: _Probe, part: _Labelled
) -> Iterator[tuple[str, int, float, float, float, int]]:
    """Measure, session, value, weight, chance and number of presentations."""
    scores = probe.scores(part.x)
    for measure, score in scores.items():
        for session, area, n in _areas(score, part):
            yield measure, session, area, 1.0, 0.5, n
    top, hits, chance = _tops(scores["auroc_1"], part)
    counts = np.bincount(part.session)
    for session in np.flatnonzero(counts).tolist():
        value = hits[session] / top[session] if top[session] > 0 else np.nan
        yield "purity", session, value, top[session], chance, int(counts[session])


def _areas(scores: np.ndarray, part: _Labelled) -> Iterator[tuple[int, float, int]]:
    """Session, mean area under the ROC curve over its classes, and its presentations."""
    for session in np.unique(part.session).tolist():
        own = part.session == session
        areas = effects.auroc(scores[own], part.y[own])
        if np.isfinite(areas).any():
            yield session, float(np.nanmean(areas)), int(own.sum())


def _tops(scores: np.ndarray, part: _Labelled) -> tuple[np.ndarray, np.ndarray, float]:
    """How much of the classes' tops is each session's own, and is right; and what chance gives.

    Only sessions that show a class are asked for it.
    """
    n_sessions = part.session.max(initial=-1) + 1
    top, hits, chances = np.zeros(n_sessions), np.zeros(n_sessions), []
    for score, y in zip(scores.T, part.y.T, strict=True):
        shown = np.bincount(part.session, y, n_sessions)[part.session] > 0
        if not shown.any():
            continue
        share = top_share(score[shown], min(max(FEWEST, round(TOP * shown.sum())), y.sum()))
        top += np.bincount(part.session[shown], share, n_sessions)
        hits += np.bincount(part.session[shown], share * y[shown], n_sessions)
        chances.append(y[shown].mean())
    return top, hits, float(np.mean(chances))


def top_share(values: Float[np.ndarray, " n"], number: int) -> Float[np.ndarray, " n"]:
    """Each value's part in the largest so many; equal ones share what is left for them.

    Examples
    --------
    >>> top_share(np.array([3.0, 1.0, 1.0, 0.0]), 2).tolist()
    [0.5, 0.25, 0.25, 0.0]
    """
    smallest = np.partition(values, -number)[-number]
    above, tied = values > smallest, values == smallest
    return (above + tied * ((number - above.sum()) / tied.sum())) / number


def summarised(probes: pd.DataFrame) -> pd.DataFrame:
    """Means over sessions, with their 95 % intervals.

    Parameters
    ----------
    probes : pandas.DataFrame
        Of one dictionary and split, as `probing` returns them.

    Returns
    -------
    pandas.DataFrame
        task (`ALL_GRATINGS` for the mean over those), measure, value, ci_low, ci_high,
        n_sessions, chance.
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
        task (`ALL_GRATINGS` for the mean over those), measure, difference (`probes` less
        `others`), ci_low, ci_high, n_sessions.
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
    """Each task of a table's columns, and the gratings' together, with its columns."""
    for task in table:
        yield task, [task]
    gratings = [task for task in table if TASKS[task].stimulus in GRATINGS]
    if len(gratings) > 1:
        yield ALL_GRATINGS, gratings


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

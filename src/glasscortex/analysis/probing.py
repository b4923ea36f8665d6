"""How well few units of a dictionary tell the classes of a variable apart."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64
from scipy import linalg

from glasscortex.analysis import effects
from glasscortex.analysis.hierarchy import Child, child_areas, weakest
from glasscortex.analysis.labelled import Labelled, labelled
from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.ridge import ridge
from glasscortex.tasks import Task, label_column

COLUMNS = ["task", "split", "measure", "session_id", "value", "weight", "chance", "n"]

UNITS = (1, 2, 5)
"""Numbers of units that tell a class from the rest."""

TOP = 0.02
"""Share of the presentations that purity looks at …"""
FEWEST = 5
"""… and their least number."""


@dataclass(frozen=True)
class _Probe:
    """Units chosen for every class, and what tells the class from the rest."""

    units: Int64[np.ndarray, "step classes"]
    """In the order of choice."""
    few: dict[int, Float[np.ndarray, "step classes"]]
    """Their weights in the least squares of the first so many."""
    dense: Float[np.ndarray, "units classes"]
    """Weights of all units."""

    def score(self, x: Float[np.ndarray, "presentations units"], units: int) -> np.ndarray:
        """What the first so many units tell of each class (presentations, classes).

        A sum element by element: a matrix product could break its ties.
        """
        weights = self.few[units]
        return sum(x[:, self.units[i]] * weights[i] for i in range(units))

    def scores(
        self, x: Float[np.ndarray, "presentations units"]
    ) -> Iterator[tuple[str, Float[np.ndarray, "presentations classes"]]]:
        """Measures, each with what is large for a class."""
        for n in self.few:
            yield f"auroc_{n}", self.score(x, n)
        yield "auroc_dense", x @ self.dense


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
        classes; ties are shared out); and, where classes are made up of those of another task,
        auroc_child: the same area as auroc_1, for that of its classes which the unit of a class
        tells least (on train) from what is not of the class at all. The mean over sessions,
        weighted by `weight`, is the dictionary's value: weights are 1, and those of purity say how
        much of the top is the session's own. `n` is the number of the session's presentations.

    Notes
    -----
    Responses may stay on disk. Memory holds those of some sessions, a score for every presentation
    of a stimulus and class, and a matrix of units × units; time grows with presentations × units²
    and units³.

    Where a child has a unit of its own that absorbed its part of the parent's, auroc_child is at
    chance.

    References
    ----------
    Chanin et al. 2024, "A is for absorption: studying feature splitting and absorption in sparse
    autoencoders" (arXiv 2409.14507).
    Gurnee et al. 2023, "Finding neurons in a haystack: case studies with sparse probing"
    (arXiv 2305.01610).
    """
    rows = []
    for tasks in _asked_alike([train, validation, test]):
        names, (fitted, *scored) = labelled(tasks, [train, validation, test])
        gram, moments = _products(fitted)
        spectrum = linalg.eigh(gram)
        for task in fitted.y:
            candidates = ridge(spectrum, moments[task], len(fitted.rows))
            probe = _probe(gram, moments[task], _best(candidates, scored[0], task))
            children = _children(probe, task, fitted)
            for split, part in zip(("validation", "test"), scored, strict=True):
                for measure, session, *values in _measured(probe, task, part, children):
                    rows.append((task, split, measure, names[session], *values))
    return pd.DataFrame(rows, columns=COLUMNS)


def _asked_alike(splits: list[Presentations]) -> Iterable[list[Task]]:
    """Tasks that are known on the same presentations, which share the products of units."""
    groups: dict[tuple[bytes, ...], list[Task]] = {}
    for task in splits[0].definitions.tasks.values():
        column = label_column(task.name)
        if task.is_regression or column not in splits[0].trials:
            continue
        labels = [split.trials[column] for split in splits]
        if labels[0].nunique() > 1:
            key = tuple(label.notna().to_numpy().tobytes() for label in labels)
            groups.setdefault(key, []).append(task)
    return groups.values()


def _products(train: Labelled) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Products of the units with each other, and with the centred classes of each task."""
    units = len(train.scale)
    gram = np.zeros((units, units))
    moments = {task: np.zeros((units, y.shape[1])) for task, y in train.y.items()}
    for at, x in train.blocks():
        gram += x.T @ x
        for task, y in train.y.items():
            moments[task] += x.T @ effects.centred(y[at].astype(np.float32), train.session[at])
    return gram, moments


def _best(candidates: Sequence[np.ndarray], validation: Labelled, task: str) -> np.ndarray:
    """Of the weights of all units, those that tell classes best on validation."""
    areas: list[list[float]] = [[] for _ in candidates]
    for at, x in validation.blocks():
        for own, weights in zip(areas, candidates, strict=True):
            found = _areas(x @ weights, validation.y[task][at], validation.session[at])
            own += [area for _, area, _ in found]
    return candidates[int(np.argmax([float(np.mean(own)) if own else 0.0 for own in areas]))]


def _probe(gram: np.ndarray, moments: np.ndarray, dense: np.ndarray) -> _Probe:
    """Choose units for each class, and weigh them."""
    units = forward_selection(gram, moments, max(UNITS))
    few = {n: _least_squares(gram, moments, units[:n]) for n in UNITS if n <= len(units)}
    return _Probe(units, few, dense)


def _children(probe: _Probe, task: str, train: Labelled) -> list[Child]:
    """The part of each class that its unit tells least; a task alone has no parts."""
    if len(train.y) == 1:
        return []
    best = np.concatenate([probe.score(x, 1) for _, x in train.blocks()])
    return weakest(best, task, train.y, train.session)


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


def _measured(
    probe: _Probe, task: str, part: Labelled, children: list[Child]
) -> Iterator[tuple[str, int, float, float, float, int]]:
    """Measure, session, value, weight, chance and number of presentations."""
    y, best = part.y[task], []
    areas: dict[str, list[tuple[int, float, int]]] = defaultdict(list)
    for at, x in part.blocks():
        for measure, score in probe.scores(x):
            areas[measure] += _areas(score, y[at], part.session[at])
            if measure == "auroc_1":
                best.append(score)
    for measure, of_sessions in areas.items():
        for session, area, n in of_sessions:
            yield measure, session, area, 1.0, 0.5, n
    score = np.concatenate(best)
    top, hits, chance = _tops(score, y, part.session)
    counts = np.bincount(part.session)
    for session in np.flatnonzero(counts).tolist():
        value = hits[session] / top[session] if top[session] > 0 else np.nan
        yield "purity", session, value, top[session], chance, int(counts[session])
    for session, area in child_areas(score, task, part.y, part.session, children).items():
        yield "auroc_child", session, area, 1.0, 0.5, int(counts[session])


def _areas(scores: np.ndarray, y: np.ndarray, sessions: np.ndarray) -> list[tuple[int, float, int]]:
    """Session, mean area under the ROC curve over its classes, and its presentations."""
    areas = []
    for session, own in enumerate(effects.rows_of_groups(sessions)):
        of_classes = effects.auroc(scores[own], y[own]) if len(own) else np.empty(0)
        if np.isfinite(of_classes).any():
            areas.append((session, float(np.nanmean(of_classes)), len(own)))
    return areas


def _tops(
    scores: np.ndarray, y: np.ndarray, sessions: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """How much of the classes' tops is each session's own, and is right; and what chance gives.

    Only sessions that show a class are asked for it.
    """
    n_sessions = sessions.max(initial=-1) + 1
    top, hits, chances = np.zeros(n_sessions), np.zeros(n_sessions), []
    for score, is_class in zip(scores.T, y.T, strict=True):
        shown = np.bincount(sessions, is_class, n_sessions)[sessions] > 0
        if not shown.any():
            continue
        number = min(max(FEWEST, round(TOP * shown.sum())), is_class.sum())
        share = top_share(score[shown], number)
        top += np.bincount(sessions[shown], share, n_sessions)
        hits += np.bincount(sessions[shown], share * is_class[shown], n_sessions)
        chances.append(is_class[shown].mean())
    return top, hits, float(np.mean(chances)) if chances else np.nan


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

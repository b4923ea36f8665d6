"""Whether what units are like in a mouse tells its Cre line, area or depth: one test of all units.

A mouse is recognised by those of its traits (`glasscortex.analysis.traits`) that it shares with
other mice of its label: the mouse itself is left out, and the whole procedure is held against the
same labels permuted over mice. Nothing is tuned: traits are standardised over mice, kinds of
traits weigh alike, and what all mice differ in together counts less (`similarity`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64

from glasscortex.analysis import effects, nulls
from glasscortex.analysis.alike import (
    distances,
    exchanged,
    indicators,
    margin,
    predicted,
    ranked,
    score,
    similarity,
)
from glasscortex.analysis.background import Replicates, effect_of
from glasscortex.analysis.hypotheses import shared_stimulus
from glasscortex.analysis.traits import KINDS, Sums, Traits, labels_of, over_cells
from glasscortex.data.windows import WindowsReader
from glasscortex.intervals import jackknife_error, student_reach
from glasscortex.tasks import ALLEN, Definitions

EVERY_KIND = "all"

ADJUSTED = {
    "nothing": (),
    "running": ("behaviour",),
    "running and tuning": ("behaviour", "quality"),
}
"""What mice are made equal in before they are compared, by linear regression: how much, how often
and how variably they run, and how well units are tuned to each variable, mean over units."""

TIE = 1e-6
"""What the margin adds to the share of mice that are recognised, at most: few mice give few
different shares, and a test of them alone would be too careful."""

COLUMNS = [
    *("variable", "stimulus", "kind", "adjusted", "mouse", "label", "recognised_as"),
    *("measure", "value", "ci_low", "ci_high", "chance", "p", "p_min", "n_permutations"),
    *("n_labels", "n_mice", "n_significant", "n_units"),
]


@dataclass(frozen=True)
class Session:
    """What is known of one session.

    Attributes
    ----------
    traits : dict of ndarray
        By kind: those of units, or of the cells together.
    behaviour : ndarray, shape (3,)
        Mean and standard deviation of running speed, and how often the mouse runs.
    quality : ndarray, shape (variables,)
        How well its units are tuned to each variable of the stimulus, mean over units.
    """

    traits: Traits
    behaviour: Float64[np.ndarray, " 3"]
    quality: Float64[np.ndarray, " variables"]

    @classmethod
    def of(cls, sums: Sums) -> "Session":
        """What the sums over its presentations tell."""
        traits = sums.traits()
        return cls(traits, sums.behaviour, np.nan_to_num(traits["tuning"]).mean(axis=1))


def stimulus_of_mice(trials: pd.DataFrame, sessions: pd.DataFrame) -> str:
    """The stimulus that mice are compared on; see `shared_stimulus`.

    Parameters
    ----------
    trials, sessions : pandas.DataFrame
        Tables.
    """
    return shared_stimulus([trials.merge(sessions[["session_id", "mouse"]], on="session_id")])


def summaries_of_cells(
    windows: Mapping[str, WindowsReader],
    trials: pd.DataFrame,
    stimulus: str,
    definitions: Definitions = ALLEN,
) -> dict[str, Session]:
    """Traits of the cells of each session, as mean and standard deviation over them.

    Mice have no cell in common, so that these are what a decoder and its units have to exceed.
    Memory holds one session.

    Parameters
    ----------
    windows : mapping of str to WindowsReader
        Reader of each session's windows.
    trials : pandas.DataFrame
        Of all sessions.
    stimulus : str
        Whose presentations count.
    definitions : Definitions
        Which variables there are.
    """
    labels, found = labels_of(trials, stimulus, definitions), {}
    shown = trials[trials["stimulus"] == stimulus]
    for session_id, rows in shown.groupby("session_id", sort=False):
        sums = Sums(labels)
        activity = windows[session_id].read(stimulus, rows["presentation"].to_numpy())
        sums.add(activity.swapaxes(1, 2), rows)
        session = Session.of(sums)
        found[str(session_id)] = replace(session, traits=over_cells(session.traits))
    return found


def recognition(
    of_sessions: Mapping[str, Session],
    sessions: pd.DataFrame,
    stimulus: str,
    draws: int,
    rng: np.random.Generator,
    q: float | None = None,
) -> pd.DataFrame:
    """Recognise mice by their traits, for every variable of mice and sessions that is known.

    Where mice were recorded under several labels (areas, say), only those count, each about its own
    mean, and labels are permuted within the mouse.

    Parameters
    ----------
    of_sessions : mapping of str to Session
        By session_id.
    sessions : pandas.DataFrame
        With session_id, mouse and the variables that are known.
    stimulus : str
        Whose presentations traits are of.
    draws : int
        Permutations.
    rng : numpy.random.Generator
    q : float, optional
        False discovery rate of single units, over all kinds together; without it none is tested.

    Returns
    -------
    pandas.DataFrame
        A row a variable, `kind` of traits and what mice are made equal in (`adjusted`), with
        `mouse` "all": the `value` is the mean share of a label's mice that are recognised
        (accuracy), or the rank correlation of what is predicted and the label (spearman), with its
        95 % interval over mice; `chance`, its mean over permutations, and `p`; of single kinds p is
        that of the largest value of any kind, so that all of them together have its level. And of
        all kinds, adjusted for nothing, a row a mouse: its `label`, and what it is
        `recognised_as`. `n_significant` of `n_units` units tell the label alone by this kind, or by
        any.
    """
    known = sessions[sessions["session_id"].isin(list(of_sessions))]
    found = [of_sessions[session_id] for session_id in known["session_id"]]
    if not found:
        return pd.DataFrame(columns=COLUMNS)
    columns, places = _side_by_side(found)
    of_session = known.set_index("session_id")
    rows: list[dict] = []
    for variable in ALLEN.at("mouse", "session"):
        if variable not in known:
            continue
        ordered = ALLEN.variables[variable].is_ranked
        observed = Replicates.of(columns, known, of_session[variable], ordered)
        if observed is not None:
            named = {"variable": variable, "stimulus": stimulus}
            for row in _recognised(observed, places, ordered, draws, rng, q):
                rows.append(named | row)
    return pd.DataFrame(rows, columns=COLUMNS)


def _side_by_side(found: Sequence[Session]) -> tuple[np.ndarray, dict[str, slice]]:
    """Everything that is known of sessions as columns, and the place of each part."""
    parts = {kind: np.stack([s.traits[kind].ravel() for s in found]) for kind in KINDS}
    parts["behaviour"] = np.stack([session.behaviour for session in found])
    parts["quality"] = np.stack([session.quality for session in found])
    stops = np.cumsum([part.shape[1] for part in parts.values()])
    places = dict(zip(parts, map(slice, [0, *stops[:-1]], stops), strict=True))
    return np.hstack(list(parts.values())), places


def _recognised(
    observed: Replicates,
    places: Mapping[str, slice],
    ordered: bool,
    draws: int,
    rng: np.random.Generator,
    q: float | None,
) -> Iterator[dict]:
    """The rows of one variable."""
    parts = {
        name: effects.standardised(_deviations(observed.values[:, at], observed.blocks))
        for name, at in places.items()
    }
    codes = observed.codes
    orders = np.stack([np.arange(len(codes)), *nulls.permutations(observed.blocks, draws, rng)])
    said: dict[tuple[str, str], np.ndarray] = {}
    null: dict[tuple[str, str], np.ndarray] = {}
    for adjusted, covariates in ADJUSTED.items():
        basis = _basis([parts[name] for name in covariates], len(codes))
        own = {kind: effects.standardised(_left(parts[kind], basis)) for kind in KINDS}
        kinds = {EVERY_KIND: list(own.values())}
        if not covariates:
            kinds |= {kind: [part] for kind, part in own.items()}
        for kind, of_kind in kinds.items():
            alike = similarity(of_kind)
            if alike is not None:
                key = kind, adjusted
                said[key], null[key] = _against_chance(alike, basis, observed, orders, ordered)
    units = {kind: parts[kind] for kind in KINDS} if q is not None else {}
    counts = _significant(observed, units, ordered, draws, rng, q or 0)
    single = [values for (kind, _), values in null.items() if kind != EVERY_KIND]
    largest = np.max(single, axis=0) if single else np.zeros(len(orders))
    measure = "spearman" if ordered else "accuracy"
    same = sum(_same(codes[order], codes, ordered) for order in orders)
    for (kind, adjusted), values in null.items():
        against = values if kind == EVERY_KIND else largest

        def scored(kept: np.ndarray, of_all: np.ndarray = said[kind, adjusted]) -> float:
            return float(score(of_all[None, kept], codes[kept], observed.blocks[kept], ordered)[0])

        low, high = _interval(scored, observed.mice)
        yield {
            "kind": kind,
            "adjusted": adjusted,
            "mouse": "all",
            "measure": measure,
            "value": scored(observed.mice >= 0),
            "ci_low": low,
            "ci_high": high,
            "chance": values[1:].mean(),
            "p": (against >= values[0] - 1e-12).mean(),
            "p_min": same / len(orders),
            "n_permutations": draws,
            "n_labels": len(observed.labels),
            "n_mice": len(observed.names),
            **(counts.get(kind, {}) if adjusted == "nothing" else {}),
        }
    whole = EVERY_KIND, "nothing"
    if whole in said:
        for i, mouse in enumerate(observed.mice):
            yield {
                "kind": EVERY_KIND,
                "adjusted": "nothing",
                "mouse": observed.names[mouse],
                "measure": measure,
                "label": observed.labels[codes[i]],
                "recognised_as": said[whole][i] if ordered else observed.labels[said[whole][i]],
            }


def _significant(
    observed: Replicates,
    parts: Mapping[str, np.ndarray],
    ordered: bool,
    draws: int,
    rng: np.random.Generator,
    q: float,
) -> dict[str, dict[str, int]]:
    """How many units tell the label by each kind of statistic, all corrected together.

    What a unit has several statistics of is one number: that in which mice differ most.
    """
    if not parts:
        return {}
    number = parts[KINDS[0]].shape[1]
    dealt, p = observed.dealt(draws, rng, enumerable=not ordered), []
    for part in parts.values():
        effect = effect_of(_strongest(part, number), observed.blocks, ordered)
        null = np.stack([effect(codes) for codes in dealt])
        p.append(nulls.p_values(effect(observed.codes), null))
    found = (nulls.q_values(np.concatenate(p)) <= q).reshape(len(parts), number)
    counts = dict(zip(parts, found.sum(axis=1), strict=True))
    counts[EVERY_KIND] = found.any(axis=0).sum()
    return {k: {"n_significant": int(n), "n_units": number} for k, n in counts.items()}


def _strongest(columns: np.ndarray, units: int) -> np.ndarray:
    """First principal component of each unit's statistics (replicates, units)."""
    of_units = columns.reshape(len(columns), -1, units).transpose(2, 0, 1)
    axes, lengths, _ = np.linalg.svd(of_units, full_matrices=False)
    return (axes[:, :, 0] * lengths[:, :1]).T


def _deviations(values: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """From the mean of the block; none where a value is not known."""
    known, of_block = np.isfinite(values), effects.membership(blocks)
    sums = of_block @ np.where(known, values, 0)
    means = sums / (of_block @ known.astype(np.float64)).clip(min=1)
    return np.where(known, values - means[blocks], 0)


def _basis(covariates: Sequence[np.ndarray], replicates: int) -> np.ndarray:
    """Orthonormal columns that span the covariates."""
    among = np.hstack([np.zeros((replicates, 0)), *covariates])
    axes, lengths, _ = np.linalg.svd(among, full_matrices=False)
    return axes[:, lengths > 1e-9]


def _left(columns: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """What a linear regression on the covariates leaves of columns (replicates, columns)."""
    return columns - basis @ (basis.T @ columns)


def _against_chance(
    alike: np.ndarray, basis: np.ndarray, observed: Replicates, orders: np.ndarray, ordered: bool
) -> tuple[np.ndarray, np.ndarray]:
    """What is said of each replicate, and the scores with mice exchanged: the first are not.

    Of two deals in which as many mice are recognised, that with the wider margin has the higher
    score, by less than `TIE`.
    """
    codes, mice, scores, said = observed.codes, observed.mice, [], []
    ranks = ranked(codes, observed.blocks)
    columns = np.column_stack([ranks, np.ones_like(ranks)]) if ordered else indicators(codes)
    size = orders.size * (columns.shape[1] + basis.shape[1])
    for some in np.array_split(orders, 1 + size // nulls.CHUNK):
        toward = exchanged(alike, some, basis, mice, columns)
        if ordered:
            said.append(predicted(toward, mice, ranks))
            wider = np.zeros(len(some))
        else:
            apart = distances(toward, mice, codes)
            said.append(apart.argmin(axis=-1))
            wider = margin(apart, codes)
        scores.append(score(said[-1], codes, observed.blocks, ordered) + TIE * np.tanh(wider))
    return said[0][0], np.concatenate(scores)


def _interval(statistic: Callable[[np.ndarray], float], mice: np.ndarray) -> tuple[float, float]:
    """95 % interval over mice of a score of some replicates, what is said of each as it is."""
    number = mice.max() + 1
    error = jackknife_error(np.array([statistic(mice != mouse) for mouse in range(number)]))
    value, reach = statistic(mice >= 0), student_reach(number) * float(error)
    return value - reach, value + reach


def lead(own: pd.DataFrame, other: pd.DataFrame) -> tuple[float, float, float, int]:
    """How much better mice are recognised by one than by the other, over the mice of both.

    Parameters
    ----------
    own, other : pandas.DataFrame
        Rows of one variable in the table recognition, each of one dictionary.

    Returns
    -------
    tuple
        Difference in accuracy or rank correlation, its 95 % interval, and the number of mice; NaN
        without mice in common.
    """
    keys = ["mouse", "label"]
    rows = [part.loc[part["mouse"] != "all", [*keys, "recognised_as"]] for part in (own, other)]
    both = rows[0].merge(rows[1], on=keys)
    if both.empty:
        return np.nan, np.nan, np.nan, 0
    mice = both["mouse"].factorize()[0]
    ordered = own["measure"].iloc[0] == "spearman"
    label = both["label"].astype(float) if ordered else both["label"]
    codes = np.unique(label, return_inverse=True)[1]
    blocks = mice if both["mouse"].duplicated().any() else np.zeros_like(mice)
    said = [
        both[name].astype(float).to_numpy()
        if ordered
        else np.where(both[name] == both["label"], codes, -1)
        for name in ("recognised_as_x", "recognised_as_y")
    ]

    def difference(kept: np.ndarray) -> float:
        one, two = (score(s[None, kept], codes[kept], blocks[kept], ordered) for s in said)
        return float(one[0] - two[0])

    return difference(mice >= 0), *_interval(difference, mice), mice.max() + 1


def _same(codes: np.ndarray, others: np.ndarray, ordered: bool) -> Bool[np.ndarray, ""]:
    """Whether two deals are one: equal, or equal but for the names of labels."""
    if ordered:
        return (codes == others).all()
    return len(set(zip(codes.tolist(), others.tolist(), strict=True))) == codes.max() + 1

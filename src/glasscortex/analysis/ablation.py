"""What the decoder loses without the units of one variable, and says with more of them."""

import logging
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from glasscortex.analysis.bench import Bench, Condition
from glasscortex.analysis.costs import summarised
from glasscortex.analysis.interactions import interactions
from glasscortex.analysis.matching import matched_sets
from glasscortex.analysis.ranking import fewest, ranked, specific
from glasscortex.analysis.steering import steered
from glasscortex.config import AblationConfig
from glasscortex.data.windows import WindowsReader
from glasscortex.decoder.model import Decoder
from glasscortex.dictionaries import Dictionary

COLUMNS = [
    *("variable", "task", "n_units", "method", "condition", "chosen"),
    *("intact", "ablated", "delta", "ci_low", "ci_high"),
    *("matched", "matched_low", "matched_high", "n_matched", "p"),
    *("excess", "excess_low", "excess_high"),
    *("specificity", "specificity_low", "specificity_high"),
    *("change", "matched_change", "overlap", "n_sessions", "units"),
]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Own:
    """The units of a variable, the most specific first, and how many of them suffice."""

    units: Int64[np.ndarray, " own"]
    number: int


def ablate(
    decoder: Decoder,
    sae: Dictionary,
    trials: pd.DataFrame,
    windows: Mapping[str, WindowsReader],
    responses: Float[np.ndarray, "presentations units"],
    mice: pd.Series,
    config: AblationConfig,
    name: str = "",
    seed: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Remove the units of every variable, and add them, and measure what every task says.

    Which units are a variable's, and how many of them are removed, is decided on validation; what
    their removal costs is measured on test. A score is the mean over sessions; `delta` is what is
    lost, with an interval over mice. Rows of a variable's own task tell what `n_matched` random
    sets of like totals lose (`matched`, and what 95 % of them lie between), the rank `p` of delta
    among them, and the `excess` of delta over their mean, whose interval has the spread over sets
    and that over mice. `specificity` is what the own task loses less the mean loss of the other
    classification tasks (without those that name the same, see `Definitions.related`), every mouse
    alike in weight. `change` is the root mean square of ‖Δx‖ when the units are resampled, and
    `overlap` the share of them that are an unrelated variable's, too.

    The condition selective removes the units. One such row a variable and task is `chosen`: the
    number of units found on validation, by the first method. Beside it, with as many units,
    `kept` puts all but their part into another window's place; and with the same ‖Δx‖ as many
    directions are exchanged with another window: those that a `probe` of the labels reads, and
    those along which the `labels` move the activations. `units` are the numbers of the units, the
    most specific first.

    Parameters
    ----------
    decoder : Decoder
    sae : Dictionary
        The dictionary whose units are removed.
    trials : pandas.DataFrame
        Of all sessions, with the labels of the tasks.
    windows : mapping of str to WindowsReader
        Reader of each session's windows.
    responses : ndarray, shape (presentations, units)
        To the validation split.
    mice : pandas.Series
        Mouse by session_id.
    config : AblationConfig
    name : str
        Of the dictionary; other names draw other random numbers.
    seed : int
        Of all random numbers.

    Returns
    -------
    tuple of pandas.DataFrame
        One row a set of units and task; and what `steered` and `interactions` return.

    Raises
    ------
    InputError
        The dictionary says no hook.
    """
    rng = np.random.default_rng([seed, zlib.crc32(f"ablation {name}".encode())])
    rate, mean = (responses != 0).mean(axis=0), np.abs(responses).mean(axis=0)
    bench = Bench(decoder, sae, trials, windows, mean, config.windows, seed)
    alive = np.flatnonzero(rate)
    costs = unit_costs(bench, alive, len(rate))
    own = own_units(bench, costs, alive, config)
    traits = np.stack([rate, np.abs(np.nan_to_num(costs)).sum(axis=1)], axis=1)
    removed = measured(bench, own, traits, mice, config, rng)
    units = {task: of_task.units for task, of_task in own.items()}
    added = steered(bench, units, alive, mice, rng)
    chosen = {task: of_task.units[: of_task.number] for task, of_task in own.items()}
    return removed, added, interactions(bench, chosen, mice, config.methods[0])


def unit_costs(
    bench: Bench, alive: Int64[np.ndarray, " alive"], width: int
) -> Float[np.ndarray, "units tasks"]:
    """What resampling each unit costs every task on validation, as a share of what it knows.

    That is how far the loss is below that of guessing: log(classes) nats, or the variance.
    """
    single = [Condition("", "resample", (unit,)) for unit in alive]
    loss = bench.scores("validation", single, "loss").groupby("task").mean(numeric_only=True)
    loss = loss.reindex(list(bench.tasks))
    guess = [np.log(len(head.classes)) if head.classes else 1.0 for head in bench.tasks.values()]
    known = guess - loss["intact"]
    costs = np.zeros((width, len(loss)))
    lost = loss[list(range(len(single)))].sub(loss["intact"], axis=0)
    costs[alive] = lost.div(known.where(known > 0), axis=0).T
    costs[:, ~(known > 0)] = np.nan
    return costs


def own_units(
    bench: Bench,
    costs: Float[np.ndarray, "units tasks"],
    alive: Int64[np.ndarray, " alive"],
    config: AblationConfig,
) -> dict[str, Own]:
    """The units of each task that the decoder knows, and the number that suffices on validation."""
    tasks = list(bench.tasks)
    found = {}
    for task in tasks:
        units = ranked(costs, tasks, task, bench.definitions)[: min(config.units, len(alive) // 3)]
        if len(units):
            found[task] = units, doses(len(units), config)
    steps = [
        Condition(task, config.methods[0], tuple(units[:number]))
        for task, (units, numbers) in found.items()
        for number in numbers
    ]
    scores = bench.scores("validation", steps).groupby("task").mean(numeric_only=True)
    scores = scores.reindex(tasks)
    lost = scores[list(range(len(steps)))].rsub(scores["intact"], axis=0)
    shares = lost.div(scores["intact"].where(scores["intact"] > 0), axis=0).T.to_numpy()
    own = {}
    for task, (units, numbers) in found.items():
        rows = [i for i, step in enumerate(steps) if step.variable == task]
        worth = specific(shares[rows], tasks, task, bench.definitions)
        if worth.max() > 0:
            own[task] = Own(units, fewest(numbers, worth))
    for task in tasks:
        if task not in own:
            log.info("ablation of %s: no units cost it more than they cost others", task)
    return own


def doses(units: int, config: AblationConfig) -> list[int]:
    """The numbers of units that are tried, ascending: all are the last."""
    return [*sorted(dose for dose in config.doses if dose < units), units]


def measured(
    bench: Bench,
    own: dict[str, Own],
    traits: Float[np.ndarray, "units traits"],
    mice: pd.Series,
    config: AblationConfig,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """The table: every removal of these units, measured on test.

    Parameters
    ----------
    bench : Bench
    own : dict of Own
        By task.
    traits : ndarray, shape (units, traits)
        What random sets are matched in, beside ‖Δx‖; the first is the firing rate.
    mice : pandas.Series
        Mouse by session_id.
    config : AblationConfig
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        What `ablate` returns.
    """
    conditions = planned(own, traits, bench.moments.gram, config, rng)
    if not conditions:
        return pd.DataFrame(columns=COLUMNS)
    scores = bench.scores("test", conditions)
    rows = summarised(conditions, list(bench.tasks), scores, mice, bench.definitions)
    change = np.array([bench.moments.change(c.units) for c in conditions])
    shown = [conditions[number] for number in rows["number"]]
    rows["units"] = [" ".join(map(str, c.units)) for c in shown]
    rows["change"] = change[rows["number"]]
    rows["matched_change"] = [
        np.mean(change[numbers]) if len(numbers) else np.nan for numbers in rows["matched_numbers"]
    ]
    rows["chosen"] = [
        (c.kind, c.method, len(c.units)) == ("selective", config.methods[0], own[c.variable].number)
        for c in shown
    ]
    related = {task: bench.definitions.related(task) for task in own}
    others = {
        task: {u for t, o in own.items() if t not in related[task] for u in o.units[: o.number]}
        for task in own
    }
    rows["overlap"] = [np.mean([u in others[c.variable] for u in c.units]) for c in shown]
    return rows[COLUMNS]


def planned(
    own: dict[str, Own],
    traits: Float[np.ndarray, "units traits"],
    gram: Float[np.ndarray, "units units"],
    config: AblationConfig,
    rng: np.random.Generator,
) -> list[Condition]:
    """Every removal that the table needs.

    The chosen number by the first method has `draws` random sets; other numbers, and the chosen
    one by other methods, `dose_draws`.
    """
    alive = np.flatnonzero(traits[:, 0])
    first, *others = config.methods
    conditions = []
    for task, of_task in own.items():
        steps = [(first, n) for n in doses(len(of_task.units), config)]
        steps += [(method, of_task.number) for method in others]
        for method, number in steps:
            units = of_task.units[:number]
            is_chosen = (method, number) == (first, of_task.number)
            draws = config.draws if is_chosen else config.dose_draws
            matched = matched_sets(units, alive, traits, gram, draws, rng)
            for draw, removed in enumerate([units, *matched], start=-1):
                conditions.append(Condition(task, method, tuple(removed.tolist()), draw))
        for kind in ("kept", "probe", "labels"):
            units = of_task.units[: of_task.number]
            conditions.append(Condition(task, "resample", tuple(units.tolist()), kind=kind))
    return conditions

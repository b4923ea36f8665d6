"""What the decoder loses when the units of one variable are removed."""

import logging
import zlib
from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int64

from glasscortex.analysis.costs import Condition, summarised
from glasscortex.analysis.hypotheses import EVERY_STIMULUS
from glasscortex.analysis.matching import matchable, matched_sets
from glasscortex.analysis.removal import EncodedBatch, Removal, atoms
from glasscortex.config import AblationConfig
from glasscortex.data.batches import Batches
from glasscortex.data.windows import WindowsReader
from glasscortex.decoder.evaluate import EVALUATION_BATCH, Edit, predict_under
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.scores import headline, metrics
from glasscortex.dictionaries import Dictionary
from glasscortex.errors import InputError
from glasscortex.tasks import TASKS, Task, related

MOST_PREDICTIONS = 2**24
"""Predictions held at once: conditions × tasks × presentations of one session."""

COLUMNS = [
    *("variable", "task", "n_units", "method", "condition", "draw"),
    *("intact", "ablated", "delta", "ci_low", "ci_high", "p", "excess", "excess_low"),
    *("excess_high", "specificity", "specificity_low", "specificity_high", "strength"),
    *("overlap", "n_sessions"),
]

log = logging.getLogger(__name__)


@torch.no_grad()
def ablate(
    decoder: Decoder,
    sae: Dictionary,
    trials: pd.DataFrame,
    windows: Mapping[str, WindowsReader],
    responses: Float[np.ndarray, "presentations units"],
    selectivity: pd.DataFrame,
    mice: pd.Series,
    config: AblationConfig,
    name: str = "",
    seed: int = 0,
) -> pd.DataFrame:
    """Remove the units of every variable, and measure what every task loses.

    The units of a variable are its `own_units`, decided on validation; what their removal costs is
    measured on test. A score is the mean over sessions; `delta` is what is
    lost, with an interval over mice (bootstrap). Rows with condition matched_random remove other
    alive units of like firing rate and strength. On selective rows, `p` is the rank of delta
    among the matched sets, `excess` is delta minus their mean; on those where the task is the
    variable's own, `specificity` is what is lost minus the mean loss of the other classification
    tasks (without those that name the same, see `related`), every mouse alike in weight.

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
    selectivity : pandas.DataFrame
        What was found in the units.
    mice : pandas.Series
        Mouse by session_id.
    config : AblationConfig
    name : str
        Of the dictionary; other names draw other random numbers.
    seed : int
        Of all random numbers.

    Returns
    -------
    pandas.DataFrame
        One row a set of units and task.
    """
    rate, mean = (responses != 0).mean(axis=0), np.abs(responses).mean(axis=0)
    strength = mean * atoms(sae).norm(dim=1).numpy()
    tasks = list(decoder.vocabulary.tasks)
    selected = selected_units(selectivity, tasks)
    ranked = {task: own_units(task, selected) for task in tasks}
    rng = np.random.default_rng([seed, zlib.crc32(f"ablation {name}".encode())])
    conditions = planned(ranked, rate, strength, config, rng)
    if not conditions:
        return pd.DataFrame(columns=COLUMNS)
    scores = session_losses(
        decoder, sae, conditions, torch.from_numpy(mean), trials, windows, config, seed
    )
    rows = summarised(conditions, tasks, scores, mice, config.bootstraps, rng)
    removed = [conditions[number] for number in rows["number"]]
    rows["strength"] = [strength[list(c.units)].sum() for c in removed]
    shared = {task: rivals(task, selected).index for task in tasks}
    rows["overlap"] = [np.isin(c.units, shared[c.variable]).mean() for c in removed]
    return rows[COLUMNS]


def selected_units(selectivity: pd.DataFrame, tasks: list[str]) -> dict[str, pd.Series]:
    """For each task, by unit, what its variable explains of the units selected for it.

    Both as found on validation: the column `explained_selection`.
    """
    selected = selectivity[selectivity["selected"].astype(bool)].set_index("unit")

    def explained(task: Task) -> pd.Series:
        stimulus = task.stimulus or EVERY_STIMULUS
        rows = (selected["variable"] == task.variable) & (selected["stimulus"] == stimulus)
        return selected.loc[rows, "explained_selection"]

    return {task: explained(TASKS[task]) for task in tasks}


def rivals(task: str, selected: dict[str, pd.Series]) -> pd.Series:
    """By unit, the most that an unrelated variable explains that varies beside the task's own.

    It does if some presentations show both: those of the same stimulus, and running and pupil.
    """
    stimulus = TASKS[task].stimulus
    beside = (
        other
        for other in selected
        if None in (stimulus, TASKS[other].stimulus) or TASKS[other].stimulus == stimulus
    )
    others = [selected[other] for other in beside if other not in related(task)]
    return pd.concat([pd.Series(dtype=float), *others]).groupby(level=0).max()


def own_units(task: str, selected: dict[str, pd.Series]) -> Int64[np.ndarray, " units"]:
    """The units of a task's variable, the most selective first.

    A unit is selected for it, and none of its `rivals` explains more of the unit's variance: one
    that mostly follows temporal frequency is no unit of direction.
    """
    explained = selected[task]
    own = explained[~(explained < rivals(task, selected).reindex(explained.index))]
    return own.sort_values(ascending=False, kind="stable").index.to_numpy(np.int64)


def planned(
    ranked: dict[str, Int64[np.ndarray, " own"]],
    rate: Float[np.ndarray, " units"],
    strength: Float[np.ndarray, " units"],
    config: AblationConfig,
    rng: np.random.Generator,
) -> list[Condition]:
    """Every removal that the table needs.

    At the full dose each method with `draws` matched sets; at smaller doses zero alone, with the
    first `dose_draws` of the same sets.

    Parameters
    ----------
    ranked : dict of ndarray of int
        Units by task, the most selective first.
    rate, strength : ndarray, shape (units,)
        Share of presentations on which a unit is active, mean `|a|·‖d‖`.
    config : AblationConfig
    rng : numpy.random.Generator
    """
    alive = np.flatnonzero(rate > 0)
    traits = np.stack([rate, strength], axis=1)
    conditions = []
    for variable, own in ranked.items():
        units = matchable(own, alive, config.units, f"ablation of {variable}")
        if not len(units):
            log.info("ablation of %s: no units were selected", variable)
            continue
        matched = matched_sets(units, alive, traits, config.draws, rng)
        doses = [dose for dose in config.doses if dose < len(units) and "zero" in config.methods]
        steps = [(method, len(units), config.draws) for method in config.methods]
        steps += [("zero", dose, config.dose_draws) for dose in doses]
        for method, dose, draws in steps:
            for draw, removed in enumerate([units, *matched[:draws]], start=-1):
                conditions.append(Condition(variable, method, tuple(removed[:dose]), draw))
    return conditions


def session_losses(
    decoder: Decoder,
    sae: Dictionary,
    conditions: list[Condition],
    mean: Float[torch.Tensor, " units"],
    trials: pd.DataFrame,
    windows: Mapping[str, WindowsReader],
    config: AblationConfig,
    seed: int,
) -> pd.DataFrame:
    """Headline scores on test of every session, task and condition.

    Sessions are run one by one, each with all conditions, so that predictions of one session at
    most are in memory and the model before the hook runs once a window.

    Returns
    -------
    pandas.DataFrame
        One row a session and task: session_id, task, intact, and a column a condition, named by
        its place in `conditions`.
    """
    if sae.hook is None:
        raise InputError("the dictionary says no hook to remove its units at: fit it with hook=…")
    rows = []
    for session_id, of_session in trials.groupby("session_id", sort=False):
        table = of_session.reset_index(drop=True)
        mask = evenly(table, config.windows)
        if session_id not in decoder.vocabulary.sessions or not mask.any():
            continue
        batches = Batches(windows, table, decoder.vocabulary, EVALUATION_BATCH)
        encoded = EncodedBatch(sae)
        edits: dict[str | int, Edit] = {"intact": lambda x, batch: x}
        for number, c in enumerate(conditions):
            task = TASKS[c.variable]
            labels = None if task.is_regression else table[task.column].to_numpy()
            edits[number] = Removal(encoded, c.units, c.method, mean, labels, seed)
        rows += scored(decoder, batches, mask, sae.hook, edits)
    return pd.DataFrame(rows)


def evenly(trials: pd.DataFrame, most: int) -> Bool[np.ndarray, " presentations"]:
    """Which presentations of the test split are used: of each session and stimulus at most `most`.

    They are spread evenly.
    """
    mask = np.zeros(len(trials), bool)
    test = trials[trials["split"] == "test"]
    for rows in test.groupby(["session_id", "stimulus"], sort=False).groups.values():
        places = np.linspace(0, len(rows) - 1, min(most, len(rows)))
        mask[rows[np.rint(places).astype(int)]] = True
    return mask


def scored(
    decoder: Decoder, batches: Batches, mask: np.ndarray, hook: str, edits: dict[str | int, Edit]
) -> list[dict]:
    """Headline score of each task of one session under every edit, as rows."""
    labels = {t: batches.trials[TASKS[t].column].to_numpy() for t in decoder.vocabulary.tasks}
    at_once = max(1, MOST_PREDICTIONS // (len(labels) * len(mask)))
    rows: dict[str, dict[str | int, float]] = {task: {} for task in labels}
    names = list(edits)
    for start in range(0, len(names), at_once):
        some = {name: edits[name] for name in names[start : start + at_once]}
        predictions = predict_under(decoder, batches, mask, hook, some)
        for name, predicted in predictions.items():
            for task, said in predicted.items():
                guess = said["value"]
                known = np.isfinite(labels[task]) & np.isfinite(guess)
                if known.any():
                    metric = metrics(task)[headline(task)]
                    rows[task][name] = float(metric(labels[task][known], guess[known]))
    session_id = batches.trials["session_id"].iloc[0]
    return [{"session_id": session_id, "task": t} | row for t, row in rows.items() if row]

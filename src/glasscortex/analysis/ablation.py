"""What the decoder loses when the units of one variable are removed."""

import logging
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from glasscortex.analysis.costs import Condition, summarised
from glasscortex.analysis.matching import matchable, matched_sets
from glasscortex.analysis.removal import EncodedBatch, Removal, atoms
from glasscortex.analysis.selectivity import EVERY_STIMULUS
from glasscortex.config import AblationConfig
from glasscortex.data.batches import Batches
from glasscortex.data.store import verify
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.evaluate import EVALUATION_BATCH, Edit, predict_under
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.scores import headline, metrics
from glasscortex.dictionaries.responses import responses
from glasscortex.dictionaries.topk import TopKSae
from glasscortex.files import atomic_write
from glasscortex.tasks import TASKS, related

MOST_PREDICTIONS = 2**25
"""Predictions held at once: conditions × tasks × presentations of one session."""

COLUMNS = [
    *("model", "seed", "sae", "variable", "task", "n_units", "method", "condition", "draw"),
    *("intact", "ablated", "delta", "ci_low", "ci_high", "p", "excess", "excess_low"),
    *("excess_high", "specificity", "specificity_low", "specificity_high", "strength"),
    *("overlap", "n_sessions"),
]

log = logging.getLogger(__name__)


@torch.no_grad()
def ablate(
    *,
    decoder: Path,
    sae_folder: Path,
    selectivity: Path,
    activations: Path,
    manifest: Path,
    trials: Path,
    windows: Path,
    sessions: Path,
    out: Path,
    config: AblationConfig,
    model: str,
    seed: int,
    name: str,
) -> None:
    """Write the rows of the table `ablation` of one SAE: variable removed × task measured.

    The units of a variable are its `own_units`, decided on validation; what their removal costs is
    measured on test. A score is the mean over sessions; `delta` is what is
    lost, with an interval over mice (bootstrap). Rows with condition matched_random remove other
    living units of like firing rate and strength. On selective rows, `p` is the rank of delta
    among the matched sets, `excess` is delta minus their mean; on those where the task is the
    variable's own, `specificity` is what is lost minus the mean loss of the other classification
    tasks (without those that name the same, see `related`), every mouse alike in weight.

    Parameters
    ----------
    decoder, sae_folder : folders of the decoder and of the SAE
    selectivity : CSV of the SAE's units
    activations, manifest : recorded activations and their checksums
    trials, sessions : tables
    windows : folder of the sessions' windows
    out : CSV
    config : see `AblationConfig`
    model, seed, name : of the decoder, of all random numbers, and of the SAE
    """
    torch.set_num_threads(config.threads)
    verify(activations, manifest)
    transformer, sae = Decoder.load(decoder), TopKSae.load(sae_folder)
    table = pd.read_parquet(trials)
    described = pd.read_csv(sessions, dtype={"session_id": str, "mouse": str})
    _, codes = responses(sae, activations, "validation")
    rate, mean = (codes > 0).mean(axis=0), codes.mean(axis=0)
    strength = mean * atoms(sae).norm(dim=1).numpy()
    tasks = list(transformer.vocabulary.tasks)
    selected = selected_units(pd.read_csv(selectivity), tasks)
    ranked = {task: own_units(task, selected) for task in tasks}
    rng = np.random.default_rng([seed, zlib.crc32(f"ablation {name}".encode())])
    conditions = planned(ranked, rate, strength, config, rng)
    empty = pd.DataFrame(columns=COLUMNS)
    if conditions:
        scores = session_losses(
            transformer, sae, conditions, torch.from_numpy(mean), table, windows, config, seed
        )
        mice = described.set_index("session_id")["mouse"]
        rows = summarised(conditions, tasks, scores, mice, config.bootstraps, rng)
        rows["strength"] = [strength[list(conditions[c].units)].sum() for c in rows["number"]]
        shared = {task: rivals(task, selected).index for task in tasks}
        rows["overlap"] = [
            np.isin(conditions[c].units, shared[conditions[c].variable]).mean()
            for c in rows["number"]
        ]
        rows = rows.assign(model=model, seed=seed, sae=name)[COLUMNS]
    with atomic_write(out) as temporary:
        (rows if conditions else empty).to_csv(temporary, index=False, float_format="%.9g")


def selected_units(selectivity: pd.DataFrame, tasks: list[str]) -> dict[str, pd.Series]:
    """For each task, by unit, what its variable explains of the units selected for it.

    Both as found on validation: the column `explained_selection`.
    """
    selected = selectivity[selectivity["selected"].astype(bool)].set_index("unit")
    found = {}
    for task in tasks:
        stimulus = TASKS[task].stimulus or EVERY_STIMULUS
        of_task = (selected["variable"] == TASKS[task].variable) & (
            selected["stimulus"] == stimulus
        )
        found[task] = selected.loc[of_task, "explained_selection"]
    return found


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


def own_units(task: str, selected: dict[str, pd.Series]) -> np.ndarray:
    """The units of a task's variable, the most selective first.

    A unit is selected for it, and none of its `rivals` explains more of the unit's variance: one
    that mostly follows temporal frequency is no unit of direction.
    """
    explained = selected[task]
    own = explained[~(explained < rivals(task, selected).reindex(explained.index))]
    return own.sort_values(ascending=False, kind="stable").index.to_numpy(np.int64)


def planned(
    ranked: dict[str, np.ndarray],
    rate: np.ndarray,
    strength: np.ndarray,
    config: AblationConfig,
    rng: np.random.Generator,
) -> list[Condition]:
    """Every removal that the table needs.

    At the full dose each method with `draws` matched sets; at smaller doses zero alone, with the
    first `dose_draws` of the same sets.

    Parameters
    ----------
    ranked : units by task, the most selective first
    rate, strength : (width,) share of presentations on which a unit is active, mean |a|·‖d‖
    """
    living = np.flatnonzero(rate > 0)
    traits = np.stack([rate, strength], axis=1)
    conditions = []
    for variable, own in ranked.items():
        units = matchable(own, living, config.units, f"ablation of {variable}")
        if not len(units):
            log.info("ablation of %s: no units were selected", variable)
            continue
        matched = matched_sets(units, living, traits, config.draws, rng)
        doses = [dose for dose in config.doses if dose < len(units) and "zero" in config.methods]
        steps = [(method, len(units), config.draws) for method in config.methods]
        steps += [("zero", dose, config.dose_draws) for dose in doses]
        for method, dose, draws in steps:
            for draw, removed in enumerate([units, *matched[:draws]], start=-1):
                conditions.append(Condition(variable, method, tuple(removed[:dose]), draw))
    return conditions


def session_losses(
    decoder: Decoder,
    sae: TopKSae,
    conditions: list[Condition],
    mean: torch.Tensor,
    trials: pd.DataFrame,
    windows: Path,
    config: AblationConfig,
    seed: int,
) -> pd.DataFrame:
    """Headline scores on test of every session, task and condition.

    Sessions are run one by one, each with all conditions, so that predictions of one session at
    most are in memory and the model before the hook runs once a window.

    Returns
    -------
    DataFrame, one row a session and task: session_id, task, intact, and a column a condition,
    named by its place in `conditions`.
    """
    rows = []
    for session_id, of_session in trials.groupby("session_id", sort=False):
        table = of_session.reset_index(drop=True)
        mask = spread(table, config.windows)
        if session_id not in decoder.vocabulary.sessions or not mask.any():
            continue
        batches = Batches(WindowsFolder(windows), table, decoder.vocabulary, EVALUATION_BATCH)
        encoded = EncodedBatch(sae)
        edits: dict[str | int, Edit] = {"intact": lambda x, batch: x}
        for number, c in enumerate(conditions):
            task = TASKS[c.variable]
            labels = None if task.is_regression else table[task.column].to_numpy()
            edits[number] = Removal(encoded, c.units, c.method, mean, labels, seed)
        rows += scored(decoder, batches, mask, sae.hook, edits)
    return pd.DataFrame(rows)


def spread(trials: pd.DataFrame, most: int) -> np.ndarray:
    """Test presentations, at most `most` of each stimulus, evenly spread (presentations,) bool."""
    mask = np.zeros(len(trials), bool)
    test = trials[trials["split"] == "test"]
    for rows in test.groupby("stimulus", sort=False).groups.values():
        places = np.linspace(0, len(rows) - 1, min(most, len(rows)))
        mask[rows[np.rint(places).astype(int)]] = True
    return mask


def scored(
    decoder: Decoder, batches: Batches, mask: np.ndarray, hook: str, edits: dict[str | int, Edit]
) -> list[dict]:
    """Headline score of each task of one session under every edit, as rows."""
    labels = {t: batches.trials[TASKS[t].column].to_numpy() for t in decoder.vocabulary.tasks}
    at_once = max(1, MOST_PREDICTIONS // (len(labels) * len(mask)))
    rows = {task: {} for task in labels}
    names = list(edits)
    for start in range(0, len(names), at_once):
        some = {name: edits[name] for name in names[start : start + at_once]}
        predictions = predict_under(decoder, batches, mask, hook, some)
        for name, predicted in predictions.items():
            for task, guess in predicted.items():
                known = np.isfinite(labels[task]) & np.isfinite(guess)
                if known.any():
                    metric = metrics(task)[headline(task)]
                    rows[task][name] = metric(labels[task][known], guess[known])
    session_id = batches.trials["session_id"].iloc[0]
    return [{"session_id": session_id, "task": t} | row for t, row in rows.items() if row]

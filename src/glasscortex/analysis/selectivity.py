"""The selectivity of every unit for every variable: selected on validation, measured on test."""

import logging
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from glasscortex.analysis import effects, nulls
from glasscortex.analysis.background import of_background
from glasscortex.analysis.behaviour import of_behaviour
from glasscortex.analysis.intervals import jackknife_error
from glasscortex.analysis.measured import Measured, Presentations
from glasscortex.analysis.stimulus import of_movie, of_presentations
from glasscortex.config import SelectivityConfig
from glasscortex.data.store import verify
from glasscortex.dictionaries.responses import responses
from glasscortex.dictionaries.topk import TopKSae
from glasscortex.files import atomic_write
from glasscortex.tasks import VARIABLES, variables
from glasscortex.words import MOVIES

BACKGROUND_STIMULI = (
    "drifting_gratings",
    "static_gratings",
    "natural_scenes",
    *MOVIES,
    "spontaneous",
)
"""Stimuli on which mice are compared, the first first among those that most mice were shown."""

EVERY_STIMULUS = "all"
"""Stands in the column `stimulus` of variables that are tested on every presentation."""

COLUMNS = [
    *("model", "seed", "sae", "unit", "variable", "stimulus", "index", "effect", "preferred"),
    *("p", "q", "n", "replicate", "n_active", "selected"),
    *("effect_selection", "explained_selection", "q_selection"),
    *("significant", "circular", "mutual_information", "auroc", "p_min", "n_permutations"),
    "null_high",
    *("fraction", "fraction_error"),
]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hypothesis:
    """A variable, the presentations it is tested on, and how."""

    variable: str
    stimulus: str
    measure: Callable[[Presentations, np.random.Generator], Measured | None]


def selectivity(
    *,
    sae_folder: Path,
    activations: Path,
    manifest: Path,
    trials: Path,
    sessions: Path,
    out: Path,
    config: SelectivityConfig,
    model: str,
    seed: int,
    name: str,
) -> None:
    """Write the rows of the table `selectivity` of one SAE.

    One row a living unit and variable; living means active on at least `min_active` of the
    variable's presentations in the validation and in the test split. `selected` is decided on
    validation alone; effect, p, q and `significant` are of test. `fraction` is the share of the
    living units that is significant, the same in all rows of a variable, and `fraction_error` its
    standard error over mice (delete-one jackknife). `null_high` is the 95 % quantile of a unit's
    effect under the null.

    Parameters
    ----------
    sae_folder : folder of the SAE
    activations, manifest : recorded activations and their checksums
    trials, sessions : tables
    out : CSV
    config : see `SelectivityConfig`
    model, seed, name : of the decoder, of all random numbers, and of the SAE
    """
    torch.set_num_threads(1)
    verify(activations, manifest)
    sae, table = TopKSae.load(sae_folder), pd.read_parquet(trials)
    described = pd.read_csv(sessions, dtype={"session_id": str, "mouse": str})
    splits = {
        split: presentations(sae, activations, table, described, split)
        for split in ("validation", "test")
    }
    parts = []
    for hypothesis in hypotheses(splits, described.set_index("session_id"), config):
        key = f"selectivity {name} {hypothesis.variable} {hypothesis.stimulus}"
        rng = np.random.default_rng([seed, zlib.crc32(key.encode())])
        rows = rows_of(hypothesis, splits, config, rng)
        if rows is not None:
            parts.append(rows)
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    rows = rows.assign(model=model, seed=seed, sae=name)[COLUMNS]
    with atomic_write(out) as temporary:
        rows.to_csv(temporary, index=False, float_format="%.9g")


def presentations(
    sae: TopKSae, activations: Path, trials: pd.DataFrame, sessions: pd.DataFrame, split: str
) -> Presentations:
    """Responses of all units of an SAE to the presentations of a split.

    Parameters
    ----------
    trials, sessions : the tables
    """
    rows, codes = responses(sae, activations, split)
    shown = trials.iloc[rows].reset_index(drop=True)
    mouse = sessions.set_index("session_id")["mouse"]
    return Presentations(shown.assign(mouse=shown["session_id"].map(mouse)), codes)


def hypotheses(
    splits: dict[str, Presentations], sessions: pd.DataFrame, config: SelectivityConfig
) -> Iterator[Hypothesis]:
    """Every variable that both splits can tell something about.

    Orientation on drifting gratings is tested beside direction, of which it is a part: a unit
    selective for a direction has an η² for orientation too. OSI and DSI tell them apart.

    Parameters
    ----------
    sessions : table of sessions with session_id as index
    """
    shown = [split.trials for split in splits.values()]
    for stimulus in shown[-1]["stimulus"].unique():
        for variable in variables("stimulus"):
            if all(t.loc[t["stimulus"] == stimulus, variable].notna().any() for t in shown):
                yield Hypothesis(variable, stimulus, _stimulus_measure(variable, config))
    for variable in variables("behaviour"):
        if all(t[variable].notna().any() for t in shown):
            yield Hypothesis(
                variable,
                EVERY_STIMULUS,
                lambda p, rng, v=variable: of_behaviour(p, v, config.permutations, rng),
            )
    stimulus = shared_stimulus(splits)
    for variable in variables("mouse", "session"):
        labels, ordered = sessions[variable], sessions[variable].dtype.kind in "if"
        yield Hypothesis(
            variable,
            stimulus,
            lambda p, rng, labels=labels, ordered=ordered: of_background(
                p, labels, config.mouse_permutations, rng, ordered
            ),
        )


def _stimulus_measure(variable: str, config: SelectivityConfig):
    if variable == "movie_frame":
        return lambda p, rng: of_movie(p, config.permutations, rng)
    return lambda p, rng: of_presentations(p, variable, config.permutations, rng)


def shared_stimulus(splits: dict[str, Presentations]) -> str:
    """The stimulus that most mice were shown in every split; see `BACKGROUND_STIMULI`.

    Mice are compared on it alone, so that what they were shown is no difference between them.
    """

    def mice(stimulus: str) -> int:
        counts = [
            p.trials.loc[p.trials["stimulus"] == stimulus, "mouse"].nunique()
            for p in splits.values()
        ]
        return min(counts)

    return max(BACKGROUND_STIMULI, key=mice)


def rows_of(
    hypothesis: Hypothesis,
    splits: dict[str, Presentations],
    config: SelectivityConfig,
    rng: np.random.Generator,
) -> pd.DataFrame | None:
    """The rows of one variable; None if it can't be tested or no unit lives."""
    what = f"{hypothesis.variable} on {hypothesis.stimulus}"
    shown = {name: _shown(hypothesis, split) for name, split in splits.items()}
    active = {name: split.active() for name, split in shown.items()}
    units = np.flatnonzero(np.min(list(active.values()), axis=0) >= config.min_active)
    if not len(units):
        log.info(
            "%s: no unit is active on %d presentations of both splits", what, config.min_active
        )
        return None
    shown = {name: split.of_units(units) for name, split in shown.items()}
    measured = {name: hypothesis.measure(split, rng) for name, split in shown.items()}
    selection, result = measured["validation"], measured["test"]
    if result is None:
        log.info("%s: not tested, too few labels or replicates", what)
        return None
    if selection is None:
        log.info("%s: too few labels or replicates in validation to select units", what)
    q = nulls.q_values(result.p)
    significant = result.significant(config.q, config.min_effect)
    _report(what, result, q, significant, config)
    preferred = (selection or result).preferred
    return pd.DataFrame(
        {
            "unit": units,
            "variable": hypothesis.variable,
            "stimulus": hypothesis.stimulus,
            "index": result.index,
            "effect": result.effect,
            "preferred": [
                f"{label:g}" if not isinstance(label, str) else label for label in preferred
            ],
            "p": result.p,
            "q": q,
            "n": result.n,
            "replicate": result.replicate,
            "n_active": active["test"][units],
            **_selected(selection, config),
            "significant": significant,
            **_described(hypothesis, shown["test"], result, preferred),
            "p_min": result.p_min,
            "n_permutations": len(result.null),
            "null_high": np.quantile(result.null, 0.95, axis=0),
            "fraction": significant.mean(),
            "fraction_error": jackknife_error(
                result.fractions_without(config.q, config.min_effect)
            ),
        }
    )


def _shown(hypothesis: Hypothesis, split: Presentations) -> Presentations:
    """The presentations that a variable is tested on."""
    mask = np.ones(len(split.trials), bool)
    if hypothesis.stimulus != EVERY_STIMULUS:
        mask &= (split.trials["stimulus"] == hypothesis.stimulus).to_numpy()
    if hypothesis.variable in split.trials:
        mask &= split.trials[hypothesis.variable].notna().to_numpy()
    return split.where(mask)


def _selected(selection: Measured | None, config: SelectivityConfig) -> dict:
    """What validation alone says; no unit is selected where it can't be tested."""
    if selection is None:
        nothing = dict.fromkeys(["effect_selection", "explained_selection", "q_selection"], np.nan)
        return nothing | {"selected": False}
    return {
        "effect_selection": selection.effect,
        "explained_selection": selection.explained,
        "q_selection": nulls.q_values(selection.p),
        "selected": selection.significant(config.q, config.min_effect),
    }


def _described(
    hypothesis: Hypothesis, shown: Presentations, result: Measured, preferred: np.ndarray
):
    """Columns beside the tested effect, NaN where they do not apply.

    `preferred` is each unit's label on validation, so that its AUROC on test is no maximum.
    """
    nothing = np.full(len(preferred), np.nan)
    columns = {"circular": nothing, "mutual_information": nothing, "auroc": nothing}
    if result.labels is not None:
        is_preferred = result.labels[:, None] == preferred[None]
        columns["auroc"] = effects.auroc(result.observations, is_preferred)
    if hypothesis.variable in variables("stimulus"):
        labels, classes = np.unique(shown.trials[hypothesis.variable], return_inverse=True)
        columns["mutual_information"] = effects.mutual_information(shown.responses, classes)
        if VARIABLES[hypothesis.variable].period:
            means = effects.group_means(shown.responses, classes)
            angles = 2 * np.pi * labels / VARIABLES[hypothesis.variable].period
            columns["circular"] = effects.circular_selectivity(means, angles)
    return columns


def _report(
    what: str, result: Measured, q: np.ndarray, significant: np.ndarray, config: SelectivityConfig
) -> None:
    """Say what was found and what could be found."""
    log.info(
        "%s: %d of %d units significant, smallest q %.2g; %d draws of the null over %d replicates "
        "(%s), smallest p %.2g",
        what,
        significant.sum(),
        len(q),
        np.nanmin(q, initial=1),
        len(result.null),
        result.n,
        result.replicate,
        result.p_min,
    )
    needed = int(np.ceil(result.p_min * len(q) / config.q))
    if needed > len(q):
        log.warning("%s: q %.2g can't be reached, report it descriptively", what, config.q)
    elif needed > 1:
        log.info("%s: q %.2g needs %d units at the smallest p", what, config.q, needed)

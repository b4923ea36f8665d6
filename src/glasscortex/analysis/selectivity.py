"""The selectivity of every unit for every variable: selected on validation, measured on test."""

import logging
import zlib
from typing import Any

import numpy as np
import pandas as pd

from glasscortex.analysis import effects, nulls
from glasscortex.analysis.hypotheses import Hypothesis, hypotheses
from glasscortex.analysis.presentations import Presentations
from glasscortex.analysis.results import TestResult, over_units
from glasscortex.config import SelectivityConfig
from glasscortex.intervals import jackknife_error
from glasscortex.tasks import Variable

COLUMNS = [
    *("unit", "variable", "stimulus", "index", "effect", "preferred"),
    *("p", "q", "n", "replicate", "n_active", "selected"),
    *("effect_selection", "explained_selection", "q_selection"),
    *("significant", "circular", "mutual_information", "auroc", "p_min", "n_permutations"),
    "null_high",
    *("explained", "explained_mean", "explained_error", "p_together"),
    *("fraction", "fraction_error", "n_mice"),
]

log = logging.getLogger(__name__)


def selectivity(
    validation: Presentations,
    test: Presentations,
    sessions: pd.DataFrame,
    config: SelectivityConfig,
    name: str = "",
    seed: int = 0,
) -> pd.DataFrame:
    """Test all units of a dictionary for all variables.

    Alive is a unit that is active on at least `min_active` of the variable's presentations in
    the validation and in the test split. `selected` is decided on validation alone; effect, p, q
    and `significant` are of test.

    Parameters
    ----------
    validation, test : Presentations
        Responses of all units.
    sessions : pandas.DataFrame
        With session_id and those of the variables of sessions and mice that are known.
    config : SelectivityConfig
    name : str
        Of the dictionary; other names draw other random numbers.
    seed : int
        Of all random numbers.

    Returns
    -------
    pandas.DataFrame
        One row an alive unit and variable. `null_high` is the 95 % quantile of a unit's effect
        under the null, `explained` what the effect is above chance. The same in all rows of a
        variable: `explained_mean` over the alive units, `p_together` of all of them, the
        `fraction` of them that is significant, and the standard errors over `n_mice` mice of
        mean and fraction (delete-one jackknife).
    """
    parts = []
    for hypothesis in hypotheses((validation, test), sessions, config):
        key = f"selectivity {name} {hypothesis.variable} {hypothesis.stimulus}"
        rng = np.random.default_rng([seed, zlib.crc32(key.encode())])
        rows = rows_of(hypothesis, validation, test, config, rng)
        if rows is not None:
            parts.append(rows)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def rows_of(
    hypothesis: Hypothesis,
    validation: Presentations,
    test: Presentations,
    config: SelectivityConfig,
    rng: np.random.Generator,
) -> pd.DataFrame | None:
    """The rows of one variable; None if it can't be tested or no unit is alive.

    Parameters
    ----------
    hypothesis : Hypothesis
    validation, test : Presentations
        Responses of all units to all presentations of the split.
    config : SelectivityConfig
    rng : numpy.random.Generator
    """
    what = f"{hypothesis.variable} on {hypothesis.stimulus}"
    validation, test = map(hypothesis.presentations, (validation, test))
    n_active = test.active()
    units = np.flatnonzero(np.minimum(validation.active(), n_active) >= config.min_active)
    if not len(units):
        log.info(
            "%s: no unit is active on %d presentations of both splits", what, config.min_active
        )
        return None
    test = test.of_units(units)
    selection = hypothesis.measure(validation.of_units(units), rng)
    result = hypothesis.measure(test, rng)
    if result is None:
        log.info("%s: not tested, too few labels or replicates", what)
        return None
    if selection is None:
        log.info("%s: too few labels or replicates in validation to select units", what)
    q = nulls.q_values(result.p)
    significant = result.significant(config.q, config.min_effect)
    _report(what, result, q, significant, config)
    preferred = (selection or result).preferred
    variable = test.definitions.variables[hypothesis.variable]
    return pd.DataFrame(
        {
            "unit": units,
            "variable": hypothesis.variable,
            "stimulus": hypothesis.stimulus,
            "index": result.index,
            "effect": result.effect,
            "preferred": [
                label if isinstance(label, str) else variable.written(label) for label in preferred
            ],
            "p": result.p,
            "q": q,
            "n": result.n,
            "replicate": result.replicate,
            "n_active": n_active[units],
            **_selection(selection, config),
            "significant": significant,
            **_descriptions(variable, test, result, preferred),
            "p_min": result.p_min,
            "n_permutations": len(result.null),
            "null_high": np.quantile(result.null, 0.95, axis=0),
            "explained": result.explained,
            "explained_mean": over_units(result.explained[None])[0],
            "explained_error": jackknife_error(over_units(result.explained_without)),
            "p_together": result.p_together,
            "fraction": significant.mean(),
            "fraction_error": jackknife_error(
                result.fractions_without(config.q, config.min_effect)
            ),
            "n_mice": len(result.without),
        }
    )[COLUMNS]


def _selection(selection: TestResult | None, config: SelectivityConfig) -> dict[str, Any]:
    """What validation alone says; no unit is selected where it can't be tested."""
    if selection is None:
        unknown = dict.fromkeys(["effect_selection", "explained_selection", "q_selection"], np.nan)
        return {**unknown, "selected": False}
    return {
        "effect_selection": selection.effect,
        "explained_selection": selection.explained,
        "q_selection": nulls.q_values(selection.p),
        "selected": selection.significant(config.q, config.min_effect),
    }


def _descriptions(
    variable: Variable, presentations: Presentations, result: TestResult, preferred: np.ndarray
) -> dict[str, np.ndarray]:
    """Columns beside the tested effect, NaN where they do not apply.

    `preferred` is each unit's label on validation, so that its AUROC on test is no maximum.
    """
    unknown = np.full(len(preferred), np.nan)
    columns = {"circular": unknown, "mutual_information": unknown, "auroc": unknown}
    if result.labels is not None and result.observations is not None:
        is_preferred = result.labels[:, None] == preferred[None]
        columns["auroc"] = effects.auroc(result.observations, is_preferred)
    if variable.name in presentations.definitions.at("stimulus", "behaviour", classes=True):
        labels, classes = np.unique(presentations.trials[variable.name], return_inverse=True)
        columns["mutual_information"] = effects.mutual_information(presentations.responses, classes)
        if period := variable.period:
            means = effects.group_means(presentations.responses, classes)
            columns["circular"] = effects.circular_selectivity(means, 2 * np.pi * labels / period)
    return columns


def _report(
    what: str,
    result: TestResult,
    q: np.ndarray,
    significant: np.ndarray,
    config: SelectivityConfig,
) -> None:
    """Say how many units are selective, and how many could be."""
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

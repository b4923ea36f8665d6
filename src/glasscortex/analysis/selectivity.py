"""The selectivity of every unit for every variable: selected on validation, measured on test."""

import logging
import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int64

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

AT_ONCE = 2**27
"""Responses, of some units to the presentations of both splits, that are in memory at a time."""

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
        Responses of all units; of a file, no more of them are read at a time than `AT_ONCE`.
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
    asked = list(hypotheses((validation, test), sessions, config))
    found: list[list[_Tested]] = [[] for _ in asked]
    for units in _blocks(validation, test):
        splits = validation.of_units(units), test.of_units(units)
        for hypothesis, tested in zip(asked, found, strict=True):
            key = f"selectivity {name} {hypothesis.variable} {hypothesis.stimulus}"
            rng = np.random.default_rng([seed, zlib.crc32(key.encode())])
            tested.append(_tested(hypothesis, units, *splits, config, rng))
    tables = [_table(h, tested, config) for h, tested in zip(asked, found, strict=True)]
    parts = [table for table in tables if table is not None]
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
    units = np.arange(test.responses.shape[1])
    return _table(hypothesis, [_tested(hypothesis, units, validation, test, config, rng)], config)


@dataclass(frozen=True)
class _Tested:
    """What both splits say of some units, of which only the alive are tested."""

    units: Int64[np.ndarray, " alive"]
    n_active: Int64[np.ndarray, " alive"]
    selection: TestResult | None
    """Of validation; None where it can't be tested."""
    result: TestResult | None
    """Of test."""
    descriptions: dict[str, np.ndarray]


def _blocks(*splits: Presentations) -> list[Int64[np.ndarray, " units"]]:
    """Units that are tested at a time."""
    units = np.arange(splits[0].responses.shape[1])
    presentations = sum(len(split.trials) for split in splits)
    at_once = max(1, AT_ONCE // max(1, presentations))
    return np.array_split(units, max(1, math.ceil(len(units) / at_once)))


def _tested(
    hypothesis: Hypothesis,
    units: Int64[np.ndarray, " units"],
    validation: Presentations,
    test: Presentations,
    config: SelectivityConfig,
    rng: np.random.Generator,
) -> _Tested:
    """Test some units, by the numbers that `rng` would draw for any others, too."""
    validation, test = map(hypothesis.presentations, (validation, test))
    n_active = test.active()
    alive = np.flatnonzero(np.minimum(validation.active(), n_active) >= config.min_active)
    if not len(alive):
        return _Tested(units[alive], n_active[alive], None, None, {})
    test = test.of_units(alive)
    selection = hypothesis.measure(validation.of_units(alive), rng)
    result = hypothesis.measure(test, rng)
    descriptions = {}
    if result is not None:
        variable = test.definitions.variables[hypothesis.variable]
        preferred = (selection or result).preferred
        descriptions = _descriptions(variable, test, result, preferred) | {
            "preferred": np.array(
                [
                    label if isinstance(label, str) else variable.written(label)
                    for label in preferred
                ]
            )
        }
    return _Tested(units[alive], n_active[alive], selection, result, descriptions)


def _table(
    hypothesis: Hypothesis, parts: list[_Tested], config: SelectivityConfig
) -> pd.DataFrame | None:
    """The rows of one variable, from what was found of some units each."""
    what = f"{hypothesis.variable} on {hypothesis.stimulus}"
    parts = [part for part in parts if len(part.units)]
    if not parts:
        log.info(
            "%s: no unit is active on %d presentations of both splits", what, config.min_active
        )
        return None
    tested = [part.result for part in parts if part.result is not None]
    if not tested:
        log.info("%s: not tested, too few labels or replicates", what)
        return None
    selected = [part.selection for part in parts if part.selection is not None]
    if not selected:
        log.info("%s: too few labels or replicates in validation to select units", what)
    result = TestResult.joined(tested)
    selection = TestResult.joined(selected) if selected else None
    q = nulls.q_values(result.p)
    significant = result.significant(config.q, config.min_effect)
    _report(what, result, q, significant, config)
    return pd.DataFrame(
        {
            "unit": np.concatenate([part.units for part in parts]),
            "variable": hypothesis.variable,
            "stimulus": hypothesis.stimulus,
            "index": result.index,
            "effect": result.effect,
            "p": result.p,
            "q": q,
            "n": result.n,
            "replicate": result.replicate,
            "n_active": np.concatenate([part.n_active for part in parts]),
            **_selection(selection, config),
            "significant": significant,
            **{
                name: np.concatenate([part.descriptions[name] for part in parts])
                for name in parts[0].descriptions
            },
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

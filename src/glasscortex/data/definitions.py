"""A run's own variables: from the configuration, with what was made from them, and back."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from glasscortex.config import VariableConfig
from glasscortex.errors import InputError
from glasscortex.tasks import ALLEN, Definitions, Task, Variable, label_column

KEY = b"glasscortex.tasks"

NO_TEXT = ("", "nan")
"""Texts that are no label."""

_TASKS = TypeAdapter(tuple[Task, ...])


def definitions_of(
    variables: Mapping[str, VariableConfig], stimuli: Mapping[str, Mapping[str, np.ndarray]]
) -> Definitions:
    """What is known in one session: Allen's variables and tasks, and those of the configuration.

    Parameters
    ----------
    variables : mapping of str to VariableConfig
        The run's own, by name.
    stimuli : mapping of str to mappings
        Columns of the session's tables, whose text gives the categories.

    Returns
    -------
    Definitions
        Categories are in the order of the alphabet.

    Raises
    ------
    InputError
        A column is missing, or holds text that is no category. The line does not name the session.
    """
    return ALLEN.adding(
        _task(name, variable, stimuli.get(variable.table)) for name, variable in variables.items()
    )


def _task(name: str, config: VariableConfig, columns: Mapping[str, np.ndarray] | None) -> Task:
    column = config.column or name
    categories: tuple[str, ...] = ()
    if columns is not None:
        there = sorted(columns.keys() - {"start", "end"})
        if column not in there:
            raise InputError(
                f"trials.variables.{name}: table {config.table} has no column {column}, but "
                f"{', '.join(there) or 'none'}: name one of them"
            )
        if numbers(columns[column]) is None:
            shown = sorted(
                {*columns[column].astype(str).tolist()} - {*NO_TEXT, *map(str, config.blanks)}
            )
            if config.kind != "categorical":
                raise InputError(
                    f"trials.variables.{name}: column {column} of {config.table} holds text, such "
                    f"as {', '.join(map(repr, shown[:2]))}, which is not {config.kind}: let its "
                    "kind be categorical"
                )
            categories = tuple(shown)
    variable = Variable(
        name, config.level, config.kind, config.unit, config.period, config.names, categories
    )
    return Task(name, variable, config.table, column, config.blanks)


def numbers(values: np.ndarray) -> np.ndarray | None:
    """A column as float64 (presentations,); None if it is text that is no numbers.

    Examples
    --------
    >>> numbers(np.array(["007", "", "12"])), numbers(np.array([True, False]))
    (array([ 7., nan, 12.]), array([1., 0.]))
    >>> numbers(np.array(["tone", "12"])) is None
    True
    """
    try:
        if values.dtype.kind in "OUST":
            texts = values.astype(str)
            values = np.where(np.isin(texts, NO_TEXT), "nan", texts)
        return values.astype(np.float64)
    except ValueError:
        return None


def merged(parts: Iterable[Definitions]) -> Definitions:
    """What several sessions know together: of every variable the categories of all.

    Parameters
    ----------
    parts : iterable of Definitions
        Of runs with the same configuration.

    Raises
    ------
    InputError
        The same name stands for different things.
    """
    found: dict[str, Task] = {}
    for task in (task for part in parts for task in part.own):
        known = found.setdefault(task.name, task)
        if _without_categories(known) != _without_categories(task):
            raise InputError(
                f"variable {task.name} is defined in two ways: remove the tables of trials and run "
                "again"
            )
        both = {*known.variable.categories, *task.variable.categories}
        found[task.name] = _with_categories(task, tuple(sorted(both)))
    return ALLEN.adding(found.values())


def extended(known: Definitions, more: Definitions) -> Definitions:
    """What is known, with categories that only `more` has after all others: no label changes."""
    tasks = []
    for task in known.own:
        before = task.variable.categories
        new = more.tasks[task.name].variable.categories if task.name in more.tasks else ()
        tasks.append(_with_categories(task, before + tuple(c for c in new if c not in before)))
    return known.adding(tasks)


def recoded(trials: pd.DataFrame, before: Definitions, after: Definitions) -> pd.DataFrame:
    """Trials whose labels are the places of categories in other definitions.

    Parameters
    ----------
    trials : pandas.DataFrame
        With the columns of variables and labels.
    before, after : Definitions
        By which they are labelled, and by which they shall be; `after` has every category.

    Raises
    ------
    InputError
        Labels that are numbers would have to be places of text.
    """
    columns = {}
    for task in before.own:
        categories = task.variable.categories
        known = after.tasks[task.name].variable.categories if task.name in after.tasks else ()
        if not categories and known and trials[task.variable.name].notna().any():
            raise InputError(
                f"session {trials['session_id'].iloc[0]}: {task.column} of {task.stimulus} holds "
                f"numbers, but in other sessions text, such as {known[0]!r}: write one of them"
            )
        if categories and known:
            places = {name: i for i, name in enumerate(known)}
            new = np.array([*(places[name] for name in categories), np.nan], np.float32)
            for column in (task.variable.name, label_column(task.name)):
                columns[column] = new[trials[column].fillna(-1).to_numpy(np.int64)]
    return trials.assign(**columns)


def stored(definitions: Definitions) -> list[dict[str, Any]]:
    """The run's own tasks and variables as JSON values, which `restored` takes."""
    return _TASKS.dump_python(definitions.own, mode="json")


def restored(tasks: list[dict[str, Any]]) -> Definitions:
    """The inverse of `stored`."""
    return ALLEN.adding(_TASKS.validate_python(tasks))


def described(definitions: Definitions, tasks: Collection[str]) -> pd.DataFrame:
    """A table of some tasks and their variables.

    Parameters
    ----------
    definitions : Definitions
        What is known.
    tasks : collection of str
        Names of the tasks that are told of.

    Returns
    -------
    pandas.DataFrame
        task, variable, level, kind, unit, period, stimulus and column (those of its table),
        categories (a list in JSON, if its values are text).
    """
    rows = []
    for task in (task for name, task in definitions.tasks.items() if name in tasks):
        variable = task.variable
        names = json.dumps(variable.categories, ensure_ascii=False) if variable.categories else ""
        about = variable.level, variable.kind, variable.unit, variable.period
        rows.append((task.name, variable.name, *about, task.stimulus, task.column, names))
    columns = ["task", "variable", "level", "kind", "unit", "period", "stimulus", "column"]
    return pd.DataFrame(rows, columns=[*columns, "categories"])


def variables_of(table: pd.DataFrame) -> dict[str, Variable]:
    """The variables of a table that `described` made, as it tells them, and Allen's, by name."""
    told = table.astype(object).where(table.notna(), None).drop_duplicates("variable")
    return ALLEN.variables | {
        row.variable: Variable(row.variable, row.level, row.kind, row.unit or "", row.period)
        for row in told.itertuples()
    }


def metadata(definitions: Definitions) -> dict[bytes, bytes] | None:
    """The run's own definitions as the metadata of a Parquet; None if it has none."""
    return {KEY: json.dumps(stored(definitions)).encode()} if definitions.own else None


def of_metadata(kept: Mapping[bytes, bytes] | None) -> Definitions:
    """The inverse of `metadata`, whatever else a Parquet's metadata holds."""
    return restored(json.loads((kept or {}).get(KEY, b"[]")))


def _with_categories(task: Task, categories: tuple[str, ...]) -> Task:
    return replace(task, variable=replace(task.variable, categories=categories))


def _without_categories(task: Task) -> Task:
    return _with_categories(task, ())

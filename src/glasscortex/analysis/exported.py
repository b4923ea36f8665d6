"""What was found, as tables for others: a row a presentation, and a row a unit."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from glasscortex.tasks import Definitions, Variable, label_column

OF_UNITS = ("effect", "preferred", "q", "significant")
"""Columns of the table of selectivity that every variable has in the table of units."""


def presentations_table(
    trials: pd.DataFrame, predicted: Mapping[str, np.ndarray], definitions: Definitions
) -> pd.DataFrame:
    """Labels of presentations, and what a decoder took them for.

    Parameters
    ----------
    trials : pandas.DataFrame
        Rows of the table of presentations.
    predicted : mapping of str to numpy.ndarray
        By task, `PREDICTION` of these rows.
    definitions : Definitions
        What their variables and tasks are.

    Returns
    -------
    pandas.DataFrame
        Rows as given: `start_time` and `stop_time` (s), `stimulus`, `presentation`, `split`; and of
        every task that some row has a label of the label, as `<task>`, `<task>_decoded`, and of
        classes the probability that the decoder gave it, `<task>_confidence`. Names are text.
    """
    table = {
        "start_time": trials["start_s"],
        "stop_time": trials["end_s"],
        **{name: trials[name] for name in ("stimulus", "presentation", "split")},
    }
    for task, made in predicted.items():
        labels = trials[label_column(task)]
        if labels.isna().all():
            continue
        variable = definitions.tasks[task].variable
        table[task] = _written(labels.to_numpy(), variable)
        table[f"{task}_decoded"] = _written(made["value"], variable)
        if not definitions.tasks[task].is_regression:
            table[f"{task}_confidence"] = made["confidence"]
    return pd.DataFrame(table).reset_index(drop=True)


def units_table(selectivity: pd.DataFrame) -> pd.DataFrame:
    """What each unit is selective for, a row a unit.

    Parameters
    ----------
    selectivity : pandas.DataFrame
        A row a unit and variable, of one dictionary.

    Returns
    -------
    pandas.DataFrame
        By unit, of every variable and the stimulus that it was tested on
        `<variable>_<stimulus>_effect`, `_preferred`, `_q` and `_significant`.
    """
    units = pd.Index(np.unique(selectivity["unit"]), name="unit")
    columns: dict[str, pd.Series] = {}
    for (variable, stimulus), rows in selectivity.groupby(["variable", "stimulus"], sort=False):
        of_unit, tested = rows.set_index("unit").reindex(units), f"{variable}_{stimulus}"
        columns |= {f"{tested}_{name}": of_unit[name] for name in OF_UNITS}
        columns[f"{tested}_preferred"] = _numbers_or_text(of_unit["preferred"])
        columns[f"{tested}_significant"] = of_unit["significant"].eq(True)
    return pd.DataFrame(columns)


def _numbers_or_text(values: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce")
    return numbers if numbers.notna().eq(values.notna()).all() else values


def _written(labels: np.ndarray, variable: Variable) -> np.ndarray | list[str]:
    if not variable.categories:
        return labels.astype(np.float64)
    return ["" if np.isnan(label) else variable.written(label) for label in labels.tolist()]

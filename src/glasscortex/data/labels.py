"""What each task asks of each presentation: the label columns of the trials table."""

import numpy as np
import pandas as pd

from glasscortex.data.definitions import numbers
from glasscortex.data.stimuli import classes
from glasscortex.errors import InputError
from glasscortex.tasks import ALLEN, Definitions, Task, label_column


def variables_shown(
    stimulus: str, rows: pd.DataFrame, definitions: Definitions = ALLEN
) -> pd.DataFrame:
    """The variables that the table of a stimulus tells, NaN on blanks.

    Parameters
    ----------
    stimulus : str
        Its name.
    rows : pandas.DataFrame
        Columns of the table; one that is missing gives NaN. Where a column `blank_sweep` is 1,
        nothing was shown.
    definitions : Definitions
        Which variables there are.

    Returns
    -------
    pandas.DataFrame
        A column a variable, rows as given: angles and phases within their period, of text the
        place among the variable's categories.

    Raises
    ------
    InputError
        Values do not fit their kind. The line does not name the session.
    """
    blank = rows["blank_sweep"].to_numpy() == 1 if "blank_sweep" in rows else False
    shown = {
        task.variable.name: np.where(blank, np.nan, _values(task, rows))
        for task in definitions.tasks.values()
        if task.stimulus == stimulus and task.column
    }
    return pd.DataFrame(shown, index=rows.index)


def _values(task: Task, rows: pd.DataFrame) -> np.ndarray:
    """The values of a column, float64 (presentations,), NaN where there is none."""
    if task.column not in rows:
        return np.full(len(rows), np.nan)
    written, variable = rows[task.column].to_numpy(), task.variable
    values = numbers(written)
    if values is None:
        places = {name: float(place) for place, name in enumerate(variable.categories)}
        return np.array([places.get(text, np.nan) for text in written.astype(str)], np.float64)
    values[np.isin(values, [blank for blank in task.blanks if not isinstance(blank, str)])] = np.nan
    known = values[~np.isnan(values)]
    try:
        if np.isinf(known).any():
            raise ValueError("is infinite")
        # whole numbers do not jitter, and names have no distance
        measured = variable.kind == "ordered" and (known % 1 != 0).any()
        if variable.kind == "circular" or measured:
            return classes(values, variable.period)
        if not task.is_regression and (known != known.astype(np.float32)).any():
            raise ValueError("holds numbers of more than seven digits: write them as text")
    except ValueError as error:
        raise InputError(f"column {task.column} of {task.stimulus} {error}") from None
    return values


def with_labels(trials: pd.DataFrame, definitions: Definitions = ALLEN) -> pd.DataFrame:
    """The trials with a column for the labels of every task; see `label_column`.

    Parameters
    ----------
    trials : pandas.DataFrame
        Rows of one or more sessions, with the columns of the variables that are known.
    definitions : Definitions
        Which tasks there are.

    Returns
    -------
    pandas.DataFrame
        The same rows, with the columns of all variables and labels.
    """
    names = definitions.at("stimulus", "behaviour")
    trials = trials.assign(**{name: np.float32("nan") for name in names if name not in trials})
    labels = {label_column(name): task_labels(trials, t) for name, t in definitions.tasks.items()}
    return trials.assign(**labels)


def task_labels(trials: pd.DataFrame, task: Task) -> np.ndarray:
    """Label of one task for each presentation, NaN where the task does not apply.

    It applies where the task's stimulus was shown, and only in sessions whose training split
    holds at least two values: nothing else can be decoded.

    Parameters
    ----------
    trials : pandas.DataFrame
        Rows of one or more sessions, with the column of the task's variable.
    task : Task
        What is asked.

    Returns
    -------
    numpy.ndarray
        float32 (presentations,).
    """
    labels = trials[task.variable.name].to_numpy(np.float32, copy=True)
    if task.stimulus is not None:
        labels[(trials["stimulus"] != task.stimulus).to_numpy()] = np.nan
    known = (trials["split"] == "train").to_numpy() & np.isfinite(labels)
    sessions, _ = pd.factorize(trials["session_id"])
    of_session = pd.Series(labels[known]).groupby(sessions[known])
    varied = of_session.min() < of_session.max()
    labels[~np.isin(sessions, varied.index[varied])] = np.nan
    return labels


def labelled_tasks(trials: pd.DataFrame, definitions: Definitions = ALLEN) -> set[str]:
    """Names of the tasks that some presentation has a label of.

    Parameters
    ----------
    trials : pandas.DataFrame
        Rows with the label columns.
    definitions : Definitions
        Which tasks there are.
    """
    return {name for name in definitions.tasks if trials[label_column(name)].notna().any()}


def label_scale(trials: pd.DataFrame, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of a label over the training split of each row's session.

    Sessions differ in both for reasons that no activity tells: how much the mouse likes to run,
    how far the camera was from its pupil. The deviation is at least a quarter of what is usual,
    so that a mouse that first sits and later runs does not outweigh all others.

    Parameters
    ----------
    trials : pandas.DataFrame
        Table of presentations.
    labels : numpy.ndarray
        (presentations,), NaN where there is none.

    Returns
    -------
    mean, sd : numpy.ndarray
        float64 (presentations,) each.
    """
    learnt = pd.Series(np.where(trials["split"] == "train", labels, np.nan), dtype=np.float64)
    of_session = learnt.groupby(trials["session_id"].to_numpy())
    mean, sd = of_session.transform("mean"), of_session.transform("std", ddof=0)
    usual = np.sqrt(sd.pow(2).mean())
    return mean.to_numpy(), sd.clip(lower=usual / 4).to_numpy()

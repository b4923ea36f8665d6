"""What each task asks of each presentation: the label columns of the trials table."""

import numpy as np
import pandas as pd

from glasscortex.tasks import TASKS, Task, variables


def variables_shown(stimulus: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The variables of the presentations of gratings or scenes, NaN on blanks.

    Parameters
    ----------
    stimulus : str
        Its name; others than gratings and scenes have no variables.
    rows : pandas.DataFrame
        Columns of the stimulus; one that is missing gives NaN.

    Returns
    -------
    pandas.DataFrame
        A column a variable, rows as given.
    """
    if stimulus == "drifting_gratings":
        rows = rows.reindex(columns=["orientation", "temporal_frequency", "blank_sweep"])
        rows = rows[rows["blank_sweep"] != 1].reindex(rows.index)
        return pd.DataFrame(
            {
                "direction": rows["orientation"],
                "orientation": rows["orientation"] % 180,
                "temporal_frequency": rows["temporal_frequency"],
            }
        )
    if stimulus == "static_gratings":
        return rows.reindex(columns=["orientation", "spatial_frequency", "phase"])
    if stimulus == "natural_scenes":
        return pd.DataFrame({"scene": rows["index"].where(rows["index"] >= 0)})
    return pd.DataFrame(index=rows.index)


def with_labels(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials with a column for the labels of every task; see `Task.column`.

    Parameters
    ----------
    trials : pandas.DataFrame
        Rows of one or more sessions, with the columns of the variables that are known.

    Returns
    -------
    pandas.DataFrame
        The same rows, with the columns of all variables and labels.
    """
    unknown = {v: np.float32("nan") for v in variables("stimulus", "behaviour") if v not in trials}
    trials = trials.assign(**unknown)
    return trials.assign(**{task.column: task_labels(trials, task) for task in TASKS.values()})


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
    labels = trials[task.variable].to_numpy(np.float32, copy=True)
    if task.stimulus is not None:
        labels[(trials["stimulus"] != task.stimulus).to_numpy()] = np.nan
    known = (trials["split"] == "train").to_numpy() & np.isfinite(labels)
    sessions, _ = pd.factorize(trials["session_id"])
    of_session = pd.Series(labels[known]).groupby(sessions[known])
    varied = of_session.min() < of_session.max()
    labels[~np.isin(sessions, varied.index[varied])] = np.nan
    return labels


def labelled_tasks(trials: pd.DataFrame) -> set[str]:
    """Names of the tasks that some presentation has a label of.

    Parameters
    ----------
    trials : pandas.DataFrame
        Rows with the label columns.

    Returns
    -------
    set of str
        Keys of `TASKS`.
    """
    return {name for name, task in TASKS.items() if trials[task.column].notna().any()}


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

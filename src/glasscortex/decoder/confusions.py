"""Which labels a decoder takes for which."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from glasscortex.tasks import ALLEN, Definitions, label_column

KEYS = ["session_id", "task", "label", "predicted"]


def confusions(
    trials: pd.DataFrame,
    predictions: Mapping[str, np.ndarray],
    definitions: Definitions = ALLEN,
) -> pd.DataFrame:
    """Count how often each label was named for each, on the test split of each session.

    Parameters
    ----------
    trials : pandas.DataFrame
        Presentations, with label columns.
    predictions : mapping of str to numpy.ndarray
        By task, (presentations,) of `glasscortex.decoder.predictions.PREDICTION`.
    definitions : Definitions
        Of the tasks.

    Returns
    -------
    pandas.DataFrame
        Of classifications, one row for each `session_id`, `task`, `label` and `predicted` that
        occur together, in the label's unit, and on how many presentations they do (`n`).
    """
    test = (trials["split"] == "test").to_numpy()
    counts = [pd.DataFrame(columns=[*KEYS, "n"])]
    for task, prediction in predictions.items():
        if definitions.tasks[task].is_regression:
            continue
        pairs = pd.DataFrame(
            {
                "session_id": trials["session_id"].to_numpy(),
                "task": task,
                "label": trials[label_column(task)].to_numpy(),
                "predicted": prediction["value"],
            }
        )
        known = test & np.isfinite(pairs["label"]) & np.isfinite(pairs["predicted"])
        if known.any():
            counts.append(pairs[known].groupby(KEYS).size().rename("n").reset_index())
    return pd.concat(counts[1:] or counts, ignore_index=True)

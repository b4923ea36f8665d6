"""What is shown of the recordings: the table of sessions, and a page each."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from glasscortex.decoder.compare import BEST_LINEAR, of_sessions, test_scores
from glasscortex.decoder.scores import regressions
from glasscortex.tasks import in_order
from glasscortex.words import MODELS

ABOUT = [
    *("session_id", "mouse", "container_id", "cre_line", "area", "depth_um", "session_type"),
    *("sex", "age_days"),
]
"""Columns of the table of sessions that are shown."""

QUALITY = [
    *("cell_specimen_id", "used", "reason", "snr", "noise", "baseline_drift"),
    *("low_baseline_fraction", "r"),
]
"""Columns of the table of quality that are shown."""

DECODING = ["model", "seed", "task", "metric", "value", "ci_low", "ci_high", "chance", "n"]

CONFUSION = ["model", "seed", "task", "label", "predicted", "n"]


def overview(sessions: pd.DataFrame, quality: pd.DataFrame) -> pd.DataFrame:
    """Put what is known of the recordings side by side.

    Parameters
    ----------
    sessions, quality : pandas.DataFrame
        Tables of sessions and of their cells.

    Returns
    -------
    pandas.DataFrame
        In the order of `sessions`: `ABOUT` as far as it is there, how many `cells` were imaged and
        `used`, and of the used ones the median `snr`.
    """
    of_session = quality.groupby("session_id")["used"]
    used = quality[quality["used"].astype(bool)].groupby("session_id")
    rows = sessions[[name for name in ABOUT if name in sessions]].reset_index(drop=True)
    numbers = {"cells": of_session.size(), "used": of_session.sum(), "snr": used["snr"].median()}
    return rows.assign(**{name: rows["session_id"].map(of) for name, of in numbers.items()})


def scores(decoding: pd.DataFrame) -> pd.DataFrame:
    """How well each transformer decodes each session, on test.

    Parameters
    ----------
    decoding : pandas.DataFrame
        Scores of all decoders.

    Returns
    -------
    pandas.DataFrame
        One row a model, seed and session: `accuracy`, the mean over its classification tasks;
        `linear`, the same of the best linear baseline (see `compare`), and by how much it is
        exceeded (`lead`); and the headline score of each task, in a column of its name.
    """
    rows = of_sessions(decoding)
    test = rows[(rows["split"] == "test") & rows["model"].isin(MODELS)]
    table = test.pivot(index=["model", "seed", "session_id"], columns="task", values="value")
    table = table[in_order(test["task"])]
    values = regressions(decoding)
    classes = [task for task in table if task not in values]
    rivals = test_scores(decoding)[BEST_LINEAR].unstack("task").reindex(columns=classes)
    linear = table.index.get_level_values("session_id").map(rivals.mean(axis=1))
    table.insert(0, "accuracy", table[classes].mean(axis=1))
    table.insert(1, "linear", linear)
    table.insert(2, "lead", table["accuracy"] - linear)
    return table.reset_index()


def pages(
    sessions: pd.DataFrame,
    quality: pd.DataFrame,
    decoding: pd.DataFrame,
    confusion: pd.DataFrame,
) -> Iterator[tuple[Mapping[str, str], dict[str, Any]]]:
    """The rows of each session.

    Parameters
    ----------
    sessions, quality, decoding, confusion : pandas.DataFrame
        Tables.

    Yields
    ------
    session : Series
        Its row of `sessions`.
    page : dict of pandas.DataFrame
        `quality`: its cells. `decoding`: its scores on test, of all decoders, with the mean over
        all sessions beside (`over_sessions`). `confusion`: which labels were taken for which.
    """
    test = decoding[decoding["split"] == "test"]
    keys = ["model", "seed", "task", "metric"]
    means = test.loc[test["session_id"] == "all", [*keys, "value"]]
    scored = test.merge(means.rename(columns={"value": "over_sessions"}), on=keys, how="left")
    tables = {
        "quality": (quality, QUALITY),
        "decoding": (scored, [*DECODING, "over_sessions"]),
        "confusion": (confusion, CONFUSION),
    }
    rows = {name: table.groupby("session_id").indices for name, (table, _) in tables.items()}
    none = np.empty(0, np.int64)
    for _, session in sessions.iterrows():
        yield (
            session,
            {
                name: table[columns].iloc[rows[name].get(session["session_id"], none)]
                for name, (table, columns) in tables.items()
            },
        )

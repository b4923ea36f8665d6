"""Sets of units on the bench: removed one after another, session by session."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float

from glasscortex.analysis.edits import Score, Scores, Series, session_scores
from glasscortex.analysis.moments import Moments
from glasscortex.analysis.removal import EncodedBatch, Exchange, Keeping, Removal, atoms
from glasscortex.data.batches import Batches
from glasscortex.data.windows import WindowsReader
from glasscortex.decoder.evaluate import EVALUATION_BATCH, Edit
from glasscortex.decoder.model import Decoder
from glasscortex.dictionaries import Dictionary
from glasscortex.errors import InputError
from glasscortex.tasks import label_column


@dataclass(frozen=True)
class Condition:
    """What is done to some units together, and why.

    Attributes
    ----------
    variable : name of a task: whose units they are, and whose labels a resampled window differs in;
        "" if that is any other window
    method : what an activation becomes: "zero", "mean" or "resample"
    units : their numbers
    draw : number of the random set; −1 for what is not one
    kind : "selective" removes the units, "kept" keeps them alone, "probe" and "labels" exchange as
        many directions with the same ‖Δx‖
    """

    variable: str
    method: str
    units: tuple[int, ...]
    draw: int = -1
    kind: Literal["selective", "kept", "probe", "labels"] = "selective"


class Bench:
    """A decoder and the dictionary at its hook, before the windows of many sessions.

    Parameters
    ----------
    decoder : Decoder
    sae : Dictionary
    trials : pandas.DataFrame
        Of all sessions, with the labels of the tasks.
    windows : mapping of str to WindowsReader
        Reader of each session's windows.
    mean : ndarray, shape (units,)
        Mean activation of every unit.
    most : int
        Windows of one session and stimulus that are used, evenly spread.
    seed : int
        Of the windows that are exchanged.

    Raises
    ------
    InputError
        The dictionary says no hook.
    """

    def __init__(
        self,
        decoder: Decoder,
        sae: Dictionary,
        trials: pd.DataFrame,
        windows: Mapping[str, WindowsReader],
        mean: Float[np.ndarray, " units"],
        most: int,
        seed: int,
    ):
        if sae.hook is None:
            raise InputError("the dictionary says no hook to edit: fit it with hook=…")
        self.tasks, self.atoms = decoder.vocabulary.tasks, atoms(sae)
        self.definitions = decoder.vocabulary.definitions
        self._decoder, self._sae, self._hook = decoder, sae, sae.hook
        self._trials, self._windows = trials, windows
        self._mean, self._most, self._seed = torch.from_numpy(mean).float(), most, seed

    @functools.cached_property
    def moments(self) -> Moments:
        """Second moments on validation."""
        return Moments(self._decoder, self._sae, self._sessions("validation"), self._seed)

    @torch.no_grad()
    def scores(
        self,
        split: str,
        conditions: list[Condition],
        score: Score = "headline",
        own_alone: bool = False,
    ) -> pd.DataFrame:
        """Scores of every session and task, of random sets those of their variable's task alone.

        Sessions are run one by one, each with all conditions, so that the model before the hook
        runs once a window. Memory grows with sessions × tasks × conditions, 8 bytes each.

        Parameters
        ----------
        split : str
            "validation" or "test".
        conditions : list of Condition
        score : str
            Which one.
        own_alone : bool
            Whether all conditions are scored as random sets are.

        Returns
        -------
        pandas.DataFrame
            One row a session and task: session_id, task, intact, and a column a condition, named
            by its place in `conditions`.
        """
        alone = [own_alone or c.draw >= 0 for c in conditions]
        groups = [(tuple(self.tasks), [i for i in range(len(conditions)) if not alone[i]])] + [
            ((task,), [i for i, c in enumerate(conditions) if alone[i] and c.variable == task])
            for task in self.tasks
        ]
        rows = []
        for batches, mask in self._sessions(split):
            encoded = EncodedBatch(self._sae)
            labels = {
                task: batches.trials[label_column(task)] if head.classes else None
                for task, head in self.tasks.items()
            }
            series = [Series(tuple(self.tasks), [lambda x, batch: x])] + [
                Series(tasks, [self._edit(conditions[i], encoded, labels) for i in numbers])
                for tasks, numbers in groups
            ]
            intact, *found = self._scored(batches, mask, series, score)
            for task, (value,) in intact.items():
                row = {"session_id": batches.trials["session_id"].iloc[0], "task": task}
                values = {
                    number: part[task][place]
                    for (_, numbers), part in zip(groups, found, strict=True)
                    if task in part
                    for place, number in enumerate(numbers)
                }
                rows.append(row | {"intact": value} | values)
        return pd.DataFrame(rows, columns=["session_id", "task", "intact", *range(len(conditions))])

    @torch.no_grad()
    def under(self, split: str, series: list[Series]) -> Iterator[tuple[str, list[Scores]]]:
        """Each session, and its scores under edits that are the same for all sessions."""
        for batches, mask in self._sessions(split):
            session_id = batches.trials["session_id"].iloc[0]
            yield session_id, self._scored(batches, mask, series, "headline")

    def _scored(
        self,
        batches: Batches,
        mask: Bool[np.ndarray, " presentations"],
        series: list[Series],
        score: Score,
    ) -> list[Scores]:
        return session_scores(self._decoder, self._hook, batches, mask, series, score)

    def _sessions(self, split: str) -> Iterator[tuple[Batches, Bool[np.ndarray, " presentations"]]]:
        for session_id, of_session in self._trials.groupby("session_id", sort=False):
            table = of_session.reset_index(drop=True)
            mask = evenly(table, self._most, split)
            vocabulary = self._decoder.vocabulary
            if session_id in vocabulary.sessions and mask.any():
                yield Batches(self._windows, table, vocabulary, EVALUATION_BATCH), mask

    def _edit(
        self, c: Condition, encoded: EncodedBatch, labels: Mapping[str, pd.Series | None]
    ) -> Edit:
        column = labels.get(c.variable)
        shown = None if column is None else column.to_numpy()
        if c.kind in ("selective", "kept"):
            edit = Removal if c.kind == "selective" else Keeping
            return edit(encoded, c.units, c.method, self._mean, shown, self._seed)
        change = self.moments.change(c.units)
        onto = self.moments.projection(c.variable, len(c.units), change, c.kind == "probe")
        return Exchange(encoded, onto, shown, self._seed)


def evenly(
    trials: pd.DataFrame, most: int, split: str = "test"
) -> Bool[np.ndarray, " presentations"]:
    """Which presentations of a split are used: of each session and stimulus at most `most`.

    They are spread evenly.
    """
    mask = np.zeros(len(trials), bool)
    of_split = trials[trials["split"] == split]
    for rows in of_split.groupby(["session_id", "stimulus"], sort=False).groups.values():
        places = np.linspace(0, len(rows) - 1, min(most, len(rows)))
        mask[rows[np.rint(places).astype(int)]] = True
    return mask

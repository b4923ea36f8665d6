"""New animals: what a trained decoder reads from sessions that it never saw, with few repeats.

Only the embeddings of the new cells and of the session are learnt; the transformer and the heads
stay as they are. What that saves is seen against the same architecture trained on the session
alone and against the linear baseline, from the same presentations.
"""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch

from glasscortex.config import AdaptConfig, BaselineConfig, DecoderConfig
from glasscortex.data.batches import Batches, Piece
from glasscortex.data.vocabulary import Vocabulary, presented_classes
from glasscortex.data.windows import WindowsReader
from glasscortex.decoder.baselines import linear, single
from glasscortex.decoder.baselines.sessions import over_sessions
from glasscortex.decoder.evaluate import EVALUATION_BATCH, predict
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.optimisation import task_losses, weighted_sum
from glasscortex.decoder.scores import score_table
from glasscortex.decoder.start import Projection, start_cells
from glasscortex.errors import InputError
from glasscortex.tasks import ALLEN, Definitions, label_column

PER_SESSION = ("cell_embeddings", "session_embedding", "own")
"""Weights that belong to sessions; all others stay as they are."""

ALL = "all"

FIRST = ["session_id", "task", "repeats", "method", "metric", "value"]
"""Columns that the table begins with."""


def adapt(
    decoder: Decoder,
    projection: Projection | None,
    trials: pd.DataFrame,
    windows: Mapping[str, WindowsReader],
    config: AdaptConfig,
    scratch: DecoderConfig,
    baseline: BaselineConfig,
    seed: int = 0,
    processes: int = 1,
) -> pd.DataFrame:
    """Score a decoder on new sessions, with ever more repeats of theirs to learn from.

    The adapted decoder sees the repeats and nothing else. The other two also choose by the
    session's validation split, as it is: early stopping, strength of regularisation. All windows
    were z-scored by the whole training split, without labels. Memory is that of one session a
    process; time grows with sessions × repeats × windows × cells.

    Parameters
    ----------
    decoder : Decoder
        In evaluation mode.
    projection : Projection or None
        What gives cells their start, as its training left it.
    trials : pandas.DataFrame
        Presentations of the new sessions, with label columns.
    windows : mapping of str to WindowsReader
        Reader of each session's windows.
    config : AdaptConfig
        Repeats, and how the embeddings are learnt.
    scratch : DecoderConfig
        Training of the transformer on each session alone.
    baseline : BaselineConfig
        Candidates of the linear baseline.
    seed : int
        Of all that is random here.
    processes : int
        Sessions that are learnt side by side.

    Returns
    -------
    pandas.DataFrame
        session_id, task, repeats (a number, or "all"), method ("adapted", "scratch" or "linear"),
        metric, value, ci_low, ci_high, chance, constant, n, n_classes, as in `score_table` on the
        test split, and n_train (presentations learnt from).

    Raises
    ------
    InputError
        The decoder was trained on a session, or has no task for what it shows.
    """
    tasks, definitions = tuple(decoder.vocabulary.tasks), decoder.vocabulary.definitions
    weights = scratch.train.task_weights
    asked: dict[str, Any] = {"tasks": tasks, "seed": seed, "definitions": definitions}
    methods = {
        "adapted": partial(
            _predictions,
            decoder=decoder,
            projection=projection,
            config=config,
            task_weights=weights,
            seed=seed,
        ),
        "scratch": partial(single.predict, config=scratch, **asked),
        "linear": partial(linear.predict, config=baseline, **asked),
    }
    parts = []

    def first(n: int) -> pd.DataFrame:
        return first_repeats(trials, n, definitions)

    numbers = [n for n in config.repeats if len(first(n)) < len(trials)]
    for repeats in (*numbers, None):
        few = trials if repeats is None else first(repeats)
        learnt_from = _learnt_from(few, tasks)
        for method, of_session in methods.items():
            predictions = over_sessions(of_session, few, windows, tasks, processes)
            for task, prediction in predictions.items():
                scores = score_table(task, few, prediction, "test", seed, definitions)
                scores = scores.assign(repeats=repeats or ALL, method=method).drop(columns="split")
                parts.append(scores.merge(learnt_from, on=["session_id", "task"]))
    return pd.concat(parts).set_index(FIRST).reset_index()


def first_repeats(
    trials: pd.DataFrame, repeats: int, definitions: Definitions = ALLEN
) -> pd.DataFrame:
    """The trials with only the first presentations of every class left in the training split.

    A class is a combination of all labels of a stimulus; presentations without one, such as
    blanks, make a class of their own.

    Parameters
    ----------
    trials : pandas.DataFrame
        Presentations.
    repeats : int
        Presentations of each class, the first in time.
    definitions : Definitions
        What labels there are.

    Returns
    -------
    pandas.DataFrame
        Some of the rows, numbered anew.
    """
    train = trials[trials["split"] == "train"].sort_values("start_s", kind="stable")
    labels = [v for v in definitions.at("stimulus", "behaviour", classes=True) if v in train]
    classes = train.groupby(["session_id", "stimulus", *labels], dropna=False)
    repeat = classes.cumcount()
    return trials.drop(repeat.index[repeat >= repeats]).reset_index(drop=True)


def adapted(
    trained: Decoder,
    projection: Projection | None,
    trials: pd.DataFrame,
    windows: WindowsReader,
    config: AdaptConfig,
    task_weights: Mapping[str, float],
    seed: int,
) -> Decoder:
    """The decoder with embeddings of one new session, learnt from its training split.

    The cells' embeddings start where those of the training sessions did, by the projection that
    is stored with the decoder, or at random where it has none; the session's starts at the mean
    of the others, and how sure its outputs are is the others' mean, too. Cells and features are
    dropped as in training.

    Parameters
    ----------
    trained : Decoder
        Of other sessions.
    projection : Projection or None
        What gives cells their start.
    trials : pandas.DataFrame
        Presentations of one session, with label columns.
    windows : WindowsReader
        Reader of the session's windows.
    config : AdaptConfig
        How the embeddings are learnt.
    task_weights : mapping of str to float
        Weight of a task's loss where it is not 1.
    seed : int
        Of random embeddings, of dropout and of the order of the batches.

    Returns
    -------
    Decoder
        In evaluation mode.

    Raises
    ------
    InputError
        The decoder was trained on the session, or has no task for what it shows.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    session = trials["session_id"].iloc[0]
    if session in trained.vocabulary.sessions:
        raise InputError(
            f"the decoder was trained on session {session}: adapt it to other sessions"
        )
    cells, tasks = {session: tuple(windows.cells)}, trained.vocabulary.tasks
    vocabulary = Vocabulary(
        (session,), cells, tasks, presented_classes(trials, tasks), trained.vocabulary.definitions
    )
    decoder = Decoder(trained.config, vocabulary, trained.sample_rate_hz).eval()
    weights = trained.state_dict()
    shared = {name: w for name, w in weights.items() if not name.startswith(PER_SESSION)}
    mean = weights["session_embedding.weight"].mean(dim=0, keepdim=True)
    decoder.load_state_dict(decoder.state_dict() | shared | {"session_embedding.weight": mean})
    decoder.requires_grad_(False)
    batches = Batches({session: windows}, trials, vocabulary, config.batch)
    if not batches.pieces(_train(batches), np.random.default_rng(seed)):
        raise InputError(
            f"session {session} shows nothing to learn from that the decoder decodes "
            f"({', '.join(vocabulary.tasks)}): take it out of select.held_out"
        )
    if projection is not None:
        start_cells(decoder, batches, projection)
    decoder.own.gain.copy_(weights["own.gain"].mean(dim=0, keepdim=True))
    _learn(decoder, batches, config, task_weights, seed)
    return decoder


def _learn(
    decoder: Decoder,
    batches: Batches,
    config: AdaptConfig,
    task_weights: Mapping[str, float],
    seed: int,
) -> None:
    """Fit the embeddings of cells and sessions; all other weights stay as they are."""
    learnt = [*decoder.cell_embeddings, *decoder.session_embedding.parameters()]
    for parameter in learnt:
        parameter.requires_grad_()
    optimizer = torch.optim.AdamW(learnt, lr=config.learning_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, config.steps))
    decoder.train()
    with closing(batches.read(_pieces(batches, config.steps, seed))) as learning:
        for batch in learning:
            losses = task_losses(decoder(batch), batches.targets, batch)
            weighted_sum(losses, task_weights).backward()
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    decoder.eval()


def _pieces(batches: Batches, steps: int, seed: int) -> Iterator[Piece]:
    """As many pieces of the training split as there are steps, in as many rounds as it takes."""
    rng, train = np.random.default_rng(seed), _train(batches)
    rounds = (batches.pieces(train, rng) for _ in itertools.count())
    return itertools.islice(itertools.chain.from_iterable(rounds), steps)


def _train(batches: Batches) -> np.ndarray:
    return (batches.trials["split"] == "train").to_numpy()


def _predictions(
    trials: pd.DataFrame,
    windows: WindowsReader,
    decoder: Decoder,
    projection: Projection | None,
    config: AdaptConfig,
    task_weights: Mapping[str, float],
    seed: int,
) -> dict[str, np.ndarray]:
    """What the decoder, adapted to one session, says of its test split."""
    own = adapted(decoder, projection, trials, windows, config, task_weights, seed)
    readers = {trials["session_id"].iloc[0]: windows}
    batches = Batches(readers, trials, own.vocabulary, EVALUATION_BATCH)
    return predict(own, batches, (trials["split"] == "test").to_numpy())


def _learnt_from(trials: pd.DataFrame, tasks: tuple[str, ...]) -> pd.DataFrame:
    """How many presentations of each session's training split have a label, task by task."""
    train = trials["split"] == "train"
    known = {name: train & np.isfinite(trials[label_column(name)].to_numpy()) for name in tasks}
    counts = pd.DataFrame(known).groupby(trials["session_id"]).sum()
    counts.loc["all"] = counts.sum()
    counts = counts.rename_axis("session_id", axis=0).rename_axis("task", axis=1)
    return counts.stack().rename("n_train").reset_index()
